import { mix } from "../../base/hash.ts";
import { drawOf, hashOf } from "../hash.ts";
import type { Candidate, Picker } from "./pick.ts";

/**
 * The same for one client as long as that one is there: each candidate draws a number for the client, and the
 * highest counts.
 */
export function createRendezvous<C extends Candidate>(): Picker<C> {
  let all: readonly { readonly candidate: C; readonly hash: number }[] = [];
  return {
    set(candidates) {
      all = candidates.map((candidate) => ({ candidate, hash: hashOf(candidate.key) }));
    },
    pick(client, tried) {
      const of = hashOf(client);
      let best: C | undefined;
      let highest = -Infinity;
      for (const { candidate, hash } of all) {
        if (tried.includes(candidate)) continue;
        const score = drawOf(mix(Math.imul(of, 0x9e37_79b1) ^ hash), candidate.weight);
        if (score <= highest) continue;
        best = candidate;
        highest = score;
      }
      return best;
    },
  };
}
