import { createForwardTally, type ForwardCounters } from "./forward/counters.ts";

/** What a query came over. */
export type Transport = "udp" | "tcp";

/** What the server has done since it started. */
export interface Counters {
  readonly queries: Readonly<Record<Transport, number>>;
  /** By the number of the rcode (RFC 6895 section 2.3). */
  readonly replies: ReadonlyMap<number, number>;
  /** Datagrams and messages that got no reply: answers, and what has no header. */
  readonly ignored: number;
  /** Datagrams dropped and connections closed, as no good PROXY header came where one must. */
  readonly unproxied: number;
  /** Replies that said by TC that they are not whole. */
  readonly truncated: number;
  /** Replies that the system would not send, as to port 0. */
  readonly unsent: number;
  /** Defects of Rota itself: each is in the log, and was answered by SERVFAIL. */
  readonly defects: number;
  readonly connections: Readonly<ConnectionCounters>;
  readonly forward: Readonly<ForwardCounters>;
}

/** TCP connections. */
export interface ConnectionCounters {
  /** How many there are now; the others count up from the start. */
  open: number;
  total: number;
  /** Closed to make way for another, as there were too many. */
  evicted: number;
  /** Closed for asking nothing for too long. */
  expired: number;
  /** How often one was not read further, as its client did not read its replies, or as too many of its queries wait. */
  paused: number;
}

/** The counters as those who count hold them. */
export interface Tally extends Counters {
  readonly queries: Record<Transport, number>;
  readonly replies: Map<number, number>;
  ignored: number;
  unproxied: number;
  truncated: number;
  unsent: number;
  defects: number;
  readonly connections: ConnectionCounters;
  readonly forward: ForwardCounters;
}

export function createTally(): Tally {
  return {
    queries: { udp: 0, tcp: 0 },
    replies: new Map(),
    ignored: 0,
    unproxied: 0,
    truncated: 0,
    unsent: 0,
    defects: 0,
    connections: { open: 0, total: 0, evicted: 0, expired: 0, paused: 0 },
    forward: createForwardTally(),
  };
}
