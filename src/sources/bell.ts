/** A bell that may ring any number of times before somebody hears it, and is then heard once. */
export interface Bell {
  ring(): void;
  /** Resolves with true once it has rung since it was last heard, with false when the signal aborts. */
  heard(): Promise<boolean>;
}

export function createBell(signal: AbortSignal): Bell {
  let isRung = false;
  let wake: (() => void) | undefined;
  signal.addEventListener("abort", () => wake?.(), { once: true });

  return {
    ring() {
      isRung = true;
      wake?.();
    },
    async heard() {
      if (!isRung && !signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      isRung = false;
      return !signal.aborted;
    },
  };
}
