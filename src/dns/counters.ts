import { COUNT, RCODES } from "./lanes/words.ts";
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
  readonly lanes: LaneCounters;
}

/** Threads that answer over UDP. */
export interface LaneCounters {
  /** How many there are; 0: the main thread does it. */
  readonly count: number;
  /** How many died and had another take their place. */
  readonly replaced: number;
  /** Queries that the main thread answered for them. */
  readonly detours: number;
  /** Queries that were dropped, as too many waited for the main thread. */
  readonly dropped: number;
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

/** The counters as those who count hold them; {@link countersOf} shows them. */
export interface Tally extends Omit<Counters, "lanes"> {
  readonly queries: Record<Transport, number>;
  readonly replies: Map<number, number>;
  ignored: number;
  unproxied: number;
  truncated: number;
  unsent: number;
  defects: number;
  readonly connections: ConnectionCounters;
  readonly forward: ForwardCounters;
  readonly lanes: LaneTally;
}

/** What the main thread counts of lanes, and what each counts itself, by {@link COUNT}. */
export interface LaneTally {
  replaced: number;
  readonly counts: Float64Array[];
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
    lanes: { replaced: 0, counts: [] },
  };
}

/** Counts a query with its reply's rcode. */
export function countReply({ queries, replies }: Tally, transport: Transport, rcode: number): void {
  queries[transport] += 1;
  replies.set(rcode, (replies.get(rcode) ?? 0) + 1);
}

/** What all threads have counted, by the time that a field is read. */
export function countersOf(tally: Tally): Counters {
  const sum = (what: number): number =>
    tally.lanes.counts.reduce((sum, counts) => sum + (counts[what] ?? 0), 0);
  const replies = (): Map<number, number> => {
    const all = new Map(tally.replies);
    for (let rcode = 0; rcode < RCODES; rcode++) {
      const given = sum(COUNT.replies + rcode);
      if (given > 0) all.set(rcode, (all.get(rcode) ?? 0) + given);
    }
    return all;
  };
  const given = (): number =>
    Array.from({ length: RCODES }, (_, rcode) => sum(COUNT.replies + rcode)).reduce(
      (sum, each) => sum + each,
    );
  return {
    get queries() {
      return { udp: tally.queries.udp + given(), tcp: tally.queries.tcp };
    },
    get replies() {
      return replies();
    },
    get ignored() {
      return tally.ignored + sum(COUNT.ignored);
    },
    get unproxied() {
      return tally.unproxied;
    },
    get truncated() {
      return tally.truncated + sum(COUNT.truncated);
    },
    get unsent() {
      return tally.unsent + sum(COUNT.unsent);
    },
    get defects() {
      return tally.defects;
    },
    connections: tally.connections,
    forward: tally.forward,
    get lanes() {
      const { replaced, counts } = tally.lanes;
      return { count: counts.length, replaced, detours: sum(COUNT.detours), dropped: sum(COUNT.dropped) };
    },
  };
}
