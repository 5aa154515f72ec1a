/**
 * What was opened together and is closed together, last first.
 *
 * Node 20 lacks `AsyncDisposableStack`; this is the part of it that Rota needs. Open into a scope declared
 * with `await using`, and `move()` it out once everything stands: a step that throws closes the earlier ones.
 */
export interface Scope extends AsyncDisposable {
  /** Closes `resource` with the scope, and gives it back. */
  use<T extends AsyncDisposable>(resource: T): T;
  /** Runs `close` with the scope. */
  defer(close: () => void | Promise<void>): void;
  /** A scope that now holds all of this one's; this one is left empty. */
  move(): Scope;
}

export function createScope(closers: (() => void | Promise<void>)[] = []): Scope {
  let held = closers;

  return {
    use(resource) {
      held.push(async () => resource[Symbol.asyncDispose]());
      return resource;
    },
    defer(close) {
      held.push(close);
    },
    move() {
      const moved = createScope(held);
      held = [];
      return moved;
    },
    async [Symbol.asyncDispose]() {
      const closing = held.toReversed();
      held = [];
      const failures: unknown[] = [];
      for (const close of closing) {
        try {
          await close();
        } catch (error) {
          failures.push(error); // the others are closed all the same
        }
      }
      if (failures.length === 1) throw failures[0];
      if (failures.length > 1)
        throw new AggregateError(failures, `${failures.length} parts could not be closed`);
    },
  };
}
