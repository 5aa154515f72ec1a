/** A number of 32 bits for a text, the same in every process: FNV-1a, mixed, as its high bits hardly tell the last letters. */
export function hashOf(text: string): number {
  return mix(fnvOf(text));
}

/** FNV-1a of 32 bits. */
export function fnvOf(text: string): number {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return hash >>> 0;
}

/** MurmurHash3's finalizer: each bit of what comes in changes half of those that go out. */
export function mix(number: number): number {
  let mixed = number;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
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
