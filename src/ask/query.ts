import { Packet } from "dns2";
import type { Name } from "../model/name.ts";

/** What is asked; the class is always IN. */
export interface Question {
  readonly name: Name;
  readonly type: number;
}

/** What we say that we take over UDP: no fragments, by DNS flag day 2020. */
const UDP_SIZE = 1232;
const CLASS_IN = 1;

/** The octets of a query for one question, with EDNS. */
export function writeQuery(question: Question, id: number, recursionDesired: 0 | 1): Buffer {
  const writer = new Packet.Writer();
  new Packet.Header({ id, rd: recursionDesired, qdcount: 1, arcount: 1 }).toBuffer(writer);
  // Not by Packet.Question: it takes every dot for a separator and knows no type beyond its table.
  for (const octet of question.name) writer.write(octet.charCodeAt(0), 8);
  writer.write(question.type, 16);
  writer.write(CLASS_IN, 16);
  // OPT's class is the size (RFC 6891 section 6.1.2), which dns2's types do not let us pass.
  const opt = Packet.Resource.EDNS([]);
  opt.class = UDP_SIZE;
  Packet.Resource.encode(opt, writer);
  return writer.toBuffer();
}

/** A number that nobody can guess (RFC 5452 section 4.3). */
export function chooseId(): number {
  return Packet.uuid();
}
