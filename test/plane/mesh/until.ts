import { setTimeout } from "node:timers/promises";

/** Resolves when it is so: for what nobody tells of, as what a kernel has. */
export async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(20);
}
