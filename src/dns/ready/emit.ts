import { SERIAL, type SharedPulse } from "../../registry/pulse.ts";
import { HEADER_OCTETS, UDP_AMPLIFICATION, UDP_PAYLOAD_OCTETS } from "../../wire/message.ts";
import { TC_BIT } from "../../wire/writer.ts";
import { TYPE } from "../../wire/record.ts";
import type { Turns } from "../turns.ts";
import type { MissingMail, ReadyMail } from "./mail.ts";
import type { Peeked } from "./peek.ts";

/** RFC 6891 section 6.1.2: owner, type, class, TTL and RDLENGTH of an OPT record without options. */
const OPT_OCTETS = 11;
const POINTER = 0xc0;
/** What a loop copies sooner than `set` does, which takes some 100 ns whatever the length. */
const MAX_LOOPED = 96;
/** RD and CD, which a reply repeats: bits of the header's third and fourth octet. */
const RD = 0x01;
const CD = 0x10;

/** A ready reply, and whose turn it is. */
export interface Entry extends ReadyMail {
  /** Undefined: the order is always the same. */
  readonly turns: Turns | undefined;
  /** Of each part, where it is in the reply that is being put together. */
  readonly places: Int32Array;
}

/** How far a reply has got. One object, written over by each: nothing is allocated for one. */
interface Progress {
  /** Where the next octet goes. */
  at: number;
  answers: number;
  authorities: number;
  additionals: number;
  /** How many groups have had their turn. */
  groups: number;
  /** A record that should be there did not fit. */
  isCut: boolean;
}

const done: Progress = { at: 0, answers: 0, authorities: 0, additionals: 0, groups: 0, isCut: false };

/**
 * Puts a reply together: the header as the query wants it, its own question, the records whose turn it is. What fits is
 * what the writer of whole replies would have let fit (wire/writer.ts): this is the same, in octets.
 *
 * @returns how many octets there are in `out`
 */
export function emitReady(
  entry: Entry,
  query: Uint8Array,
  length: number,
  peeked: Peeked,
  pulse: SharedPulse,
  out: Uint8Array,
): number {
  const { flags, serialAt, turns } = entry;
  const { hasEdns } = peeked;
  const reserved = hasEdns ? OPT_OCTETS : 0;
  const limit = peeked.limit - reserved;
  const start = questionEnd(peeked);
  copy(query, HEADER_OCTETS, start - HEADER_OCTETS, out, HEADER_OCTETS);

  const order = turns?.next();
  done.at = start;
  putAnswers(entry, order, limit, out);
  putAuthority(entry, limit, out);
  if (serialAt >= 0 && (done.answers > 0 || done.authorities > 0)) setSerial(out, start + serialAt, pulse);
  putAdditionals(entry, order, Math.min(limit, length * UDP_AMPLIFICATION - reserved), out);

  setHeader(flags | (done.isCut ? TC_BIT : 0), query, out);
  setPair(out, 6, done.answers);
  setPair(out, 8, done.authorities);
  setPair(out, 10, done.additionals + (hasEdns ? 1 : 0));
  return hasEdns ? putOpt(peeked, out, done.at) : done.at;
}

/** Group by group, as many answers as are shown. Parts that stand side by side are copied as one: of a set that is turned there are two. */
function putAnswers(
  { groups, most, turns, places, parts }: Entry,
  order: Uint32Array | undefined,
  limit: number,
  out: Uint8Array,
): void {
  let { at } = done;
  let answers = 0;
  let shown = 0;
  let isCut = false;
  let runStart = 0;
  let runEnd = 0;
  let runAt = at;
  if (turns) places.fill(-1);
  for (; shown < groups.length && answers < most && !isCut; shown++) {
    const group = groups[order ? (order[shown] ?? 0) : shown];
    if (!group) break;
    for (const part of group.answers) {
      if (answers === most) break;
      if (turns && (places[part] ?? -1) >= 0) continue; // another group has shown it
      const start = parts.starts[part] ?? 0;
      const end = parts.starts[part + 1] ?? 0;
      isCut = at + end - start > limit;
      if (isCut) break;
      if (start !== runEnd) {
        copy(parts.octets, runStart, runEnd - runStart, out, runAt);
        runStart = start;
        runAt = at;
      }
      runEnd = end;
      places[part] = at;
      at += end - start;
      answers++;
    }
  }
  copy(parts.octets, runStart, runEnd - runStart, out, runAt);
  done.at = at;
  done.answers = answers;
  done.groups = shown;
  done.isCut = isCut;
}

