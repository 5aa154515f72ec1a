/** Does the steps of something long in turns of the event loop, so that others have theirs between. */
export async function inTurns<Step, Result>(
  steps: Generator<Step, Result, void>,
  take: (step: Step) => void = () => {},
): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    take(value);
    await new Promise(setImmediate);
  }
}
