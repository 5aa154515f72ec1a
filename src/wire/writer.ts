import { RotaError } from "../base/error.ts";
import { type Fault, HEADER_OCTETS, MAX_MESSAGE_OCTETS, type Reply, type Room } from "./message.ts";
import { OctetWriter } from "./octet-writer.ts";
import { optOctets, writeOpt } from "./opt.ts";
import { CLASS_IN, type ResourceRecord, TYPE } from "./record.ts";

/** RFC 1035 section 3.3: a character string has its length in one octet in front. */
const MAX_STRING_OCTETS = 255;

/** RFC 1035 section 4.1.1. */
export const AA_BIT = 0x0400;
export const TC_BIT = 0x0200;
export const RA_BIT = 0x0080;

const out = new OctetWriter();

/**
 * Writes a reply: the question as it was asked, and as many records, in order, as there is room for.
 *
 * Answers and authority that do not fit are left out one by one, from the last, and TC set: clients that do
 * not ask again over TCP (musl, BusyBox) have what fits. OPT is never left out (RFC 6891 section 7).
 *
 * @param room - at least 512 octets, so that every question fits
 * @param starts - takes where each record begins, OPT not among them, and at last where the last ends
 * @returns octets of the caller's own; small ones share 8 KiB with others, which stay as long as any of them
 * @throws RotaError `ERR_ROTA_DECLARATION` if a string of a TXT record has over 255 octets
 */
export function writeReply(reply: Reply, room: Room, starts: number[] = []): Uint8Array {
  const reserved = optOctets(reply.edns);
  const limit = Math.min(room.limit, MAX_MESSAGE_OCTETS) - reserved;
  out.start(reply.question);

  const answers = writeSome(reply.answers, limit, starts);
  const hasAllAnswers = answers === reply.answers.length;
  const authority = hasAllAnswers ? writeSome(reply.authority, limit, starts) : 0;
  const isTruncated = !hasAllAnswers || authority < reply.authority.length;
  const additionalsLimit = Math.min(limit, room.additionalsLimit - reserved);
  const additionals = isTruncated ? 0 : writeSets(reply.additionals, additionalsLimit, starts);
  starts.push(out.at);
  if (reply.edns !== undefined) writeOpt(out, reply.edns, reply.rcode);

  out.setPair(0, reply.id);
  const flags = flagsOf(reply) | (reply.authoritative ? AA_BIT : 0) | (isTruncated ? TC_BIT : 0);
  out.setPair(2, flags | (reply.recursionAvailable ? RA_BIT : 0));
  out.setPair(4, reply.question === undefined ? 0 : 1);
  out.setPair(6, answers);
  out.setPair(8, authority);
  out.setPair(10, additionals + (reply.edns === undefined ? 0 : 1));
  return out.finish();
}

/** Writes the reply to what could not be read: a header alone, as nothing behind it can be trusted. */
export function writeFault(fault: Fault): Uint8Array {
  const message = new Uint8Array(HEADER_OCTETS);
  const header = new DataView(message.buffer);
  header.setUint16(0, fault.id);
  header.setUint16(2, flagsOf(fault));
  return message;
}

/** What both have. Z stays 0, and so does AD: nothing is validated. */
export function flagsOf(header: Omit<Fault, "id" | "rcode"> & { readonly rcode: number }): number {
  return (
    0x8000 |
    (header.opcode << 11) |
    (header.recursionDesired ? 0x0100 : 0) |
    (header.checkingDisabled ? 0x0010 : 0) |
    (header.rcode & 0x000f)
  );
}

/** Writes records up to the first that does not fit, behind which there must be no more; how many it wrote. */
function writeSome(records: readonly ResourceRecord[], limit: number, starts: number[]): number {
  let written = 0;
  for (const record of records) {
    const start = out.at;
    starts.push(start);
    writeRecord(record);
    if (out.at > limit) {
      out.at = start;
      break;
    }
    written++;
  }
  return written;
}

/** As {@link writeSome}, but of no set only a part: RFC 2181 section 9 has it whole or left out. */
function writeSets(records: readonly ResourceRecord[], limit: number, starts: number[]): number {
  let start = { at: out.at, written: 0 };
  for (const [written, record] of records.entries()) {
    const previous = records[written - 1];
    if (previous?.name !== record.name || previous.type !== record.type) start = { at: out.at, written };
    starts.push(out.at);
    writeRecord(record);
    if (out.at <= limit) continue;
    out.at = start.at;
    return start.written;
  }
  return records.length;
}

function writeRecord(record: ResourceRecord): void {
  out.name(record.name);
  out.pair(TYPE[record.type]);
  out.pair(CLASS_IN);
  out.quad(record.ttl);
  const rdlengthAt = out.at;
  out.pair(0);
  writeRdata(record);
  out.setPair(rdlengthAt, out.at - rdlengthAt - 2);
}

function writeRdata(record: ResourceRecord): void {
  switch (record.type) {
    case "A":
    case "AAAA":
      return out.latin1(record.address);
    case "NS":
    case "PTR":
      return out.name(record.target);
    case "SOA":
      out.name(record.primary);
      out.name(record.mailbox);
      out.quad(record.serial);
      out.quad(record.refresh);
      out.quad(record.retry);
      out.quad(record.expire);
      return out.quad(record.minimum);
    case "SRV":
      out.pair(record.priority);
      out.pair(record.weight);
      out.pair(record.port);
      // RFC 2782: "name compression is not to be used for this field".
      return out.fullName(record.target);
    case "TXT":
      // RFC 1035 section 3.3.14: "one or more" strings. RFC 6763 section 6.1: nothing to say is one empty string.
      if (record.strings.length === 0) return out.octet(0);
      for (const text of record.strings) writeString(text);
  }
}

function writeString(text: string): void {
  const length = Buffer.byteLength(text);
  if (length > MAX_STRING_OCTETS) {
    throw new RotaError(
      "ERR_ROTA_DECLARATION",
      `could not write "${text.slice(0, 30)}…" into a TXT record: it has ${length} octets, shorten it to 255`,
    );
  }
  out.octet(length);
  out.utf8(text, length);
}
