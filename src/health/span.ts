/** A time for people: `3 ms`, `2 s`; what took less than a millisecond took one. */
export function formatSpan(ms: number): string {
  const whole = Math.max(1, Math.round(ms));
  return whole < 1000 ? `${whole} ms` : `${whole / 1000} s`;
}
