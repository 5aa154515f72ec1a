import { Packet } from "dns2";
import { endOfName, HEADER_OCTETS } from "./octets.ts";

const NOERROR = 0;

/** Why `message` is not the reply to `query`, or undefined if it is. RFC 5452 section 9.1. */
export function mismatchOf(message: Buffer, query: Buffer): string | undefined {
  if (message.length < HEADER_OCTETS) return `${message.length} octets are no message`;
  const header = Packet.Header.parse(message);
  const asked = Packet.Header.parse(query);
  if (header.qr !== 1 || header.opcode !== asked.opcode) return "it is not a reply";
  if (header.id !== asked.id) return `its id is ${header.id} and not ${asked.id}`;
  // A server that could not read the query has no question to repeat.
  if (header.qdcount === 0 && header.rcode !== NOERROR) return undefined;
  if (header.qdcount === 1 && hasSameQuestion(message, query)) return undefined;
  return "its question is another";
}

/** TC: known before anything is read, since the message may be cut off in the middle of a record. */
export function isTruncated(message: Buffer): boolean {
  return Packet.Header.parse(message).tc === 1;
}

/** Case means nothing in the name (RFC 4343 section 3), and everything in the type and class behind it. */
function hasSameQuestion(message: Buffer, query: Buffer): boolean {
  const end = endOfName(query, HEADER_OCTETS);
  const fold = (octets: Buffer): string => octets.toString("latin1", HEADER_OCTETS, end).toLowerCase();
  return fold(message) === fold(query) && message.subarray(end, end + 4).equals(query.subarray(end, end + 4));
}
