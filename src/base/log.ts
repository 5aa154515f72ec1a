/**
 * Where Rota writes what happened: the shape of a pino logger, so that one can be passed as it is.
 * The fields come first and are for machines, the message is one line for people.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

const ignore = (): void => {};

/** Says nothing: what a library does until it is told where to. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
