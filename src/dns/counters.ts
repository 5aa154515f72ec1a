import type { Rcode } from "../wire/message.ts";

export type Transport = "udp" | "tcp";

/** What the server has done since it started, to be read by anyone and written by `dns/` alone. */
export interface Counters {
  readonly queries: Record<Transport, number>;
  /** By the number of the rcode (RFC 6895 section 2.3). */
  readonly replies: Map<Rcode, number>;
  /** Datagrams and messages that got no reply: answers, and what has no header. */
  ignored: number;
  /** Replies that said by TC that they are not whole. */
  truncated: number;
  /** Replies that the system would not send, as to port 0. */
  unsent: number;
  /** Defects of Rota itself: each is in the log, and was answered by SERVFAIL. */
  defects: number;
  readonly connections: { open: number; total: number; evicted: number; expired: number; paused: number };
}

export function createCounters(): Counters {
  return {
    queries: { udp: 0, tcp: 0 },
    replies: new Map(),
    ignored: 0,
    truncated: 0,
    unsent: 0,
    defects: 0,
    connections: { open: 0, total: 0, evicted: 0, expired: 0, paused: 0 },
  };
}
