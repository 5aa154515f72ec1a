/**
 * Waits until two looks in a row find the same, and answers with it: what is being written may look whole
 * halfway.
 */
export async function settle(look: () => Promise<string>, wait: () => Promise<void>): Promise<string> {
  let before = await look();
  for (;;) {
    await wait();
    const after = await look();
    if (after === before) return after;
    before = after;
  }
}
