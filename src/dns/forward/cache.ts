import { LRUCache } from "lru-cache";
import type { Clock } from "../../base/clock.ts";
import type { Query } from "../../wire/message.ts";
import { costOfAnswer, costOfFailure } from "./cost.ts";
import { type Entry, isFresh, isStale, isWorthPrefetching, newEntry } from "./entry.ts";
import { type Failure, failAgain, isFailing, isStaleGood } from "./failures.ts";
import { type Kept, readGain } from "./kept.ts";
import { tailorFailure, tailorFresh, tailorStale } from "./tailor.ts";

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
   * The reply must not depend on what one client alone wrote, as RD or options in its OPT: others get it too.
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

export interface ForwardCacheOptions {
  /** How much memory it may take, its own keeping of books included; 0: nothing is kept. */
  readonly maxOctets: number;
  readonly clock: Clock;
}

/** No answer takes more than this share, so that a few large ones cannot displace all others. */
const LARGEST_SHARE = 1 / 16;
/** Failures have room of their own: the many names that a broken zone can have displace no answer. */
const FAILURES_SHARE = 1 / 16;

export function createForwardCache({ maxOctets, clock }: ForwardCacheOptions): ForwardCache {
  const counted = { hits: 0, misses: 0, stale: 0, failures: 0, prefetches: 0, evictions: 0 };
  const countEviction = (_: unknown, __: string, reason: LRUCache.DisposeReason): void => {
    if (reason === "evict") counted.evictions += 1;
  };
  const answers = new LRUCache<string, Entry>({
    maxSize: octetsOf(1 - FAILURES_SHARE),
    maxEntrySize: octetsOf(LARGEST_SHARE),
    sizeCalculation: ({ kept }, key) => costOfAnswer(key, kept),
    dispose: countEviction,
  });
  const failures = new LRUCache<string, Failure>({
    maxSize: octetsOf(FAILURES_SHARE),
    sizeCalculation: (_, key) => costOfFailure(key),
    dispose: countEviction,
  });

  return {
    find(query) {
      const found = find(query, keyOf(query), clock.monotonic());
      if (!found) counted.misses += 1;
      return found;
    },
    findStale(query) {
      const entry = answers.get(keyOf(query));
      const now = clock.monotonic();
      if (!entry) return undefined;
      return isFresh(entry, now) ? freshReply(entry, query, now) : giveStale(entry, query, now);
    },
    keep(query, reply) {
      const gain = readGain(query.question, reply);
      switch (gain.kind) {
        case "answer":
          return keepAnswer(keyOf(query), gain.kept);
        case "failure":
          return keepFailure(query);
        case "nothing":
      }
    },
    keepFailure,
    clear() {
      answers.clear();
      failures.clear();
    },
    get counters() {
      const octets = answers.calculatedSize + failures.calculatedSize;
      return { ...counted, entries: answers.size, octets };
    },
  };

  function find(query: Query, key: string, now: number): Found | undefined {
    const entry = answers.get(key);
    if (entry && isFresh(entry, now)) return giveFresh(entry, query, now);
    const failure = failures.get(key);
    if (!failure) return undefined;
    const stale = entry && isStaleGood(failure, now) ? giveStale(entry, query, now) : undefined;
    if (stale) return { reply: stale, kind: "stale", wantsPrefetch: false };
    if (!isFailing(failure, now)) return undefined;
    counted.failures += 1;
    return { reply: tailorFailure(query), kind: "failure", wantsPrefetch: false };
  }

  function giveFresh(entry: Entry, query: Query, now: number): Found {
    counted.hits += 1;
    entry.hits += 1;
    const wantsPrefetch = isWorthPrefetching(entry, now);
    if (wantsPrefetch) {
      entry.wasPrefetched = true;
      counted.prefetches += 1;
    }
    return { reply: freshReply(entry, query, now), kind: "fresh", wantsPrefetch };
  }

  function giveStale(entry: Entry, query: Query, now: number): Uint8Array | undefined {
    if (!isStale(entry, now)) return undefined;
    counted.stale += 1;
    return tailorStale(entry.kept, query);
  }

  function keepAnswer(key: string, kept: Kept | undefined): void {
    failures.delete(key);
    // RFC 8767 section 5: any answer has "refreshed the data", so an older one is wrong even if this cannot be kept.
    answers.delete(key);
    if (kept) answers.set(key, newEntry(kept, clock.monotonic()));
  }

  function keepFailure(query: Query): void {
    const key = keyOf(query);
    failures.set(key, failAgain(failures.get(key), clock.monotonic()));
  }

  /** lru-cache takes no bound of 0. One octet is as good: nothing is so small. */
  function octetsOf(share: number): number {
    return Math.max(1, Math.floor(maxOctets * share));
  }
}

function freshReply({ kept, keptAt }: Entry, query: Query, now: number): Uint8Array {
  return tailorFresh(kept, query, Math.floor((now - keptAt) / 1000));
}

/** What an answer depends on, an octet a character. Who sets DO gets AD without asking (RFC 6840 section 5.7). */
function keyOf({ question, edns, authenticDataWanted, checkingDisabled }: Query): string {
  const { name, type, class: class_ } = question;
  const security = edns?.dnssecOk === true ? 2 : authenticDataWanted ? 1 : 0;
  const bits = (security << 1) | (checkingDisabled ? 1 : 0);
  const asked = String.fromCharCode(bits, type >> 8, type & 0xff, class_ >> 8, class_ & 0xff);
  // Not `asked + name`, which as a key would keep a rope of 32 octets beside the string.
  return [asked, name].join("");
}
