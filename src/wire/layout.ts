import { HEADER_OCTETS } from "./message.ts";
import { NOWHERE, octetAt, pairAt, RECORD_FIXED_OCTETS, skipLabels, skipName } from "./octet-reader.ts";

/** Where things lie in a message with one question. All that is told is within the message. */
export interface Layout {
  /** Where the octets after the question begin. */
  readonly questionEnd: number;
  /** All that are whole, up to the first that is not. */
  readonly records: readonly Place[];
  /** Whether these are all that the header promises, with nothing behind them. */
  readonly isWhole: boolean;
}

/** Where a record lies. */
export interface Place {
  readonly section: Section;
  readonly type: number;
  /** Where its owner's name begins. */
  readonly start: number;
  readonly ttlAt: number;
  readonly rdataAt: number;
  readonly end: number;
}

export type Section = "answer" | "authority" | "additional";

/** RFC 1035 section 4.1.1: where the header says how many records a section has. */
const SECTIONS: readonly (readonly [Section, countAt: number])[] = [
  ["answer", 6],
  ["authority", 8],
  ["additional", 10],
];

/**
 * Finds the records of a message, be it what it may: nothing makes it throw, and its work is bounded by the length.
 *
 * RDATA is not looked into. Undefined: it has no question or several, or ends within it.
 */
export function readLayout(octets: Uint8Array): Layout | undefined {
  if (octets.length < HEADER_OCTETS || pairAt(octets, 4) !== 1) return undefined;
  const nameEnd = skipLabels(octets, HEADER_OCTETS);
  const questionEnd = nameEnd + 4;
  if (nameEnd === NOWHERE || questionEnd > octets.length) return undefined;

  const records: Place[] = [];
  let at = questionEnd;
  for (const [section, countAt] of SECTIONS) {
    for (let left = pairAt(octets, countAt); left > 0; left--) {
      const place = placeOf(octets, at, section);
      if (place === undefined) return { questionEnd, records, isWhole: false };
      records.push(place);
      at = place.end;
    }
  }
  return { questionEnd, records, isWhole: at === octets.length };
}

/** The upper bits of the rcode stand in OPT, in the first octet of what is a TTL elsewhere (RFC 6891 section 6.1.3). */
export function rcodeOf(octets: Uint8Array, opt: Place | undefined): number {
  return ((opt ? octetAt(octets, opt.ttlAt) : 0) << 4) | (octetAt(octets, 3) & 0x0f);
}

function placeOf(octets: Uint8Array, start: number, section: Section): Place | undefined {
  const fixed = skipName(octets, start);
  const rdataAt = fixed + RECORD_FIXED_OCTETS;
  const end = rdataAt + pairAt(octets, fixed + 8);
  if (fixed === NOWHERE || end > octets.length) return undefined;
  return { section, type: pairAt(octets, fixed), start, ttlAt: fixed + 4, rdataAt, end };
}
