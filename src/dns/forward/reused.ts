/** A connection that is opened when it is needed, and used again until it is let go of. */
export interface Reused<Connection> {
  readonly current: Connection | undefined;
  /**
   * Asks on the one that is kept; and once more on a new one where that one was closed just when it was used, as the
   * other side does with idle ones (RFC 7766 section 6.2.4).
   *
   * @throws what `ask` throws
   */
  use<T>(ask: (connection: Connection) => Promise<T>, signal: AbortSignal): Promise<T>;
  letGo(connection: Connection): void;
}

interface Closable {
  /** Whether it ever brought a reply: one that did not was no good from the beginning. */
  readonly hasReplied: boolean;
}

export function createReused<Connection extends Closable>(open: () => Connection): Reused<Connection> {
  let current: Connection | undefined;

  return {
    get current() {
      return current;
    },
    async use(ask, signal) {
      const kept = current;
      try {
        return await ask((current ??= open()));
      } catch (error) {
        if (signal.aborted || !kept?.hasReplied || current === kept) throw error;
      }
      return ask((current ??= open()));
    },
    letGo(connection) {
      if (current === connection) current = undefined;
    },
  };
}
