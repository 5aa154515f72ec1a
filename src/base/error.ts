/** What went wrong, to switch on. Codes are never reused for another meaning. */
export type RotaErrorCode =
  | "ERR_ROTA_ADDRESS"
  | "ERR_ROTA_ADMIN_FILE"
  | "ERR_ROTA_ASK"
  | "ERR_ROTA_CLOSED"
  | "ERR_ROTA_CONTROL"
  | "ERR_ROTA_DECLARATION"
  | "ERR_ROTA_DOCKER"
  | "ERR_ROTA_DURATION"
  | "ERR_ROTA_FORWARD"
  | "ERR_ROTA_LISTEN"
  | "ERR_ROTA_NAME"
  | "ERR_ROTA_OPTION"
  | "ERR_ROTA_PLANE"
  | "ERR_ROTA_SERVICES_FILE"
  | "ERR_ROTA_VIP";

/**
 * Every error that Rota throws on purpose.
 *
 * The message is one line for people: what could not be done, with the value, and what to do about it.
 * `code` is for programs; `cause` keeps the error beneath, if there was one.
 */
export class RotaError extends Error {
  override readonly name = "RotaError";
  readonly code: RotaErrorCode;

  constructor(code: RotaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What `read` gives; undefined where it throws on purpose, for who needs not know why. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RotaError)) throw error;
    return undefined;
  }
}

/** The message of anything that was thrown, for a sentence that says what failed. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` that Node's system errors carry, as in `EADDRINUSE`. */
export function systemCodeOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
