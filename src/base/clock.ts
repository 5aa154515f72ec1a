/** Time as an option, so that a test can turn it by hand. */
export interface Clock {
  /** Milliseconds since 1970; jumps when somebody sets the system's clock. */
  now(): number;
  /** Milliseconds since some moment; never goes back, and stands still for nobody. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
