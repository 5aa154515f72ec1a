import TinyQueue from "tinyqueue";
import type { Clock } from "../base/clock.ts";
import type { Timers } from "../base/timers.ts";
import type { StallWatch } from "./stall.ts";

/** Something to be done once, at a time. */
export interface Due {
  /** By the monotonic clock. Not to be changed while it is in a schedule. */
  dueMs: number;
  /** Whether nobody wants it any more. */
  readonly isGone: boolean;
}

/** What is to be done when, with one timer for all. */
export interface Schedule<T extends Due> {
  add(item: T): void;
  /** To be told of an item in it that is gone now: it is let go of when its time comes, or when many are. */
  leave(): void;
}

export interface ScheduleOptions<T> {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly stalls: StallWatch;
  /** Is given what is due; it may add it again. */
  readonly due: (item: T, nowMs: number) => void;
  /** Is called each time the schedule comes round, and says when it wants to be at the latest; Infinity: with the next item. */
  readonly tick: (nowMs: number) => number;
}

/** So many at a time: a minute's stop makes fifty thousand due at once, and queries wait meanwhile. */
const MAX_DUE_AT_ONCE = 1000;
/** Between two of its rounds: fifty thousand checks in ten seconds would bring one every millisecond. */
const REST_MS = 10;
/** Fewer are not worth looking for among those that are not gone. */
const MIN_SWEPT = 1000;

export function createSchedule<T extends Due>(
  { clock, timers, stalls, due, tick }: ScheduleOptions<T>,
  signal: AbortSignal,
): Schedule<T> {
  let items = new TinyQueue<T>([], earlier);
  let gone = 0;
  let wakesMs = Infinity;
  let disarm: (() => void) | undefined;
  signal.addEventListener("abort", () => disarm?.(), { once: true });

  return {
    add(item) {
      items.push(item);
      if (wakesMs === Infinity) arm(clock.monotonic()); // it has slept, and does not know when it wants to be
      else if (item.dueMs < wakesMs) arm(item.dueMs);
    },
    leave() {
      gone += 1;
      if (gone < MIN_SWEPT || gone * 2 < items.length) return;
      items = new TinyQueue(
        items.data.filter(({ isGone }) => !isGone),
        earlier,
      );
      gone = 0;
    },
  };

  function wake(): void {
    const now = clock.monotonic();
    stalls.look(now);
    wakesMs = -Infinity; // what is added now needs no timer of its own
    for (let left = MAX_DUE_AT_ONCE; left > 0; left--) {
      const first = items.peek();
      if (!first || first.dueMs > now) break;
      items.pop();
      if (first.isGone) gone -= 1;
      else due(first, now);
    }
    const nextMs = Math.min(tick(now), items.peek()?.dueMs ?? Infinity);
    arm(Math.max(nextMs, now + REST_MS));
  }

  function arm(atMs: number): void {
    disarm?.();
    if (signal.aborted) return;
    wakesMs = atMs;
    stalls.expect(atMs);
    if (atMs === Infinity) return;
    // Timers count whole milliseconds: rounded down, one would fire before its time, for nothing.
    disarm = timers.after(Math.max(0, Math.ceil(atMs - clock.monotonic())), wake);
  }
}

function earlier(one: Due, other: Due): number {
  return one.dueMs - other.dueMs;
}
