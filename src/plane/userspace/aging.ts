import type { Clock } from "../../base/clock.ts";
import type { Timers } from "../../base/timers.ts";

/** Things in the order of their last sign of life, with one timer for all of them. */
export interface Aging<T> extends Disposable {
  readonly size: number;
  /** Takes it in, or puts it last again. */
  touch(item: T): void;
  delete(item: T): void;
  /** The one that has been silent for longest. */
  oldest(): T | undefined;
}

export interface AgingOptions<T> {
  /** Milliseconds of silence after which {@link AgingOptions.end} is called; 0: never. */
  readonly ms: number;
  /** Called once for each, when it is taken out already. */
  readonly end: (item: T) => void;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** A `Map` keeps the order in which keys came; as all may be silent equally long, that is also in which they end. */
export function createAging<T>({ ms, end, clock, timers }: AgingOptions<T>): Aging<T> {
  const seen = new Map<T, number>();
  let cancel: (() => void) | undefined;

  return {
    get size() {
      return seen.size;
    },
    touch(item) {
      seen.delete(item);
      seen.set(item, clock.monotonic());
      if (!cancel && ms > 0) cancel = timers.after(ms, sweep);
    },
    delete(item) {
      seen.delete(item);
    },
    oldest() {
      for (const item of seen.keys()) return item;
      return undefined;
    },
    [Symbol.dispose]() {
      cancel?.();
      cancel = undefined;
      seen.clear();
    },
  };

  function sweep(): void {
    cancel = undefined;
    for (const [item, at] of seen) {
      const left = at + ms - clock.monotonic();
      if (left > 0) {
        cancel ??= timers.after(Math.ceil(left), sweep);
        return;
      }
      seen.delete(item);
      end(item);
    }
  }
}
