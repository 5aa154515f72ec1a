import { randomInt } from "node:crypto";
import { HEADER_OCTETS, type Query, UDP_PAYLOAD_OCTETS } from "../../wire/message.ts";
import { octetAt, pairAt } from "../../wire/octet-reader.ts";
import { TYPE } from "../../wire/record.ts";

/** RFC 6891 section 6.1.2: an OPT without options. */
const OPT_OCTETS = 11;

/**
 * The octets of a query for upstream, its id still 0. RD is set, AD, CD and DO are the client's, and so is the case of
 * the question. What else its OPT says was for us: cookies, padding, keepalive and the like are for one hop
 * (RFC 6891 section 6.1.1), and a client's subnet is nobody's business (RFC 7871 section 11.1).
 */
export function writeQuestion({
  question,
  edns,
  authenticDataWanted,
  checkingDisabled,
}: Pick<Query, "question" | "edns" | "authenticDataWanted" | "checkingDisabled">): Uint8Array {
  const end = HEADER_OCTETS + question.octets.length;
  const octets = new Uint8Array(end + (edns ? OPT_OCTETS : 0));
  const header = new DataView(octets.buffer);
  header.setUint16(2, 0x0100 | (authenticDataWanted ? 0x0020 : 0) | (checkingDisabled ? 0x0010 : 0));
  header.setUint16(4, 1);
  octets.set(question.octets, HEADER_OCTETS);
  if (!edns) return octets;
  header.setUint16(10, 1);
  header.setUint16(end + 1, TYPE.OPT);
  header.setUint16(end + 3, UDP_PAYLOAD_OCTETS);
  header.setUint16(end + 7, edns.dnssecOk ? 0x8000 : 0);
  return octets;
}

/** A copy of `octets` with an id that nobody can guess (RFC 5452 section 9.2). */
export function withId(octets: Uint8Array, id: number = randomInt(0x1_0000)): Uint8Array {
  const sent = new Uint8Array(octets);
  sent[0] = id >> 8;
  sent[1] = id & 0xff;
  return sent;
}

/** What a message is that came where the reply to `sent` is waited for. RFC 5452 section 9.1. */
export type Match =
  | "reply"
  /** It answers this question, under another id: somebody may be guessing. */
  | "guess"
  | "stray";

export function matchReply(octets: Uint8Array, sent: Uint8Array): Match {
  if (octets.length < HEADER_OCTETS || (octetAt(octets, 2) & 0xf8) !== 0x80) return "stray"; // QR, opcode QUERY
  if (pairAt(octets, 4) !== 1 || !hasQuestion(octets, sent)) return "stray";
  return pairAt(octets, 0) === pairAt(sent, 0) ? "reply" : "guess";
}

/** The case of letters means nothing in the name (RFC 4343 section 3), and everything in type and class behind it. */
function hasQuestion(octets: Uint8Array, sent: Uint8Array): boolean {
  let at = HEADER_OCTETS;
  for (; octetAt(sent, at) > 0; at++) {
    // Lengths end at 63, and are no letters.
    if (fold(octetAt(octets, at)) !== fold(octetAt(sent, at))) return false;
  }
  return (
    octets.length >= at + 5 &&
    octetAt(octets, at) === 0 &&
    pairAt(octets, at + 1) === pairAt(sent, at + 1) &&
    pairAt(octets, at + 3) === pairAt(sent, at + 3)
  );
}

function fold(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
