import { readLayout, type Section } from "../../wire/layout.ts";
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS, type Question, RCODE } from "../../wire/message.ts";
import { octetAt, pairAt } from "../../wire/octet-reader.ts";
import { type Lasting, readLasting } from "./lasting.ts";
import { tenorOf, ttlOf } from "./ttl.ts";

/** An upstream's answer, without what belongs to one client or one hop: id, RD, the question's case, OPT. */
export interface Kept {
  /** NOERROR or NXDOMAIN. */
  readonly rcode: number;
  /** AD: whether upstream found the data authentic (RFC 4035 section 3.2.3). */
  readonly isAuthentic: boolean;
  readonly answers: number;
  readonly authority: number;
  readonly additionals: number;
  /**
   * What stands behind the question, an octet a character, TTLs cut down to what is kept. As a string an entry of
   * 150 octets takes 420, as a Buffer 590, and half as much again outside the heap.
   */
  readonly records: string;
  /** Where in `records` TTLs stand. */
  readonly ttlsAt: readonly number[];
  /** Seconds until the first of its TTLs is over: over 0. */
  readonly lifetime: number;
  /** What upstream said besides (RFC 8914): that the name is blocked, the answer forged. */
  readonly extendedError: number | undefined;
}

/** What can be made of upstream's octets. */
export type Gain =
  /** `kept` undefined: an answer for this moment or this client only, so that what was kept before is over. */
  | { readonly kind: "answer"; readonly kept: Kept | undefined }
  /** Upstream could not or would not answer. */
  | { readonly kind: "failure" }
  /** It is cut, malformed, or says nothing of the question: what was kept before may still be true. */
  | { readonly kind: "nothing" };

/** RFC 1035 section 4.1.1: QR, opcode and TC. */
const KIND_BITS = 0xfa;
/** A reply, of opcode QUERY, not cut. */
const WHOLE_REPLY = 0x80;
/** RFC 6895 section 2.1. */
const AD_BIT = 0x20;
/** OPT with one EDE: what {@link Kept} may be given with. */
const MAX_OPT_OCTETS = 17;

const NOTHING: Gain = { kind: "nothing" };
const FAILURE: Gain = { kind: "failure" };

/** Reads what upstream replied to `question`, be it what it may: nothing makes it throw. */
export function readGain(question: Question, reply: Uint8Array): Gain {
  if (reply.length < HEADER_OCTETS || (octetAt(reply, 2) & KIND_BITS) !== WHOLE_REPLY) return NOTHING;
  const layout = readLayout(reply);
  if (!layout?.isWhole || !isSameQuestion(reply, question)) return NOTHING;
  const lasting = readLasting(reply, layout);
  if (lasting === undefined) return NOTHING;

  switch (lasting.rcode) {
    case RCODE.NOERROR:
    case RCODE.NXDOMAIN:
      return { kind: "answer", kept: keptOf(reply, lasting, layout.questionEnd, question.type) };
    // RFC 9520 sections 2.1 and 2.2. FORMERR is left out: what one client wrote may be at fault.
    case RCODE.SERVFAIL:
    case RCODE.REFUSED:
      return FAILURE;
    default:
      return NOTHING;
  }
}

function keptOf(reply: Uint8Array, lasting: Lasting, questionEnd: number, type: number): Kept | undefined {
  const { rcode, records, end, extendedError, isForSubnet } = lasting;
  const tenor = tenorOf(rcode, type, records);
  // Behind the records goes OPT with one EDE, and both must fit a message.
  if (tenor === undefined || isForSubnet || end + MAX_OPT_OCTETS > MAX_MESSAGE_OCTETS) return undefined;
  const copy = Buffer.from(reply.subarray(0, end)); // the caller's octets stay as they are
  let lifetime = Infinity;
  for (const place of records) {
    const ttl = ttlOf(reply, place, tenor);
    copy.writeUInt32BE(ttl, place.ttlAt);
    lifetime = Math.min(lifetime, ttl);
  }
  if (lifetime === 0) return undefined;
  const count = (wanted: Section): number => records.filter(({ section }) => section === wanted).length;
  return {
    rcode,
    isAuthentic: (octetAt(reply, 3) & AD_BIT) !== 0,
    answers: count("answer"),
    authority: count("authority"),
    additionals: count("additional"),
    records: copy.toString("latin1", questionEnd, end),
    ttlsAt: records.map(({ ttlAt }) => ttlAt - questionEnd),
    lifetime,
    extendedError,
  };
}

/** Type and class are compared octet by octet, the name without case (RFC 4343 section 3). */
function isSameQuestion(reply: Uint8Array, { name, type, class: class_ }: Question): boolean {
  const nameEnd = HEADER_OCTETS + name.length;
  if (pairAt(reply, nameEnd) !== type || pairAt(reply, nameEnd + 2) !== class_) return false;
  for (let at = 0; at < name.length; at++) {
    const octet = octetAt(reply, HEADER_OCTETS + at);
    const folded = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
    if (folded !== name.charCodeAt(at)) return false;
  }
  return true;
}
