import { subnetOption, subnetOptionOctets } from "../../wire/client-subnet.ts";
import { type Place, readLayout } from "../../wire/layout.ts";
import { type ClientSubnet, HEADER_OCTETS, type Query } from "../../wire/message.ts";
import { octetAt, pairAt } from "../../wire/octet-reader.ts";
import { TYPE } from "../../wire/record.ts";

/** Whether a reply has all the records that it claims to have, and nothing behind them. */
export function isWhole(octets: Uint8Array): boolean {
  return readLayout(octets)?.isWhole === true;
}

/** TC. */
export function isCut(octets: Uint8Array): boolean {
  return (octetAt(octets, 2) & 0x02) !== 0;
}

/**
 * A reply as this client gets it: with its id, its RD and the very octets of its question, and with RA, since names of
 * others may be asked here. In no more than `limit` octets: where it has more, additional records are left out, then
 * others from the end, which TC tells (RFC 2181 section 9); OPT stays (RFC 6891 section 7), and says that the reply
 * is for `subnet` alone, if that is given.
 */
export function fitReply(reply: Uint8Array, query: Query, limit: number, subnet?: ClientSubnet): Uint8Array {
  const room = limit - subnetOptionOctets(subnet);
  const isAsItIs = reply.length <= room && !isCut(reply) && (!subnet || lastOpt(reply) !== undefined);
  const octets = isAsItIs ? copyOf(reply) : cut(reply, room);
  octets[0] = query.id >> 8;
  octets[1] = query.id & 0xff;
  octets[2] = (octetAt(octets, 2) & ~0x01) | (query.recursionDesired ? 0x01 : 0);
  octets[3] = octetAt(octets, 3) | 0x80;
  // As long as upstream's, which may differ in the case of letters; names that point at it are in the client's case, too.
  octets.set(query.question.octets, HEADER_OCTETS);
  return subnet ? withSubnet(octets, subnet) : octets;
}

/** OPT where nothing stands behind it that could point at octets which move. */
function lastOpt(octets: Uint8Array): Place | undefined {
  const { records = [], isWhole = false } = readLayout(octets) ?? {};
  const last = records.at(-1);
  return isWhole && last?.section === "additional" && last.type === TYPE.OPT ? last : undefined;
}

/** Where an upstream knows no EDNS there is no OPT, and nothing can be said. */
function withSubnet(octets: Uint8Array, subnet: ClientSubnet): Uint8Array {
  const opt = lastOpt(octets);
  if (!opt) return octets;
  const longer = Buffer.concat([octets, Buffer.from(subnetOption(subnet), "latin1")]);
  longer.writeUInt16BE(longer.length - opt.rdataAt, opt.rdataAt - 2);
  return longer;
}

/** Makes a message well-formed, too, that was cut anywhere, as some servers do. */
function cut(reply: Uint8Array, limit: number): Uint8Array {
  const { records = [], questionEnd = reply.length } = readLayout(reply) ?? {};
  const opt = cutOpt(reply, records, limit - questionEnd);
  const room = limit - opt.length;
  const kept = records.filter(({ section, end }) => section !== "additional" && end <= room);
  const countOf = (wanted: Place["section"]): number =>
    kept.filter(({ section }) => section === wanted).length;

  // A name points at what stands before it, so that what is kept still means the same; OPT's has no pointer.
  const octets = Buffer.concat([reply.subarray(0, kept.at(-1)?.end ?? questionEnd), opt]);
  if (kept.length < pairAt(reply, 6) + pairAt(reply, 8)) octets[2] = octetAt(octets, 2) | 0x02;
  octets.writeUInt16BE(countOf("answer"), 6);
  octets.writeUInt16BE(countOf("authority"), 8);
  octets.writeUInt16BE(opt.length > 0 ? 1 : 0, 10);
  return octets;
}

/** The octets of OPT, without its options if they leave no room for a question; none if there is none. */
function cutOpt(reply: Uint8Array, records: readonly Place[], room: number): Uint8Array {
  const opt = records.find(({ section, type }) => section === "additional" && type === TYPE.OPT);
  if (!opt) return new Uint8Array();
  if (opt.end - opt.start <= room) return reply.subarray(opt.start, opt.end);
  const bare = copyOf(reply.subarray(opt.start, opt.rdataAt));
  bare.fill(0, -2); // RDLENGTH
  return bare;
}

/** Not `slice`: of a Buffer, which upstream's octets are, that is a view, and what clients share would be overwritten. */
function copyOf(octets: Uint8Array): Uint8Array {
  return new Uint8Array(octets);
}
