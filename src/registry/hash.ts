// FNV-1a, octet by octet: what is hashed here as text is hashed in other threads as it came from the network.

export const HASH_START = 0x811c9dc5;

export function hashOn(hash: number, octet: number): number {
  return Math.imul(hash ^ octet, 0x01000193);
}

/** @param start the hash of what stands in front of the text; by default nothing */
export function hashOf(text: string, start: number = HASH_START): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = hashOn(hash, text.charCodeAt(at));
  return hash;
}

/** Spreads a hash over its lower bits, as a number from 0 up. */
export function hashEnd(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}
