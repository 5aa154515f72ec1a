import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../model/name.ts";
import { HEADER_OCTETS } from "./message.ts";

/** RFC 1035 section 4.1.3: type, class, TTL and RDLENGTH, which follow the owner's name. */
export const RECORD_FIXED_OCTETS = 10;
/** No place in a message. */
export const NOWHERE = -1;
/** RFC 1035 section 4.1.4: both bits set mark a pointer, one of them alone nothing that is in use. */
const POINTER_BITS = 0xc0;
/**
 * How many pointers a name may have. 255 octets hold 127 labels, so that more pointers lead straight to
 * pointers. Without this bound, 4,000 records that point at a chain of 8,000 make 64 KiB cost 32 million steps.
 */
const MAX_POINTERS = 127;

/** Where the octets after a name that has no pointer begin, or NOWHERE. */
export function skipLabels(octets: Uint8Array, start: number): number {
  const last = Math.min(octets.length, start + MAX_NAME_OCTETS);
  let at = start;
  while (at < last) {
    const length = octetAt(octets, at);
    if (length > MAX_LABEL_OCTETS) return NOWHERE;
    at += 1 + length;
    if (length === 0) return at;
  }
  return NOWHERE;
}

/**
 * Where the octets after a name that may be compressed begin, or NOWHERE.
 *
 * Each pointer must lead to before the name's beginning, and before where the last pointer led: RFC 1035
 * section 4.1.4 has it point at what came earlier. So none can loop.
 */
export function skipName(octets: Uint8Array, start: number): number {
  let at = start;
  let lowest = start;
  let end = NOWHERE;
  let pointers = 0;
  let size = 0;
  while (at < octets.length) {
    const length = octetAt(octets, at);
    if (length <= MAX_LABEL_OCTETS) {
      size += 1 + length;
      at += 1 + length;
      if (size > MAX_NAME_OCTETS) return NOWHERE;
      if (length > 0) continue;
      return end === NOWHERE ? at : end;
    }
    if (length < POINTER_BITS) return NOWHERE;
    if (pointers === 0) end = at + 2;
    pointers++;
    at = pairAt(octets, at) & 0x3fff;
    // The header is before everything, and no name.
    if (at >= lowest || at < HEADER_OCTETS || pointers > MAX_POINTERS) return NOWHERE;
    lowest = at;
  }
  return NOWHERE;
}

/** 0 for an octet that is missing: who reads on finds itself beyond the message's end and gives up. */
export function octetAt(octets: Uint8Array, at: number): number {
  return octets[at] ?? 0;
}

export function pairAt(octets: Uint8Array, at: number): number {
  return (octetAt(octets, at) << 8) | octetAt(octets, at + 1);
}

/** Four octets as a number up to 2³²-1. */
export function quadAt(octets: Uint8Array, at: number): number {
  return pairAt(octets, at) * 0x1_0000 + pairAt(octets, at + 2);
}
