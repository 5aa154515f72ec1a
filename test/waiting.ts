/** Waits for what others tell of, without asking again and again. */
export interface Waiting {
  /** Resolves with what `find` finds: now, or after a {@link Waiting.wake}. */
  until<T>(find: () => T | undefined): Promise<T>;
  /** To be called when something has changed. */
  wake(): void;
}

export function createWaiting(): Waiting {
  const waiting = new Set<() => void>();
  return {
    until: (find) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = find();
          if (found === undefined) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
      }),
    wake() {
      for (const look of waiting) look();
    },
  };
}
