/** What this process holds, garbage collected: it needs --expose-gc. */
export function memory() {
  globalThis.gc();
  globalThis.gc(); // what only the first one let go of
  return process.memoryUsage();
}
