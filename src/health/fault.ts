import { messageOf, systemCodeOf } from "../base/error.ts";
import { type Outcome, outcome } from "./outcome.ts";

/** What this side lacks: it tells nothing of the task. */
const OURS: ReadonlySet<string> = new Set([
  "EMFILE",
  "ENFILE",
  "ENOBUFS",
  "ENOMEM",
  "EAGAIN",
  "EADDRNOTAVAIL", // no port is left to call from, or no address of the family
  "ERR_ROTA_OPTION", // a file that the operator named cannot be used
]);

/** How people say it. */
const WORDS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset"],
  ["EPIPE", "connection closed"],
  ["EHOSTUNREACH", "no route to host"],
  ["ENETUNREACH", "network unreachable"],
  ["ETIMEDOUT", "connection timed out"],
  ["HPE_HEADER_OVERFLOW", "its headers have more than 16 KiB"],
]);

/** Those of Node's own making that share a code with others. */
const MESSAGES: ReadonlyMap<string, string> = new Map([
  ["aborted", "connection closed within its body"],
  ["socket hang up", "connection closed before an answer"],
  [
    "Client network socket disconnected before secure TLS connection was established",
    "connection closed while negotiating TLS",
  ],
]);

/** What came of an attempt that threw. */
export function outcomeOfThrown(thrown: unknown): Outcome {
  const code = systemCodeOf(thrown);
  // Node 24 goes on with what one could do with Node; here it is `tls.ca`.
  const message = messageOf(thrown).replace(/; if the root CA is installed locally.*$/s, "");
  if (code !== undefined && OURS.has(code)) return outcome("unknown", message);
  return outcome("fail", MESSAGES.get(message) ?? explain(thrown, code) ?? message);
}

function explain(thrown: unknown, code = ""): string | undefined {
  const words = WORDS.get(code);
  if (words !== undefined) return words;
  const reason = reasonOf(thrown);
  if (reason === undefined) return undefined;
  if (code.startsWith("HPE_")) return `it does not speak HTTP/1.1: ${reason}`;
  return code.startsWith("ERR_SSL_") || code === "EPROTO"
    ? `it does not speak TLS as it should: ${reason}`
    : undefined;
}

/** The words of Node's parser of HTTP or of OpenSSL, which stand beside the message or in the midst of it. */
function reasonOf(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error)) return undefined;
  if ("reason" in thrown && typeof thrown.reason === "string") return thrown.reason;
  return /:SSL routines:[^:]*:([^:]+):/.exec(thrown.message)?.[1];
}
