import { RotaError } from "../base/error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Puts variables in place: `${VAR}`, `${VAR:-default}` where the default is for a variable unset or empty, and
 * `$$` for a dollar sign, as Compose has them. What stands in a variable is not expanded again.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE`: a variable that is not set, and has no default; another form.
 */
export function expand(text: string, env: Environment): string {
  // A dollar sign before anything else, as in US$5, is one.
  return text.replaceAll(/\$(?:\$|\{[^}]*\}?|[A-Za-z_]\w*)/g, (written) => {
    if (written === "$$") return "$";
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
