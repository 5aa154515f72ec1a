import { isIPv4, isIPv6 } from "node:net";
import { Packet, type Resource } from "dns2";
import type { RotaError } from "../base/error.ts";
import { endOfName, malformed, type NameReader, quote } from "./octets.ts";

/** Where a record lies in its message. */
export interface Place {
  readonly type: number;
  /** Its first octet. */
  readonly from: number;
  /** The first octet behind its owner's name: the type's. */
  readonly fixed: number;
  /** The first octet of its RDATA. */
  readonly data: number;
  /** Behind its last octet. */
  readonly end: number;
}

/** From an octet of the message to before another. */
interface Span {
  readonly from: number;
  readonly end: number;
}

const ROOT = Buffer.of(0);

/**
 * A record's data as dig prints it; of a type that is not known here, its octets (RFC 3597 section 5).
 *
 * @param readName reads the names of this message.
 * @throws RotaError `ERR_ROTA_ASK`
 */
export function formatRdata(message: Buffer, place: Place, readName: NameReader): string {
  const octets = message.subarray(place.data, place.end);
  switch (place.type) {
    case Packet.TYPE.A:
    case Packet.TYPE.AAAA:
      return checkedAddress(place.type, decode(message, place).address ?? "");
    case Packet.TYPE.NS:
    case Packet.TYPE.CNAME:
    case Packet.TYPE.PTR:
      if (endOfName(message, place.data) !== place.end) throw wrongLength();
      return readName(place.data);
    case Packet.TYPE.MX: {
      const exchange = spanOfName(message, place.data + 2);
      const { priority } = decode(message, place, exchange);
      return `${priority} ${readName(exchange.from)}`;
    }
    case Packet.TYPE.SRV: {
      const target = spanOfName(message, place.data + 6);
      const { priority, weight, port } = decode(message, place, target);
      return `${priority} ${weight} ${port} ${readName(target.from)}`;
    }
    case Packet.TYPE.SOA: {
      const primary = spanOfName(message, place.data);
      const mailbox = spanOfName(message, primary.end);
      const soa = decode(message, place, primary, mailbox);
      const { serial, refresh, retry, expiration, minimum } = soa;
      const names = `${readName(primary.from)} ${readName(mailbox.from)}`;
      return `${names} ${serial} ${refresh} ${retry} ${expiration} ${minimum}`;
    }
    case Packet.TYPE.TXT:
      return readStrings(octets).map(quote).join(" ");
    case Packet.TYPE.CAA: {
      const { flags, tag = "" } = decode(message, place);
      return `${flags} ${tag} ${quote(octets.subarray(2 + tag.length))}`;
    }
    default:
      return String.raw`\# ${octets.length} ${octets.toString("hex")}`.trimEnd();
  }
}

/**
 * dns2 reads the numbers and addresses. It is shown one record and nothing behind it, and must come out at its end:
 * its decoders do not look at RDLENGTH, and Packet.parse drops what it cannot read without a word. In place of the
 * names it is shown the root, since it would follow their pointers in every record anew.
 *
 * @param names those in the data, in order.
 */
function decode(message: Buffer, place: Place, ...names: readonly Span[]): Resource {
  const pieces: Buffer[] = [ROOT];
  let from = place.fixed;
  for (const name of names) {
    pieces.push(message.subarray(from, name.from), ROOT);
    from = name.end;
  }
  if (from <= place.end) {
    const record = Buffer.concat([...pieces, message.subarray(from, place.end)]);
    const reader = new Packet.Reader(record);
    try {
      const resource = Packet.Resource.decode(reader);
      if (reader.offset === record.length * 8) return resource;
    } catch {
      // said below: dns2's own words are of readUInt8 and ranges
    }
  }
  throw wrongLength();
}

function spanOfName(message: Buffer, from: number): Span {
  return { from, end: endOfName(message, from) };
}

function wrongLength(): RotaError {
  return malformed("a record's data is longer or shorter than it says");
}

function checkedAddress(type: number, address: string): string {
  const isRight = type === Packet.TYPE.A ? isIPv4(address) : isIPv6(address);
  if (!isRight) throw malformed("an address has too few octets or too many");
  return address;
}

/** The octets of each string: not by dns2, which gives them as UTF-8, which they need not be. */
function readStrings(octets: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at < octets.length;) {
    const end = at + 1 + octets.readUInt8(at);
    if (end > octets.length) throw wrongLength();
    strings.push(octets.subarray(at + 1, end));
    at = end;
  }
  return strings;
}
