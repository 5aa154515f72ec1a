import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";
import { formatName } from "../model/name.ts";
import { exchangeHttps, exchangeTcp, exchangeUdp, MAX_MESSAGE_OCTETS } from "./exchange.ts";
import { isTruncated, mismatchOf } from "./match.ts";
import { chooseId, type Question, writeQuery } from "./query.ts";
import { type Message, readReply } from "./reply.ts";
import { formatServer, type Server } from "./server.ts";

export interface AskOptions {
  /**
   * For everything together, a second try over TCP included.
   * @default 2000
   */
  readonly timeoutMs?: number;
  /** @default true */
  readonly recursionDesired?: boolean;
  /**
   * What to do with an answer over UDP that is truncated: ask again over TCP, or take what there is.
   * @default "retry"
   */
  readonly truncated?: "retry" | "keep";
  /**
   * What an answer may have: a larger one is refused before it is read.
   * @default 65535
   */
  readonly maxOctets?: number;
}

/** A server's answer: plain values, fit for JSON. */
export interface Reply extends Message {
  /** Who answered, as `udp://127.0.0.1:5300`. */
  readonly server: string;
  readonly transport: Server["transport"];
  /** Whether this came over TCP after a truncated answer over UDP. */
  readonly isRetried: boolean;
  /** From the question to the whole answer, a second try included. */
  readonly elapsedMs: number;
  /** The size of the message. */
  readonly octets: number;
}

/** Datagrams that came and are not the reply: a count, since anybody can send any number. */
interface Strays {
  count: number;
  /** Why the last one is not. */
  last: string;
}

const DEFAULT_TIMEOUT_MS = 2000;
/** Node fires a longer timer at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const IS_IT_RUNNING = "is rota serve running there?";

/**
 * Asks one server one question, once, and leaves nothing open behind. An error rcode is an answer.
 *
 * A datagram that does not answer this very question is ignored (RFC 5452 section 9.1); over TCP and HTTPS,
 * where only the server itself can send one, it is a failure.
 *
 * @throws RotaError `ERR_ROTA_ASK`: nobody there, no answer in time, or one that is too large or cannot be read.
 * @throws the signal's reason, when it aborts.
 */
export async function ask(
  question: Question,
  server: Server,
  options: AskOptions,
  signal: AbortSignal,
): Promise<Reply> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, recursionDesired = true, truncated = "retry" } = options;
  const { maxOctets = MAX_MESSAGE_OCTETS } = options;
  signal.throwIfAborted();
  // RFC 8484 section 4.1: "clients SHOULD use a DNS ID of 0", as HTTP itself tells answers apart.
  const id = server.transport === "https" ? 0 : chooseId();
  const query = writeQuery(question, id, recursionDesired ? 1 : 0);
  const ending = new AbortController();
  const end = (): void => ending.abort();
  const timer = setTimeout(end, Math.min(timeoutMs, LONGEST_TIMER_MS));
  signal.addEventListener("abort", end, { once: true });
  const started = performance.now();
  const strays: Strays = { count: 0, last: "" };
  let asked = server;
  try {
    let octets = await exchange(query, asked, strays, ending.signal);
    if (asked.transport === "udp" && truncated === "retry" && isTruncated(octets)) {
      asked = { ...asked, transport: "tcp" };
      octets = await exchange(query, asked, strays, ending.signal);
    }
    if (octets.length > maxOctets) throw tooLarge(octets.length, maxOctets);
    const elapsedMs = performance.now() - started;
    return {
      ...readReply(octets),
      server: formatServer(asked),
      transport: asked.transport,
      isRetried: asked !== server,
      elapsedMs,
      octets: octets.length,
    };
  } catch (cause) {
    signal.throwIfAborted();
    const why = ending.signal.aborted ? silence(timeoutMs, strays) : reasonOf(cause);
    const retried = asked === server ? "" : " (its answer over UDP was truncated)";
    throw new RotaError(
      "ERR_ROTA_ASK",
      `could not ask ${formatServer(asked)} for ${formatName(question.name)}${retried}: ${why}`,
      { cause },
    );
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}

/** The octets of the reply; what came over UDP and is not it is told to `strays`. */
async function exchange(query: Buffer, server: Server, strays: Strays, signal: AbortSignal): Promise<Buffer> {
  if (server.transport === "udp") {
    const isReply = (datagram: Buffer): boolean => {
      const stray = mismatchOf(datagram, query);
      if (stray === undefined) return true;
      strays.count++;
      strays.last = stray;
      return false;
    };
    return exchangeUdp(query, server, isReply, signal);
  }
  const message = await (server.transport === "https"
    ? exchangeHttps(query, server, signal)
    : exchangeTcp(query, server, signal));
  const mismatch = mismatchOf(message, query);
  if (mismatch !== undefined) {
    throw new RotaError("ERR_ROTA_ASK", `what it answered is not the answer to this question: ${mismatch}`);
  }
  return message;
}

function silence(timeoutMs: number, strays: Readonly<Strays>): string {
  const time = timeoutMs < 1000 ? `${timeoutMs} ms` : `${timeoutMs / 1000} s`;
  if (strays.count === 0) return `no answer in ${time}; ${IS_IT_RUNNING}`;
  const datagrams = strays.count === 1 ? "a datagram" : `${strays.count} datagrams`;
  return `no answer in ${time}; ${datagrams} came that did not answer this question: ${strays.last}`;
}

function tooLarge(octets: number, maxOctets: number): RotaError {
  return new RotaError("ERR_ROTA_ASK", `its answer has ${octets} octets, over ${maxOctets}`);
}

function reasonOf(cause: unknown): string {
  const code = systemCodeOf(cause);
  if (code === "ECONNREFUSED") return `connection refused; ${IS_IT_RUNNING}`;
  if (code === "ECONNRESET") return "the connection was reset before the answer was whole";
  return messageOf(cause);
}
