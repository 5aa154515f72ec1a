import { type Layout, type Place, rcodeOf } from "../../wire/layout.ts";
import { OPTION } from "../../wire/message.ts";
import { octetAt, pairAt } from "../../wire/octet-reader.ts";
import { TYPE } from "../../wire/record.ts";

/** A reply without what concerns one hop alone: OPT, and what stands behind it. */
export interface Lasting {
  readonly rcode: number;
  readonly records: readonly Place[];
  /** Where the last of them ends. */
  readonly end: number;
  /** What upstream said besides (RFC 8914); of several the first. */
  readonly extendedError: number | undefined;
  /** RFC 7871: it is for clients of one subnet. */
  readonly isForSubnet: boolean;
}

/** TSIG (RFC 8945) and SIG (RFC 2931) sign a message for one hop, which it would no longer be. */
const SIGNATURES: ReadonlySet<number> = new Set([250, 24]);

interface Options {
  readonly extendedError: number | undefined;
  readonly isForSubnet: boolean;
}

/**
 * Undefined: it is signed, or its OPT is malformed.
 *
 * Nearly all have OPT last. What stands behind it goes with it: names there may point at one another, and additional
 * records are a favour (RFC 2181 section 9).
 */
export function readLasting(reply: Uint8Array, { records }: Layout): Lasting | undefined {
  if (records.some(isSignature)) return undefined;
  const index = records.findIndex(isOpt);
  const opt = records[index];
  if (opt === undefined) {
    return {
      rcode: rcodeOf(reply, opt),
      records,
      end: reply.length,
      extendedError: undefined,
      isForSubnet: false,
    };
  }
  // RFC 6891 section 6.1.1: in the additional section, once.
  const isInPlace = opt.section === "additional" && records.findLastIndex(isOpt) === index;
  const options = isInPlace ? readOptions(reply, opt) : undefined;
  return (
    options && { rcode: rcodeOf(reply, opt), records: records.slice(0, index), end: opt.start, ...options }
  );
}

/** Undefined: an option runs on over the end. */
function readOptions(reply: Uint8Array, { rdataAt, end }: Place): Options | undefined {
  let extendedError: number | undefined;
  let isForSubnet = false;
  let at = rdataAt;
  while (at < end) {
    const length = pairAt(reply, at + 2);
    const next = at + 4 + length;
    if (next > end) return undefined;
    const code = pairAt(reply, at);
    if (code === OPTION.EXTENDED_ERROR && length >= 2) extendedError ??= pairAt(reply, at + 4);
    // RFC 7871 section 7.3.1: SCOPE PREFIX-LENGTH 0 is for everybody.
    if (code === OPTION.CLIENT_SUBNET && octetAt(reply, at + 7) > 0) isForSubnet = true;
    at = next;
  }
  return { extendedError, isForSubnet };
}

function isOpt({ type }: Place): boolean {
  return type === TYPE.OPT;
}

function isSignature({ section, type }: Place): boolean {
  return section === "additional" && SIGNATURES.has(type);
}
