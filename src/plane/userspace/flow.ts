/** What goes on between one client and one task. */
export interface Flow {
  /** Ends it at once, so that both sides hear of it. */
  end(): void;
}

/** One TCP connection of a client, and that to its task. */
export interface TcpFlow extends Flow {
  /** Tries another task, as this one does not answer. */
  giveUp(): void;
  /** Has the kernel find out whether both are still there, once they have been silent for so long. */
  keepAlive(ms: number): void;
}