/** Behind all answers, or not at all. */
function putAuthority({ authority, parts }: Entry, limit: number, out: Uint8Array): void {
  done.authorities = 0;
  if (done.isCut) return;
  for (const part of authority) {
    const end = put(parts, part, out, done.at, limit);
    done.isCut = end < 0;
    if (done.isCut) return;
    done.at = end;
    done.authorities++;
  }
}

/** Of the groups shown: set by set, up to the first that does not fit whole. */
function putAdditionals(
  { groups, places, parts }: Entry,
  order: Uint32Array | undefined,
  limit: number,
  out: Uint8Array,
): void {
  done.additionals = 0;
  if (done.isCut) return;
  let setAt = done.at;
  let beforeSet = 0;
  for (let index = 0; index < done.groups; index++) {
    const group = groups[order ? (order[index] ?? 0) : index];
    if (!group) return;
    for (const { part, isFirst, owner, offset } of group.additionals) {
      if (isFirst) {
        setAt = done.at;
        beforeSet = done.additionals;
      }
      const end = put(parts, part, out, done.at, limit);
      if (end < 0) {
        done.at = setAt;
        done.additionals = beforeSet;
        return;
      }
      if (owner >= 0) setPointer(out, done.at, (places[owner] ?? 0) + offset);
      done.at = end;
      done.additionals++;
    }
  }
}

/** As {@link emitReady}, for a name that does not exist. */
export function emitMissing(
  { soa, pointers, questionOctets, serialAt, flags }: MissingMail,
  query: Uint8Array,
  peeked: Peeked,
  pulse: SharedPulse,
  out: Uint8Array,
): number {
  const start = questionEnd(peeked);
  copy(query, HEADER_OCTETS, start - HEADER_OCTETS, out, HEADER_OCTETS);
  const isCut = start + soa.length > peeked.limit - (peeked.hasEdns ? OPT_OCTETS : 0);
  const moved = start - HEADER_OCTETS - questionOctets;
  if (!isCut) {
    copy(soa, 0, soa.length, out, start);
    for (const at of pointers) {
      const target = ((((soa[at] ?? 0) & ~POINTER) << 8) | (soa[at + 1] ?? 0)) + moved;
      setPointer(out, start + at, target);
    }
    setSerial(out, start + serialAt, pulse);
  }
  setHeader(flags | (isCut ? TC_BIT : 0), query, out);
  setPair(out, 6, 0);
  setPair(out, 8, isCut ? 0 : 1);
  setPair(out, 10, peeked.hasEdns ? 1 : 0);
  const at = isCut ? start : start + soa.length;
  return peeked.hasEdns ? putOpt(peeked, out, at) : at;
}

function questionEnd({ nameOctets }: Peeked): number {
  return HEADER_OCTETS + nameOctets + 4;
}

/** Where a part ends that begins at `at`; -1: it does not fit. */
function put(
  { octets, starts }: ReadyMail["parts"],
  part: number,
  out: Uint8Array,
  at: number,
  limit: number,
): number {
  const start = starts[part] ?? 0;
  const size = (starts[part + 1] ?? 0) - start;
  if (at + size > limit) return -1;
  copy(octets, start, size, out, at);
  return at + size;
}

/** Octet by octet where that is faster than a call. */
function copy(from: Uint8Array, start: number, size: number, out: Uint8Array, at: number): void {
  if (size > MAX_LOOPED) {
    out.set(from.subarray(start, start + size), at);
    return;
  }
  for (let index = 0; index < size; index++) out[at + index] = from[start + index] ?? 0;
}

function setHeader(flags: number, query: Uint8Array, out: Uint8Array): void {
  out[0] = query[0] ?? 0;
  out[1] = query[1] ?? 0;
  setPair(out, 2, flags | (((query[2] ?? 0) & RD) << 8) | ((query[3] ?? 0) & CD));
  setPair(out, 4, 1);
}

/** What the registry's serial is now: what does not hang on it may well be older. */
function setSerial(out: Uint8Array, at: number, { cells }: SharedPulse): void {
  const serial = Atomics.load(cells, SERIAL);
  setPair(out, at, serial >>> 16);
  setPair(out, at + 2, serial);
}

function putOpt({ isDnssecOk }: Peeked, out: Uint8Array, at: number): number {
  out[at] = 0;
  setPair(out, at + 1, TYPE.OPT);
  setPair(out, at + 3, UDP_PAYLOAD_OCTETS);
  setPair(out, at + 5, 0);
  setPair(out, at + 7, isDnssecOk ? 0x8000 : 0);
  setPair(out, at + 9, 0);
  return at + OPT_OCTETS;
}

function setPointer(out: Uint8Array, at: number, target: number): void {
  setPair(out, at, (POINTER << 8) | target);
}

function setPair(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 8;
  out[at + 1] = value;
}
