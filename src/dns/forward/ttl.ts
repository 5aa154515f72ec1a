import type { Place } from "../../wire/layout.ts";
import { RCODE } from "../../wire/message.ts";
import { quadAt } from "../../wire/octet-reader.ts";
import { TYPE } from "../../wire/record.ts";

/**
 * The longest that anything is kept. RFC 8767 section 4 recommends a week at most, and that a TTL with its highest bit
 * set be a large one, not 0; a day is what unbound has.
 */
export const MAX_TTL_SECONDS = 86_400;
/** RFC 2308 section 5: "values of one to three hours have been found to work well". */
export const MAX_NEGATIVE_TTL_SECONDS = 3 * 3600;

/** RFC 1035 section 3.3.13: two names, of an octet at least, and five numbers of four. */
const MIN_SOA_OCTETS = 22;

/** Of what kind an answer is, as far as it decides how long it is kept. */
export type Tenor = "positive" | "negative";

/**
 * What a reply of NOERROR or NXDOMAIN says to a question for `type`; undefined: nothing that could be kept.
 *
 * A name that is an alias may still have nothing at its end: the answers then are its CNAMEs alone (RFC 2308
 * section 2.2). Without an SOA nobody has said for how long that holds, and "SHOULD NOT be cached" (section 5).
 */
export function tenorOf(rcode: number, type: number, records: readonly Place[]): Tenor | undefined {
  const answers = records.filter(({ section }) => section === "answer");
  const isAnswered = answers.some((answer) => answer.type === type || type === TYPE.ANY);
  if (rcode === RCODE.NOERROR && isAnswered) return "positive";
  return records.some(isDenial) ? "negative" : undefined;
}

/** Seconds for which a record may be kept; 0: not at all. OPT's TTL is none: not for OPT. */
export function ttlOf(octets: Uint8Array, place: Place, tenor: Tenor): number {
  const ttl = Math.min(quadAt(octets, place.ttlAt), MAX_TTL_SECONDS);
  if (tenor === "positive" || !isDenial(place)) return ttl;
  if (place.end - place.rdataAt < MIN_SOA_OCTETS) return 0; // it says nothing that could be true
  // RFC 2308 section 5: "the minimum of the SOA.MINIMUM field and SOA's TTL"; MINIMUM is the last of the RDATA.
  return Math.min(ttl, quadAt(octets, place.end - 4), MAX_NEGATIVE_TTL_SECONDS);
}

/** An SOA that says for how long there is nothing. */
function isDenial({ section, type }: Place): boolean {
  return section === "authority" && type === TYPE.SOA;
}
