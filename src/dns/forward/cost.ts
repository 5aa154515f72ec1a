import type { Kept } from "./kept.ts";

/**
 * What entries take in memory, the cache's own books included, as measured by filling one with thousands of them:
 * `test/dns/forward/cost.test.ts` holds these figures against the heap.
 */

/** An entry, what it holds but its strings, and what lru-cache has for it: a place in a map and in five arrays. */
const ANSWER_OCTETS = 295;
const FAILURE_OCTETS = 140;
/** A string's header on a 64-bit machine, and half of the eight octets that it is rounded up to. */
const STRING_OCTETS = 20;
/** A number in an array. */
const NUMBER_OCTETS = 8;

export function costOfAnswer(key: string, { records, ttlsAt }: Kept): number {
  return ANSWER_OCTETS + stringOctets(key) + stringOctets(records) + ttlsAt.length * NUMBER_OCTETS;
}

export function costOfFailure(key: string): number {
  return FAILURE_OCTETS + stringOctets(key);
}

/** Of a string with an octet a character. */
function stringOctets(text: string): number {
  return STRING_OCTETS + text.length;
}
