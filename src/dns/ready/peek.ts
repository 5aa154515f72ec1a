import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../../model/name.ts";
import { FNV_START, fnvOn } from "../../base/hash.ts";
import { HEADER_OCTETS, OPTION, PLAIN_UDP_OCTETS, udpLimitOf } from "../../wire/message.ts";
import { pairAt } from "../../wire/octet-reader.ts";
import { CLASS_IN, TYPE } from "../../wire/record.ts";

/** What a book must know of a query. One object, written over by each query: nothing is allocated for one. */
export interface Peeked {
  /** The name, folded to lower case, in its first octets. */
  readonly name: Uint8Array;
  nameOctets: number;
  /** Of the name without the root's zero octet, as the registry hashes it. */
  hash: number;
  /** Where each label begins, the root's behind the last. */
  readonly labels: Uint8Array;
  labelCount: number;
  /** The hash of what stands in front of each label. */
  readonly hashes: Int32Array;
  type: number;
  hasEdns: boolean;
  isDnssecOk: boolean;
  /** How large the reply may be (RFC 6891 section 6.2.3: less than 512 counts as 512). */
  limit: number;
}

/** Of one octet each, behind a length each. */
const MAX_LABELS = (MAX_NAME_OCTETS - 1) / 2;

export function createPeeked(): Peeked {
  return {
    name: new Uint8Array(MAX_NAME_OCTETS),
    nameOctets: 0,
    hash: 0,
    labels: new Uint8Array(MAX_LABELS + 1),
    labelCount: 0,
    hashes: new Int32Array(MAX_LABELS + 1),
    type: 0,
    hasEdns: false,
    isDnssecOk: false,
    limit: 0,
  };
}

/**
 * Reads a query that is as nearly all are: one question of class IN, nothing behind it but OPT of version 0, with no
 * option that the reply depends on. False: it is not, or it is wrong, and the reader has to say what it is.
 */
export function peek(query: Uint8Array, length: number, peeked: Peeked): boolean {
  if (length < HEADER_OCTETS + 5 || length > query.length) return false;
  // QR and the opcode are 0, and so are all counts but those of questions and additional records.
  if (((query[2] ?? 0) & 0xf8) !== 0) return false;
  if (query[4] !== 0 || query[5] !== 1 || query[6] !== 0 || query[7] !== 0) return false;
  if (query[8] !== 0 || query[9] !== 0 || query[10] !== 0) return false;
  const additionals = query[11] ?? 0;
  if (additionals > 1) return false;
  const nameEnd = peekName(query, length, peeked);
  if (nameEnd === 0) return false;
  peeked.type = pairAt(query, nameEnd);
  if (pairAt(query, nameEnd + 2) !== CLASS_IN || !isAsked(peeked.type)) return false;
  const end = nameEnd + 4;
  peeked.hasEdns = additionals === 1;
  peeked.isDnssecOk = false;
  peeked.limit = PLAIN_UDP_OCTETS;
  return peeked.hasEdns ? peekOpt(query, end, length, peeked) : end === length;
}

/** Where the name ends; 0: it is none, or compressed, or leaves no room for a type and a class. */
function peekName(query: Uint8Array, length: number, peeked: Peeked): number {
  const { name, labels, hashes } = peeked;
  let at = HEADER_OCTETS;
  let hash = FNV_START;
  let count = 0;
  for (;;) {
    const size = query[at] ?? 0;
    const start = at - HEADER_OCTETS;
    const end = at + 1 + size;
    if (size > MAX_LABEL_OCTETS || start + 1 + size > MAX_NAME_OCTETS || end + 4 > length) return 0;
    labels[count] = start;
    hashes[count] = hash;
    if (size === 0) {
      name[start] = 0;
      peeked.nameOctets = start + 1;
      peeked.hash = hash;
      peeked.labelCount = count;
      return end;
    }
    count++;
    for (; at < end; at++) {
      const octet = query[at] ?? 0;
      const folded = octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
      name[at - HEADER_OCTETS] = folded;
      hash = fnvOn(hash, folded);
    }
  }
}

/** What is no type of records, but asks for something to be done, has replies of its own. */
function isAsked(type: number): boolean {
  return type !== TYPE.OPT && (type < 128 || type >= TYPE.ANY);
}

function peekOpt(query: Uint8Array, start: number, length: number, peeked: Peeked): boolean {
  let at = start + 11;
  // Owner the root, type 41, version 0; the upper bits of an rcode mean nothing in a query.
  if (at > length || query[start] !== 0 || pairAt(query, start + 1) !== TYPE.OPT) return false;
  if (query[start + 6] !== 0 || at + pairAt(query, start + 9) !== length) return false;
  for (; at + 4 <= length; at += 4 + pairAt(query, at + 2)) {
    const code = pairAt(query, at);
    if (code === OPTION.CLIENT_SUBNET || code === OPTION.KEEPALIVE) return false;
  }
  if (at !== length) return false;
  peeked.isDnssecOk = ((query[start + 7] ?? 0) & 0x80) !== 0;
  peeked.limit = udpLimitOf(pairAt(query, start + 3));
  return true;
}
