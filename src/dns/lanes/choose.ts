import { availableParallelism } from "node:os";
import { isMainThread } from "node:worker_threads";
import { count } from "../../base/count.ts";
import { type Offer, openSystem, type System } from "./system.ts";

/** How many lanes are asked for. */
export type LanesWanted = "auto" | number;

/** Over it they only take turns on the processor's cores. */
export const MAX_LANES = 64;
/** What answers faster than any network brings questions. */
const MOST_BY_ITSELF = 4;

/** What answers over UDP. */
export type LanesChoice =
  | { readonly kind: "lanes"; readonly count: number; readonly system: System }
  | { readonly kind: "dgram"; readonly because: string };

/** As many as are asked for; by itself as many as leave the main thread a core, and one at least. */
export async function chooseLanes(
  wanted: LanesWanted,
  open: () => Promise<Offer> = openSystem,
): Promise<LanesChoice> {
  if (wanted === 0) return { kind: "dgram", because: "lanes is 0" };
  // Who ends a thread runs no code in it: what that one opened by system calls would stay open.
  if (!isMainThread) return { kind: "dgram", because: "this is not the main thread" };
  const offer = await open();
  if (offer.kind === "missing") return { kind: "dgram", because: offer.because };
  const free = Math.max(1, Math.min(MOST_BY_ITSELF, availableParallelism() - 1));
  return { kind: "lanes", count: wanted === "auto" ? free : wanted, system: offer.system };
}

/** Which of them it is, to be read. */
export function formatLanes(choice: LanesChoice): string {
  return choice.kind === "lanes" ? count(choice.count, "lane") : `node:dgram, because ${choice.because}`;
}
