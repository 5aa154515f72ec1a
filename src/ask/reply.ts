import { Packet } from "dns2";
import { formatRdata, type Place } from "./rdata.ts";
import { formatClass, formatExtendedError, formatRcode, formatType } from "../model/mnemonics.ts";
import { createNameReader, endOfName, HEADER_OCTETS, malformed, type NameReader } from "./octets.ts";

/** What a server's message says: plain values, fit for JSON. */
export interface Message {
  readonly id: number;
  readonly flags: readonly Flag[];
  /** With the upper bits that stand in OPT (RFC 6891 section 6.1.3). */
  readonly rcode: { readonly number: number; readonly name: string };
  /** Undefined: the reply repeats none, as some do in an error. */
  readonly question: ReplyQuestion | undefined;
  readonly answers: readonly ReplyRecord[];
  readonly authority: readonly ReplyRecord[];
  /** Without OPT, which is {@link edns}. */
  readonly additionals: readonly ReplyRecord[];
  readonly edns: ReplyEdns | undefined;
}

export type Flag = "qr" | "aa" | "tc" | "rd" | "ra" | "ad" | "cd";

export interface ReplyQuestion {
  /** As in {@link ReplyRecord}. */
  readonly name: string;
  readonly class: string;
  readonly type: string;
}

export interface ReplyRecord {
  /** With the dot at its end, case kept, RFC 1035 section 5.1 escapes. */
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
  /** `IN`, or as `CLASS32`. */
  readonly class: string;
  /** `AAAA`, or as `TYPE65280`. */
  readonly type: string;
  /** As dig prints it. */
  readonly data: string;
}

/** RFC 6891 section 6.1. */
export interface ReplyEdns {
  readonly version: number;
  /** What the server takes over UDP. */
  readonly udpSize: number;
  readonly dnssecOk: boolean;
  readonly extendedErrors: readonly ExtendedError[];
}

/** RFC 8914: what the rcode does not say. */
export interface ExtendedError {
  readonly code: number;
  /** Empty for a code without a name. */
  readonly name: string;
  readonly text: string;
}

const TYPE_OPT = 41;
/** RFC 8914 section 2. */
const OPTION_EXTENDED_ERROR = 15;
/** RFC 1035 section 4.1.1, RFC 4035 section 3.2: the bit of each flag in the header's third and fourth octets. */
const FLAG_BITS: readonly (readonly [Flag, number])[] = [
  ["qr", 0x8000],
  ["aa", 0x0400],
  ["tc", 0x0200],
  ["rd", 0x0100],
  ["ra", 0x0080],
  ["ad", 0x0020],
  ["cd", 0x0010],
];

/**
 * Reads a message that {@link mismatchOf} has found to be the reply. Octets behind the last record are ignored.
 *
 * @throws RotaError `ERR_ROTA_ASK`: something in it is cut off, loops or is not of the length that it says.
 */
export function readReply(message: Buffer): Message {
  const header = Packet.Header.parse(message);
  const readName = createNameReader(message);
  const { question, end } = readQuestion(message, header.qdcount, readName);
  const answers = locate(message, end, header.ancount);
  const authority = locate(message, answers.end, header.nscount);
  const additionals = locate(message, authority.end, header.arcount);
  const opt = additionals.places.find(isOpt);
  // RFC 6891 section 6.1.3: the upper bits of the rcode are the first octet of what is a TTL elsewhere.
  const rcode = (opt ? message.readUInt8(opt.data - 6) * 16 : 0) + header.rcode;
  const read = (place: Place): ReplyRecord => readRecord(message, place, readName);
  return {
    id: header.id,
    flags: readFlags(message),
    rcode: { number: rcode, name: formatRcode(rcode) },
    question,
    answers: answers.places.map(read),
    authority: authority.places.map(read),
    additionals: additionals.places.filter((place) => !isOpt(place)).map(read),
    edns: opt && readEdns(message, opt),
  };
}

function readFlags(message: Buffer): Flag[] {
  const bits = message.readUInt16BE(2);
  return FLAG_BITS.filter(([, bit]) => (bits & bit) !== 0).map(([flag]) => flag);
}

function readQuestion(
  message: Buffer,
  count: number,
  readName: NameReader,
): { readonly question: ReplyQuestion | undefined; readonly end: number } {
  if (count === 0) return { question: undefined, end: HEADER_OCTETS };
  const end = endOfName(message, HEADER_OCTETS) + 4;
  if (end > message.length) throw malformed("it ends within the question");
  return {
    question: {
      name: readName(HEADER_OCTETS),
      class: formatClass(message.readUInt16BE(end - 2)),
      type: formatType(message.readUInt16BE(end - 4)),
    },
    end,
  };
}

/** Where the `count` records from `at` on lie: all of them must be within the message before one is read. */
function locate(
  message: Buffer,
  at: number,
  count: number,
): { readonly places: readonly Place[]; readonly end: number } {
  const places: Place[] = [];
  let from = at;
  for (let left = count; left > 0; left--) {
    if (from >= message.length) throw malformed(`it ends before ${left} of its records`);
    const fixed = endOfName(message, from);
    const data = fixed + 10;
    if (data > message.length) throw malformed("it ends within a record");
    const end = data + message.readUInt16BE(data - 2);
    if (end > message.length) throw malformed("a record ends beyond the message");
    places.push({ type: message.readUInt16BE(fixed), from, fixed, data, end });
    from = end;
  }
  return { places, end: from };
}

function readRecord(message: Buffer, place: Place, readName: NameReader): ReplyRecord {
  return {
    name: readName(place.from),
    ttl: message.readUInt32BE(place.data - 6),
    class: formatClass(message.readUInt16BE(place.data - 8)),
    type: formatType(place.type),
    data: formatRdata(message, place, readName),
  };
}

function isOpt(place: Place): boolean {
  return place.type === TYPE_OPT;
}

/** Not by dns2, which skips an option that it does not know by as many bits as it has octets. */
function readEdns(message: Buffer, place: Place): ReplyEdns {
  const extendedErrors: ExtendedError[] = [];
  for (let at = place.data; at < place.end;) {
    const octets = at + 4 <= place.end ? message.readUInt16BE(at + 2) : 0;
    const end = at + 4 + octets;
    if (end > place.end) throw malformed("an EDNS option ends beyond its record");
    if (message.readUInt16BE(at) === OPTION_EXTENDED_ERROR && octets >= 2) {
      const code = message.readUInt16BE(at + 4);
      extendedErrors.push({
        code,
        name: formatExtendedError(code),
        text: message.toString("utf8", at + 6, end),
      });
    }
    at = end;
  }
  return {
    version: message.readUInt8(place.data - 5),
    udpSize: message.readUInt16BE(place.data - 8),
    dnssecOk: (message.readUInt16BE(place.data - 4) & 0x8000) !== 0,
    extendedErrors,
  };
}
