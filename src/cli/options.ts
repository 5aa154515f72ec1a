import type { ArgumentsCamelCase, Argv, CommandModule, InferredOptionTypes, Options } from "yargs";
import { DEFAULT_CONTROL_PATH, NO_CONTROL } from "../api/control.ts";
import { RotaError } from "../base/error.ts";

/** What every command knows. */
export const GLOBAL_OPTIONS = {
  "log-level": {
    choices: ["error", "warn", "info", "debug"],
    default: "info",
    requiresArg: true,
    describe: "What is worth a line; debug adds stack traces to errors",
  },
} as const;

const NO_FILES: string[] = [];

/** What the commands take that read services files. */
export const FILES = {
  type: "string",
  array: true,
  default: NO_FILES,
  describe: "Services files (YAML or JSON), or folders of them",
} as const;

/** What the commands take that may check tasks. */
export const ALLOW_EXEC = {
  type: "boolean",
  default: false,
  describe: "Let health checks run commands: those who write the services files then do, as this user",
} as const;

/** What the commands take that ask a running server, unless they are given files. */
export const CONTROL = {
  type: "string",
  requiresArg: true,
  default: DEFAULT_CONTROL_PATH,
  coerce: single(String),
  describe: "The control socket of the running server to ask",
} as const;

/** For yargs' `check`: true, or what is wrong. */
export function hasWhomToAsk(argv: {
  readonly files: readonly string[];
  readonly control: string;
}): true | string {
  if (argv.control !== NO_CONTROL || argv.files.length > 0) return true;
  return `--control ${NO_CONTROL} is nowhere to ask: name the socket of a running server, or FILES`;
}

export type GlobalArguments = InferredOptionTypes<typeof GLOBAL_OPTIONS>;

/** A command for main.ts, from the function that declares its options. */
export type Command<F extends Declare> = CommandModule<GlobalArguments, DeclaredBy<F>>;

/** What that command's handler gets: `--log-level` as `logLevel`. */
export type ArgumentsOf<F extends Declare> = ArgumentsCamelCase<DeclaredBy<F>>;

type Declare = (yargs: Argv<GlobalArguments>) => unknown;
type DeclaredBy<F extends Declare> = ReturnType<F> extends Argv<infer A> ? A : never;

export type LogLevel = (typeof GLOBAL_OPTIONS)["log-level"]["choices"][number];

/**
 * Adds `options` to a command, each with its environment variable: ROTA_LOG_LEVEL is what `--log-level` is if
 * the command line does not say. A variable of an `array` option is split at commas and spaces; at spaces alone where
 * the commas are its own, as in `corp.example=10.0.0.53,10.0.0.54`.
 *
 * Not by yargs' `env("ROTA")`: it takes every ROTA_ variable for an option, and strict mode then refuses those
 * of other commands, and ROTA_PORT and the like, which Kubernetes and Docker set for a service named rota.
 *
 * @throws RotaError `ERR_ROTA_OPTION`: a variable of a boolean option is neither true nor false.
 */
export function withOptions<T, O extends Record<string, Options>>(
  yargs: Argv<T>,
  options: O,
): Argv<Omit<T, keyof O> & InferredOptionTypes<O>> {
  const typed = yargs.options(options);
  for (const [name, { coerce }] of Object.entries(options)) {
    if (coerce) typed.coerce(name, namingIn(name, coerce));
  }
  return typed.config(readEnvironment(options, process.env));
}

/** What is wrong with a value is said with the option that it is of: it may come from the environment. */
function namingIn(name: string, coerce: (given: unknown) => unknown): (given: unknown) => unknown {
  return (given) => {
    try {
      return coerce(given);
    } catch (cause) {
      if (!(cause instanceof RotaError)) throw cause;
      throw new RotaError(cause.code, `--${name}: ${cause.message}`, { cause });
    }
  };
}

/** For an option that is given once; two would come as an array. */
export function single<T>(parse: (text: string) => T): (given: string | readonly string[]) => T {
  return (given) => {
    if (typeof given === "string") return parse(given);
    throw new RotaError(
      "ERR_ROTA_OPTION",
      `${given.map((text) => `"${text}"`).join(" and ")}: give only one`,
    );
  };
}

/** As {@link single}, for an option that may be left out. */
export function optional<T>(
  parse: (text: string) => T,
): (given: string | readonly string[] | undefined) => T | undefined {
  return (given) => (given === undefined ? undefined : single(parse)(given));
}

function readEnvironment(options: Record<string, Options>, environment: NodeJS.ProcessEnv): object {
  const found = new Map<string, unknown>();
  for (const [name, option] of Object.entries(options)) {
    const variable = `ROTA_${name.replaceAll("-", "_").toUpperCase()}`;
    const text = environment[variable];
    // Set but empty is how Compose files and shells say "not set".
    if (text !== undefined && !/^[\s,]*$/.test(text)) found.set(name, readVariable(variable, text, option));
  }
  return Object.fromEntries(found);
}

function readVariable(variable: string, text: string, option: Options): unknown {
  if (option.type === "array" || option.array === true)
    return text.split(text.includes("=") ? /\s+/ : /[\s,]+/).filter((part) => part !== "");
  if (option.type !== "boolean" && option.boolean !== true) return text;
  if (/^(?:1|true|yes|on)$/i.test(text)) return true;
  if (/^(?:0|false|no|off)$/i.test(text)) return false;
  throw new RotaError("ERR_ROTA_OPTION", `${variable} is "${text}": set it to true or false`);
}
