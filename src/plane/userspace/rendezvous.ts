import type { Candidate, Picker } from "./pick.ts";

/**
 * The same for one client as long as that one is there: each candidate draws a number for the client, and the
 * highest counts. Who comes or goes moves only the clients that it gets or had.
 *
 * Shares are by weight: -weight / ln(u) of a uniform u is highest with a probability of weight / sum of weights
 * (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005: the logarithmic method).
 */
export function createRendezvous<C extends Candidate>(): Picker<C> {
  let all: readonly { readonly candidate: C; readonly hash: number }[] = [];
  return {
    set(candidates) {
      all = candidates.map((candidate) => ({ candidate, hash: hashText(candidate.key) }));
    },
    pick(client, tried) {
      const of = hashText(client);
      let best: C | undefined;
      let highest = -Infinity;
      for (const { candidate, hash } of all) {
        if (tried.includes(candidate)) continue;
        const drawn = (mix(Math.imul(of, 0x9e37_79b1) ^ hash) + 0.5) / 2 ** 32;
        const score = -candidate.weight / Math.log(drawn);
        if (score <= highest) continue;
        best = candidate;
        highest = score;
      }
      return best;
    },
  };
}

/** FNV-1a of 32 bits, mixed: the last characters, in which addresses differ, would reach the high bits too little. */
function hashText(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return mix(hash);
}

/** MurmurHash3's finalizer: each bit of what comes in changes half of those that go out. */
function mix(number: number): number {
  let mixed = number;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
