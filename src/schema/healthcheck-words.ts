import { validateHeaderName, validateHeaderValue } from "node:http";
import { isIP, isIPv6 } from "node:net";
import { RotaError } from "../base/error.ts";
import { formatAddress, parseAddress } from "../model/address.ts";
import type { ExecProbe, StatusRange } from "../model/check.ts";
import { parseDuration } from "../model/duration.ts";
import { formatRcode } from "../model/mnemonics.ts";
import { parsePrefix } from "../model/name.ts";
import { listOf, show, suggest } from "./problem.ts";

/** RFC 9110 section 5.6.2: a token, which a method is (section 9.1). */
const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;
/** What follows from the request itself: RFC 9110 section 7.2, RFC 9112 section 6. */
const OWN_HEADERS: ReadonlyMap<string, string> = new Map([
  ["host", "write host beside headers"],
  ["content-length", "a probe sends no body"],
  ["transfer-encoding", "a probe sends no body"],
]);
/** IANA "DNS RCODEs" that have a name here: all of them are below 24. */
const RCODES: readonly string[] = Array.from({ length: 24 }, (_, code) => formatRcode(code)).filter(
  (name) => !name.startsWith("RCODE"),
);
const FOLDED_RCODES: readonly string[] = RCODES.map((name) => name.toLowerCase());
export const NO_PROGRAM = "names no program: write the program, then its arguments";
export const NO_TEST =
  'is no test: write ["CMD", program, arguments], ["CMD-SHELL", text], ["NONE"], or text for a shell';
const MIN_STATUS = 100;
const MAX_STATUS = 599;

/** A duration, and what was written for it. */
export interface Span {
  readonly ms: number;
  readonly written: string | number;
}

/** A duration from `least` to `most`. @throws RotaError `ERR_ROTA_DURATION`, `ERR_ROTA_DECLARATION` */
export function parseSpan(written: string | number, least: string, most: string): Span {
  const ms = parseDuration(written);
  if (ms >= parseDuration(least) && ms <= parseDuration(most)) return { ms, written };
  throw unfit(messageOfSpan(written, least, most));
}

/** As {@link parseSpan}, and nothing at all besides. @throws as that */
export function parseSpanOrZero(written: string | number, least: string, most: string): Span {
  return parseDuration(written) === 0 ? { ms: 0, written } : parseSpan(written, least, most);
}

/** What is wrong with a duration that is not from `least` to `most`. */
export function messageOfSpan(written: string | number, least: string, most: string): string {
  // Who wrote 90000 had milliseconds in mind, or what `docker inspect` prints, which is nanoseconds.
  const seconds = countsSeconds(written) && Number(written) > 0 ? " counts seconds and" : "";
  return `${JSON.stringify(written)}${seconds} does not do: write a duration from ${least} to ${most}`;
}

/** Whether a duration has no unit. */
export function countsSeconds(written: string | number): boolean {
  return typeof written === "number" || /^\d+$/.test(written);
}

