/** When one check's probes are due: at equal steps from a moment of its own, each a little off at random. */
export interface Grid {
  /** The step; 0: no moment has been chosen yet. */
  readonly intervalMs: number;
  /** Where the grid's last point was, without what it was off by. */
  readonly pointMs: number;
}

export interface NextPoint {
  readonly grid: Grid;
  readonly dueMs: number;
  /** Points that had passed by. */
  readonly missed: number;
}

/** On no grid yet: its first probe is due when it begins. */
export const NO_GRID: Grid = { intervalMs: 0, pointMs: 0 };

/** How far off a point a probe may be, either way, in intervals. */
const JITTER = 0.1;

/**
 * The point after now. Counting from point to point and not from probe to probe, the probes of hours are as many
 * as they should be. With a new interval the grid begins anew, half to one and a half intervals from now: what
 * began together goes apart.
 */
export function nextPoint(grid: Grid, intervalMs: number, nowMs: number, random: () => number): NextPoint {
  if (grid.intervalMs !== intervalMs) {
    const pointMs = nowMs + intervalMs * (0.5 + random());
    return { grid: { intervalMs, pointMs }, dueMs: pointMs, missed: 0 };
  }
  const missed = Math.max(0, Math.floor((nowMs - grid.pointMs) / intervalMs));
  const pointMs = grid.pointMs + (missed + 1) * intervalMs;
  const dueMs = Math.max(nowMs, pointMs + intervalMs * JITTER * (2 * random() - 1));
  return { grid: { intervalMs, pointMs }, dueMs, missed };
}
