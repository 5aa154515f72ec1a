/**
 * Lets `run` have one state at a time. While one is under way the last that was asked for waits, in the place of
 * any before it, and whoever asked for one of those gets what comes of it.
 */
export function createLatest<State, Result>(
  run: (state: State) => Promise<Result>,
): (state: State) => Promise<Result> {
  let running: Promise<unknown> | undefined;
  let waiting: { state: State; readonly result: Promise<Result> } | undefined;

  return (state) => {
    if (waiting) {
      waiting.state = state;
      return waiting.result;
    }
    if (!running) return start(state);
    const next = { state, result: running.then(() => startNext()) };
    const startNext = (): Promise<Result> => {
      waiting = undefined;
      return start(next.state);
    };
    waiting = next;
    return next.result;
  };

  function start(state: State): Promise<Result> {
    const result = run(state);
    // What it failed with is told to whoever asked; for the next it is only over.
    const over = result.then(end, end);
    running = over;
    return result;

    function end(): void {
      if (running === over) running = undefined;
    }
  }
}
