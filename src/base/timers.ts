/** Later, as an option, so that a test can bring it about by hand. */
export interface Timers {
  /** Calls once, in so many milliseconds, unless what it returns is called before. */
  after(ms: number, call: () => void): () => void;
  /** Calls once in the next turn of the event loop, when what had come in by then has been read. */
  soon(call: () => void): void;
}

export const systemTimers: Timers = {
  after(ms, call) {
    const timer = setTimeout(call, ms);
    return () => clearTimeout(timer);
  },
  soon: (call) => void setImmediate(call),
};
