import { RotaError } from "../base/error.ts";
import type { Environment } from "./expand.ts";

/** What becomes of a text. */
export interface Expanded {
  readonly text: string;
  /** The variables that are not set and are told of, each with what its file says of that; else empty. */
  readonly missing: ReadonlyMap<string, string>;
}

/** Nobody nests deeper; without a bound, a file of braces would be one stack. */
const MAX_DEPTH = 20;

/**
 * Puts variables in place as Compose does: `$VAR`, `${VAR}`, `${VAR:-default}`, `${VAR:+other}`, `${VAR:?message}`,
 * each also without the colon, where empty is as good as set; what follows may have variables in it. `$$` is a
 * dollar sign. A variable that is not set comes to nothing, also where Compose would refuse the file for it: what
 * it is for, the engine got, and Rota may well not need.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE`: what stands in braces is none of these
 */
export function expandCompose(text: string, env: Environment): Expanded {
  const missing = new Map<string, string>();
  return { text: expandWithin(text, env, missing, 0), missing };
}

function expandWithin(text: string, env: Environment, missing: Map<string, string>, depth: number): string {
  if (depth > MAX_DEPTH) throw unfit(`variables stand in one another over ${MAX_DEPTH} deep: nest them less`);
  const plain = /\$(?:\$|([A-Za-z_]\w*))/y;
  let expanded = "";
  let at = 0;
  for (let dollar = text.indexOf("$"); dollar >= 0; dollar = text.indexOf("$", at)) {
    expanded += text.slice(at, dollar);
    if (text[dollar + 1] === "{") {
      const end = endOfBraces(text, dollar);
      expanded += substitute(text.slice(dollar, end), env, missing, depth);
      at = end;
      continue;
    }
    plain.lastIndex = dollar;
    // A dollar sign before anything else, as in US$5, is one.
    const [written = "$", name] = plain.exec(text) ?? [];
    expanded += name === undefined ? "$" : valueOf(name, env, missing);
    at = dollar + written.length;
  }
  return expanded + text.slice(at);
}

/** Behind the brace that closes the one after the dollar sign at `from`, or the text's end. */
function endOfBraces(text: string, from: number): number {
  let open = 0;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith("${", at)) open++;
    if (text[at] === "}" && --open === 0) return at + 1;
  }
  return text.length;
}

function substitute(written: string, env: Environment, missing: Map<string, string>, depth: number): string {
  const [, name = "", operator = "", word = ""] =
    /^\$\{([A-Za-z_]\w*)(?:(:?[-+?])(.*))?\}$/s.exec(written) ?? [];
  if (name === "") {
    throw unfit(
      `${written.slice(0, 60)} is not understood: write \${VAR} or \${VAR:-default}, and $$ for a dollar sign`,
    );
  }
  const value = env[name];
  const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
  if (operator === "") return valueOf(name, env, missing);
  const within = (): string => expandWithin(word, env, missing, depth + 1);
  if (operator.endsWith("+")) return isSet ? within() : "";
  if (isSet) return value;
  if (operator.endsWith("-")) return within();
  missing.set(name, within());
  return "";
}

function valueOf(name: string, env: Environment, missing: Map<string, string>): string {
  const value = env[name];
  if (value === undefined && !missing.has(name)) missing.set(name, "");
  return value ?? "";
}

function unfit(message: string): RotaError {
  return new RotaError("ERR_ROTA_SERVICES_FILE", message);
}
