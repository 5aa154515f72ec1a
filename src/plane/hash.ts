import { fnvOf, mix } from "../base/hash.ts";

/** A number of 32 bits for a text, the same in every process: FNV-1a, mixed, as its high bits hardly tell the last letters. */
export function hashOf(text: string): number {
  return mix(fnvOf(text));
}

/**
 * What somebody draws with a number of 32 bits, where the highest counts: of many, each has it with a probability of its
 * weight by the sum of weights, and who comes or goes moves only what it gets or had.
 *
 * -weight / ln(u) of a uniform u: Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005, the
 * logarithmic method.
 */
export function drawOf(number: number, weight: number): number {
  return -weight / Math.log((number + 0.5) / 2 ** 32);
}
