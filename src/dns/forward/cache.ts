import type { Query } from "../../wire/message.ts";

/**
 * What upstreams said, kept for as long as they said.
 *
 * An answer belongs to a question (name folded, type, class) together with the query's DO, CD and AD, which all
 * change what a resolver answers: clients that set them otherwise never get it. It is kept without its OPT, which
 * speaks for one hop only (RFC 6891 section 6.1.1), so clients with EDNS and without share it.
 *
 * A forwarder does, in this order:
 * 1. `find(query)`: send what it gives, and ask upstream behind it if `wantsPrefetch`; else ask upstream;
 * 2. upstream replies: `keep(query, reply)`, whatever it says; an answer (NOERROR, NXDOMAIN) goes to the client;
 * 3. upstream is late (1.8 s, RFC 8767 section 5): send what `findStale(query)` gives, if anything, and go on waiting;
 * 4. upstream says SERVFAIL or REFUSED, or nothing in time (`keepFailure(query)`): send `findStale(query)`, or fail.
 */
export interface ForwardCache {
  /** The reply to `query` if upstream need not be asked; undefined: ask. */
  find(query: Query): Found | undefined;
  /**
   * The reply to `query` from an answer whose time is over, with TTLs of 30 seconds and EDE 3 (19 for NXDOMAIN);
   * from a fresh one if it has become so; undefined: there is none.
   */
  findStale(query: Query): Uint8Array | undefined;
  /**
   * Takes what upstream replied to `query` once all upstreams worth asking were asked. Octets may be anything: what is
   * cut (TC), malformed, to another question, for one subnet only (RFC 7871), without a TTL or with none but 0 is not
   * kept; SERVFAIL and REFUSED count as {@link keepFailure}. Keeps no view of `reply`.
   *
   * The reply must not depend on what one client alone wrote, as options in its OPT: others get it too.
   */
  keep(query: Query, reply: Uint8Array): void;
  /**
   * Nobody could answer: for 1 s, then 2, 4, 5 and 5 again while it goes on so, `find` gives SERVFAIL, or the stale
   * answer for 30 s (RFC 9520 section 3.2, RFC 8767 section 5).
   */
  keepFailure(query: Query): void;
  /** Forgets all: upstreams have changed, and others may know other names. */
  clear(): void;
  readonly counters: CacheCounters;
}

/** A reply to send as it is: id, RD, CD, question and OPT are the query's. Only its size is not looked at. */
export interface Found {
  readonly reply: Uint8Array;
  /** `stale`, `failure`: upstream failed moments ago and is left alone for now. */
  readonly kind: "fresh" | "stale" | "failure";
  /**
   * It is asked for often and nearly over: ask upstream and {@link ForwardCache.keep} the reply. Said once for each
   * answer kept, so that a dead upstream is not asked by every client.
   */
  readonly wantsPrefetch: boolean;
}

export interface CacheCounters {
  /** Queries answered while the answer's time was not over. */
  readonly hits: number;
  /** Queries for which upstream had to be asked. */
  readonly misses: number;
  /** Queries answered by an answer whose time was over. */
  readonly stale: number;
  /** Queries answered by SERVFAIL since upstream had failed moments ago. */
  readonly failures: number;
  readonly prefetches: number;
  /** Answers and failures forgotten to make room for others. */
  readonly evictions: number;
  /** Answers kept now. */
  readonly entries: number;
  /** What the cache takes now, its own keeping of books included. */
  readonly octets: number;
}
