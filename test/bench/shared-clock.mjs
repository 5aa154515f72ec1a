/** Microseconds by Linux's CLOCK_MONOTONIC, which is the same in all processes. */
export function clockUs() {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + nanoseconds / 1e3;
}
