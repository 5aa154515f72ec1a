// FNV-1a of 32 bits, octet by octet: what is hashed here as text is hashed elsewhere as it came from the network.

export const FNV_START = 0x811c_9dc5;

export function fnvOn(hash: number, octet: number): number {
  return Math.imul(hash ^ octet, 0x0100_0193);
}

/** @param start the hash of what stands in front of the text; by default nothing */
export function fnvOf(text: string, start: number = FNV_START): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = fnvOn(hash, text.charCodeAt(at));
  return hash;
}

/** MurmurHash3's finalizer: each bit of what comes in changes half of those that go out. From 0 up. */
export function mix(number: number): number {
  let mixed = number;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