/** The number of a port, also as text, or what may be the name of one. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parsePortWord(text: string): number | string {
  // RFC 6335 section 5.1: a name has a letter in it.
  if (!/^\d+$/.test(text)) return text;
  const port = Number(text);
  if (port >= 1 && port <= 65_535) return port;
  throw unfit(`must be a whole number from 1 to 65535, not ${show(text)}`);
}

/** What a request asks for: a path, maybe with a query. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseRequestPath(text: string): string {
  // RFC 9112 section 3.2.1, and RFC 3986 section 3.3: printable ASCII, and no fragment.
  if (/^\/[!"$-~]*$/.test(text)) return text;
  if (/^https?:\/\//i.test(text)) {
    const remedy = "write the path alone, as the host is each task's and the port is written as port";
    throw unfit(`${show(text)} is not a path: ${remedy}`);
  }
  if (!text.startsWith("/")) throw unfit(`${JSON.stringify(text)} is not a path: begin it with /`);
  throw unfit(`${JSON.stringify(text)} is not a path: write %20 for a space, and other characters likewise`);
}

/** A request's method, in upper case as all that are registered. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseMethod(text: string): string {
  if (!TOKEN.test(text)) throw unfit(`${JSON.stringify(text)} is not a method: write GET, HEAD or another`);
  const method = text.toUpperCase();
  // RFC 9110 section 9.3.6: what follows is a tunnel, and no response to look at.
  if (method === "CONNECT") throw unfit("CONNECT asks for a tunnel, not for an answer: write another");
  return method;
}

/** Headers that can be sent as they are. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseHeaders(headers: { readonly [name: string]: string | number }): [string, string][] {
  return Object.entries(headers).map(([name, written]) => {
    const value = String(written);
    const own = OWN_HEADERS.get(name.toLowerCase());
    if (own !== undefined) throw unfit(`${name} cannot be set: ${own}`);
    assertSendable(() => validateHeaderName(name), `${JSON.stringify(name)} is not the name of a header`);
    assertSendable(
      () => validateHeaderValue(name, value),
      `${name} cannot be ${JSON.stringify(value)}: it is one line of Latin-1`,
    );
    return [name, value];
  });
}

/** What a Host header says: a name or address, maybe with a port. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseHost(text: string): string {
  const [, bracketed, bare, port = "1"] =
    /^(?:\[([^\]]*)\]|([\w.-]{1,253}))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isHost = bracketed === undefined ? bare !== undefined : isIPv6(bracketed);
  if (isHost && Number(port) >= 1 && Number(port) <= 65_535) return text;
  throw unfit(`${JSON.stringify(text)} is not a host: write shop.example or shop.example:8080`);
}

/** A name that may be asked for by SNI. @throws RotaError `ERR_ROTA_DECLARATION`, `ERR_ROTA_NAME` */
export function parseServername(text: string): string {
  // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"."
  if (isIP(text) > 0) throw unfit(`"${text}" is an address, and TLS asks for names: write one`);
  if (!/^[\w.-]+$/.test(text)) throw unfit(`${JSON.stringify(text)} is not a name: write shop.example`);
  parsePrefix(text);
  return text;
}

/** `204` or `200-299`. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseStatus(text: string): StatusRange {
  const [, from, to = from] = /^(\d{3})(?:-(\d{3}))?$/.exec(text) ?? [];
  const range = { from: Number(from), to: Number(to) };
  if (range.from >= MIN_STATUS && range.from <= range.to && range.to <= MAX_STATUS) return range;
  throw unfit(
    `${show(text)} is not a status: write 200, a range as "200-299", or a list as [200, "300-399"], from ${MIN_STATUS} to ${MAX_STATUS}`,
  );
}

/** The name of a DNS response code, in upper case. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseRcode(text: string): string {
  const rcode = text.toUpperCase();
  if (RCODES.includes(rcode)) return rcode;
  throw unfit(
    `${JSON.stringify(text)} is not a response code: ${suggest(rcode, FOLDED_RCODES, `write ${listOf(RCODES, "or")}`)}`,
  );
}

/** What must be among answers; an address as it will be printed, whichever way it is written. */
export function foldAnswer(text: string): string {
  return isIP(text) > 0 && !text.includes("%") ? formatAddress(parseAddress(text)) : text;
}

/** Program and arguments. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseCommand(words: readonly string[]): ExecProbe["command"] {
  const [program = "", ...rest] = words;
  if (program === "") throw unfit(NO_PROGRAM);
  // execve(2) ends each at its first zero octet.
  if (words.some((word) => word.includes("\0"))) throw unfit("has a zero octet in it: no command can");
  return [program, ...rest];
}

/** What a shell is to do; Docker runs it by `/bin/sh -c`, too. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseShellText(text: string): ExecProbe["command"] {
  if (text.trim() === "") throw unfit("is empty: write a command");
  return parseCommand(["/bin/sh", "-c", text]);
}

/**
 * Compose's `test` as a list, whose first word says what the others are.
 *
 * Compose specification, services, healthcheck: "If it's a list, the first item must be either `NONE`, `CMD` or
 * `CMD-SHELL`."
 *
 * @throws RotaError `ERR_ROTA_DECLARATION`
 */
export function parseTest([kind, ...words]: readonly string[]): ExecProbe["command"] | "none" {
  if (kind === "NONE" && words.length === 0) return "none";
  if (kind === "CMD") return parseCommand(words);
  const [text, more] = words;
  if (kind === "CMD-SHELL" && text !== undefined && more === undefined) return parseShellText(text);
  throw unfit(NO_TEST);
}

function assertSendable(check: () => void, why: string): void {
  try {
    check();
  } catch (cause) {
    throw new RotaError("ERR_ROTA_DECLARATION", why, { cause });
  }
}

function unfit(message: string): RotaError {
  return new RotaError("ERR_ROTA_DECLARATION", message);
}
