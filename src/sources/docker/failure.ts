import { messageOf, RotaError, systemCodeOf } from "../../base/error.ts";
import type { EngineAddress } from "./endpoint.ts";
import { at, parseJson, textOf } from "./fields.ts";

/** So much of what an engine says is repeated, in characters. */
const MAX_SAID = 200;

export function couldNotAsk({ text }: EngineAddress, path: string, why: string): RotaError {
  const plain = path.replace(/^\/v[\d.]+/, "").replace(/\?.*/, "");
  return new RotaError("ERR_ROTA_DOCKER", `could not ask the engine at ${text} for ${plain}: ${why}`);
}

/** It answered, but not with what was asked for. */
export function refusal(
  address: EngineAddress,
  path: string,
  { status, body }: { readonly status: number; readonly body: Buffer },
): RotaError {
  const said = textOf(at(parseJson(body), "message")) || body.toString("utf8", 0, 4 * MAX_SAID);
  return couldNotAsk(address, path, `${status} ${excerpt(said)}`.trim());
}

export function unreachable({ text }: EngineAddress, cause: unknown): RotaError {
  const remedy = REMEDIES.get(systemCodeOf(cause) ?? "");
  const why = excerpt(whyOf(cause));
  const message = `the engine at ${text} cannot be reached: ${why}${remedy === undefined ? "" : ` (${remedy})`}`;
  return new RotaError("ERR_ROTA_DOCKER", message, { cause });
}

/** A host with several addresses fails with one error for each, and none of its own. */
function whyOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === "") return cause.errors.map(messageOf).join(", ");
  return messageOf(cause);
}

const REMEDIES: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "is it running, and is that its socket?"],
  ["EACCES", "run as a user that may, as those of the group docker may"],
]);

/** What an engine says may be anything: one line of it, without what a terminal would obey. */
function excerpt(said: string): string {
  const line = said.replaceAll(/[\s\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ").trim();
  return line.length > MAX_SAID ? `${line.slice(0, MAX_SAID)}…` : line;
}
