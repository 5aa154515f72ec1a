/** What forwarding has done since the start. */
export interface ForwardCounters {
  /** Queries of clients that wait for an upstream at this moment; the others count up from the start. */
  waiting: number;
  /** Questions that were sent to an upstream, the second try of one counted anew. */
  asked: number;
  /** Questions that were under way already when another client asked them. */
  joined: number;
  /** Questions that no upstream answered. */
  failed: number;
  /** Queries that were refused, as too many were waiting. */
  refused: number;
  /** How often an upstream was late, so that the next was asked besides. */
  late: number;
  /** Datagrams that came instead of a reply: of another id or question (RFC 5452 section 9.1). */
  strays: number;
  /** Replies that could not be read. */
  garbage: number;
  /** Replies that were asked for again over TCP, as they were cut. */
  retried: number;
  /** How often an upstream was found to lead back here. */
  loops: number;
}

export function createForwardTally(): ForwardCounters {
  return {
    waiting: 0,
    asked: 0,
    joined: 0,
    failed: 0,
    refused: 0,
    late: 0,
    strays: 0,
    garbage: 0,
    retried: 0,
    loops: 0,
  };
}
