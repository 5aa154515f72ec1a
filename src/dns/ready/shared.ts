import { type SharedPulse, sumOf } from "../../registry/pulse.ts";
import type { Grounds } from "./mail.ts";

/** Memory that all threads see, by which a book knows whether what it has still holds. Goes from thread to thread as it is. */
export type Shared = SharedPulse;

/** Whether what was read still reads the same. */
export function holds(shared: Shared, { cells, sum }: Grounds): boolean {
  return sumOf(shared, cells) === sum;
}
