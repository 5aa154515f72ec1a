import { RotaError } from "../base/error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the command of an `exec` check is told of its task, in whichever form of a variable. It is never this
 * process's: Kubernetes and Docker set ROTA_PORT, and mean another, for a service named rota.
 */
const TOLD_TO_COMMANDS = /^\$(?:\{(?=.*\}$))?ROTA_(?:SERVICE|TASK|ADDRESS|PORT)(?!\w)/s;

/**
 * Puts variables in place: `${VAR}`, `${VAR:-default}` where the default is for a variable unset or empty, and
 * `$$` for a dollar sign, as Compose has them. What stands in a variable is not expanded again.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE`: a variable that is not set, and has no default; another form; one
 * that only the command of a check is told.
 */
export function expand(text: string, env: Environment): string {
  // A dollar sign before anything else, as in US$5, is one.
  return text.replaceAll(/\$(?:\$|\{[^}]*\}?|[A-Za-z_]\w*)/g, (written) => {
    if (written === "$$") return "$";
    if (TOLD_TO_COMMANDS.test(written)) {
      throw unfit(`write $${written} in text for a shell: the check's command is told it, not this file`);
    }
    const [, name, defaulted] = /^\$\{([A-Za-z_]\w*)(?::-([^$]*))?\}$/.exec(written) ?? [];
    if (name === undefined) {
      throw unfit(
        `${written} is not understood: write \${VAR} or \${VAR:-default}, and $$ for a dollar sign`,
      );
    }
    const value = env[name];
    if (defaulted !== undefined) return value === undefined || value === "" ? defaulted : value;
    if (value !== undefined) return value;
    throw unfit(`variable ${name} is not set: set it, or write \${${name}:-default}`);
  });
}

function unfit(message: string): RotaError {
  return new RotaError("ERR_ROTA_SERVICES_FILE", message);
}
