import { isIPv4, isIPv6 } from "node:net";
import { Packet, type Resource } from "dns2";
import { malformed, quote, readName } from "./octets.ts";

/** Where a record lies in its message. */
export interface Place {
  readonly type: number;
  /** Its first octet. */
  readonly from: number;
  /** The first octet of its RDATA. */
  readonly data: number;
  /** Behind its last octet. */
  readonly end: number;
}

/**
 * A record's data as dig prints it; of a type that is not known here, its octets (RFC 3597 section 5).
 *
 * @throws RotaError `ERR_ROTA_ASK`
 */
export function formatRdata(message: Buffer, place: Place): string {
  const octets = message.subarray(place.data, place.end);
  switch (place.type) {
    case Packet.TYPE.A:
    case Packet.TYPE.AAAA:
      return checkedAddress(place.type, decode(message, place).address ?? "");
    case Packet.TYPE.NS:
    case Packet.TYPE.CNAME:
    case Packet.TYPE.PTR: {
      const target = readName(message, place.data);
      decode(message, place);
      return target.text;
    }
    case Packet.TYPE.MX: {
      const exchange = readName(message, place.data + 2);
      const { priority } = decode(message, place);
      return `${priority} ${exchange.text}`;
    }
    case Packet.TYPE.SRV: {
      const target = readName(message, place.data + 6);
      const { priority, weight, port } = decode(message, place);
      return `${priority} ${weight} ${port} ${target.text}`;
    }
    case Packet.TYPE.SOA: {
      const primary = readName(message, place.data);
      const mailbox = readName(message, primary.end);
      const { serial, refresh, retry, expiration, minimum } = decode(message, place);
      return `${primary.text} ${mailbox.text} ${serial} ${refresh} ${retry} ${expiration} ${minimum}`;
    }
    case Packet.TYPE.TXT:
      decode(message, place);
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
 * dns2 reads the numbers and addresses; names are read by readName, and before, since it refuses what would
 * keep dns2 busy. dns2 is shown one record and nothing behind it, and must come out at its end: its decoders do not look at
 * RDLENGTH, and Packet.parse drops what it cannot read without a word.
 */
function decode(message: Buffer, place: Place): Resource {
  const reader = new Packet.Reader(message.subarray(0, place.end), place.from * 8);
  try {
    const resource = Packet.Resource.decode(reader);
    if (reader.offset === place.end * 8) return resource;
  } catch {
    // said below: dns2's own words are of readUInt8 and ranges
  }
  throw malformed("a record's data is longer or shorter than it says");
}

function checkedAddress(type: number, address: string): string {
  const isRight = type === Packet.TYPE.A ? isIPv4(address) : isIPv6(address);
  if (!isRight) throw malformed("an address has too few octets or too many");
  return address;
}

/** The octets of each string: dns2 gives them as UTF-8, which they need not be. */
function readStrings(octets: Buffer): Buffer[] {
  const strings: Buffer[] = [];
  for (let at = 0; at < octets.length; at += 1 + octets.readUInt8(at)) {
    strings.push(octets.subarray(at + 1, at + 1 + octets.readUInt8(at)));
  }
  return strings;
}
