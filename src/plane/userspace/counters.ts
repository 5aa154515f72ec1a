/** What the plane has carried since it came, and what it carries now. */
export interface UserspaceCounters {
  /** TCP connections of clients. */
  readonly connections: Counted;
  /** UDP flows. */
  readonly flows: Counted;
  /** Clients that were reset as there were too many connections. */
  readonly refused: number;
  /** UDP flows that were ended early as there were too many. */
  readonly evicted: number;
  /** Clients whose task was forgotten early as there were too many. */
  readonly forgotten: number;
  /** Tasks that could not be reached, once a try. */
  readonly failures: number;
  /** Flows that were tried on another task after that. */
  readonly retries: number;
  /** Flows that no task took. */
  readonly unserved: number;
  /** Datagrams that could not be sent on. */
  readonly dropped: number;
  /** Octets that clients sent to tasks. */
  readonly octetsUp: number;
  /** Octets that tasks sent to clients. */
  readonly octetsDown: number;
}

export interface Counted {
  readonly total: number;
  readonly open: number;
}

/** The counters as the plane holds them. */
export interface Tally extends UserspaceCounters {
  readonly connections: { total: number; open: number };
  readonly flows: { total: number; open: number };
  refused: number;
  evicted: number;
  forgotten: number;
  failures: number;
  retries: number;
  unserved: number;
  dropped: number;
  octetsUp: number;
  octetsDown: number;
}

/** The counters for people, in the order in which they matter. */
export function countsOf(counters: UserspaceCounters): ReadonlyMap<string, number> {
  const { connections, flows } = counters;
  return new Map([
    ["connections", connections.total],
    ["connections open", connections.open],
    ["UDP flows", flows.total],
    ["UDP flows open", flows.open],
    ["connections over the limit", counters.refused],
    ["UDP flows over the limit", counters.evicted],
    ["clients over the limit", counters.forgotten],
    ["tries in vain", counters.failures],
    ["other tries", counters.retries],
    ["without a task", counters.unserved],
    ["datagrams lost", counters.dropped],
    ["octets to tasks", counters.octetsUp],
    ["octets to clients", counters.octetsDown],
  ]);
}

export function createTally(): Tally {
  return {
    connections: { total: 0, open: 0 },
    flows: { total: 0, open: 0 },
    refused: 0,
    evicted: 0,
    forgotten: 0,
    failures: 0,
    retries: 0,
    unserved: 0,
    dropped: 0,
    octetsUp: 0,
    octetsDown: 0,
  };
}
