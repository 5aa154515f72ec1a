import { type Reply, RCODE, MAX_MESSAGE_OCTETS, HEADER_OCTETS, type Question } from "../../wire/message.ts";
import { CLASS_IN, type ResourceRecord } from "../../wire/record.ts";
import { AA_BIT, TC_BIT, writeReply } from "../../wire/writer.ts";
import type { Answer, Choice } from "../kinds.ts";
import { type Additional, type Grounds, type Group, type ReadyMail, typeKey } from "./mail.ts";

/** RFC 1035 section 4.1.4: the two bits that make a pointer of a pair. */
const POINTER = 0xc000;
/** RFC 1035 section 3.3.13: what stands in an SOA record behind its two names. */
export const SOA_NUMBERS_OCTETS = 20;

const ROOM = { limit: MAX_MESSAGE_OCTETS, additionalsLimit: MAX_MESSAGE_OCTETS };

/** What was found for a question of class IN, and under what. */
export interface Finding extends Grounds {
  readonly question: Question;
  readonly given: Answer;
  readonly view: number;
  readonly isRecursive: boolean;
  /** Where the turns of a choice stand, and which of the shared numbers they have. */
  readonly begin: readonly number[];
  readonly turn: number;
}

/** The answer in parts; undefined: it is none, or too long, or its names point at each other in a way unknown here. */
export function makeReady(finding: Finding): ReadyMail | undefined {
  const { question, given, view, cells, sum } = finding;
  const written = write(finding);
  if (!written) return undefined;
  const { reply, octets, starts, flags } = written;
  const count = reply.answers.length;
  const places = new Map(reply.answers.map((record, at) => [record, at]));
  const firstAdditional = count + reply.authority.length;
  const choice = given.kind === "records" ? given.choice : undefined;
  let next = firstAdditional;
  const additionalsOf = (records: readonly ResourceRecord[]): Additional[] =>
    records.map((record, at) => {
      const part = next++;
      const before = records[at - 1];
      const isFirst = before?.name !== record.name || before.type !== record.type;
      return { part, isFirst, ...ownerOf(octets, starts, part, choice ? count : 0) };
    });
  const groups: Group[] = choice
    ? choice.groups.map((group) => ({
        answers: group.records.flatMap((record) => places.get(record) ?? []),
        additionals: additionalsOf(group.additionals),
      }))
    : [{ answers: [...places.values()], additionals: additionalsOf(reply.additionals) }];
  if (choice && !areMovable(groups, octets, starts, count)) return undefined;
  const serials = [...reply.answers, ...reply.authority].flatMap(({ type }, at) =>
    type === "SOA" ? [at] : [],
  );
  if (serials.length > 1) return undefined;
  const [soa] = serials;
  const base = starts[0] ?? 0;
  return {
    kind: "ready",
    view,
    name: Uint8Array.from(question.name, (octet) => octet.charCodeAt(0)),
    type: typeKey(question.type),
    flags,
    parts: { octets: copyOf(octets, base), starts: Uint32Array.from(starts, (start) => start - base) },
    groups,
    order: choice?.turn.service.declaration.order ?? "rotate",
    weights: choice?.groups.map(({ weight }) => weight) ?? [],
    begin: finding.begin,
    turn: finding.turn,
    most: choice?.most ?? count,
    authority: reply.authority.map((_, at) => count + at),
    serialAt: soa === undefined ? -1 : (starts[soa + 1] ?? 0) - SOA_NUMBERS_OCTETS - base,
    cells,
    sum,
  };
}

interface Written {
  readonly reply: Reply;
  readonly octets: Uint8Array;
  readonly starts: readonly number[];
  readonly flags: number;
}

/** Writes all that could be shown, in the order in which it was declared. */
export function write({ question, given, isRecursive }: Finding): Written | undefined {
  if (question.class !== CLASS_IN) return undefined;
  const sections = sectionsOf(given);
  if (!sections) return undefined;
  const reply: Reply = {
    id: 0,
    opcode: 0,
    rcode: given.kind === "nxdomain" ? RCODE.NXDOMAIN : RCODE.NOERROR,
    authoritative: true,
    recursionDesired: false,
    recursionAvailable: isRecursive,
    checkingDisabled: false,
    question,
    ...sections,
    edns: undefined,
  };
  const starts: number[] = [];
  const octets = writeReply(reply, ROOM, starts);
  const flags = ((octets[2] ?? 0) << 8) | (octets[3] ?? 0);
  return (flags & TC_BIT) === 0 && (flags & AA_BIT) !== 0 ? { reply, octets, starts, flags } : undefined;
}

type Sections = Pick<Reply, "answers" | "authority" | "additionals">;

function sectionsOf(given: Answer): Sections | undefined {
  switch (given.kind) {
    case "records":
      return given.choice
        ? allOf(given.choice)
        : { answers: given.records, authority: [], additionals: given.additionals };
    case "nodata":
    case "nxdomain":
      return { answers: [], authority: [given.soa], additionals: [] };
    case "servfail":
    case "elsewhere":
      return undefined;
  }
}

function allOf({ groups }: Choice): Sections {
  return {
    answers: [...new Set(groups.flatMap(({ records }) => records))],
    authority: [],
    additionals: groups.flatMap(({ additionals }) => additionals),
  };
}

/**
 * What stands behind a place, in memory of its own: `slice` would be the `Buffer`'s, which copies nothing, and all
 * 8 KiB that the reply shares with others would go from thread to thread and stay with each entry.
 */
export function copyOf(octets: Uint8Array, start: number): Uint8Array {
  return new Uint8Array(octets.subarray(start));
}

/** What a record's owner points at, if that is one of the first `answers`. */
function ownerOf(
  octets: Uint8Array,
  starts: readonly number[],
  part: number,
  answers: number,
): Pick<Additional, "owner" | "offset"> {
  const target = pointerAt(octets, starts[part] ?? 0);
  for (let owner = 0; owner < answers; owner++) {
    const start = starts[owner] ?? 0;
    if (target >= start && target < (starts[owner + 1] ?? 0)) return { owner, offset: target - start };
  }
  return { owner: -1, offset: 0 };
}

/** Where the pointer at a place leads; -1: there is none. */
export function pointerAt(octets: Uint8Array, at: number): number {
  const pair = ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  return pair >= POINTER ? pair - POINTER : -1;
}

/**
 * Whether the groups can stand in any order: each answer's owner is the question's name, and points there, or is
 * the root; an additional's points at the question, or into an answer of its own group.
 */
function areMovable(
  groups: readonly Group[],
  octets: Uint8Array,
  starts: readonly number[],
  answers: number,
): boolean {
  const questionEnd = starts[0] ?? 0;
  for (let part = 0; part < answers; part++) {
    const start = starts[part] ?? 0;
    if (pointerAt(octets, start) !== HEADER_OCTETS && octets[start] !== 0) return false;
  }
  return groups.every((group) =>
    group.additionals.every(({ part, owner }) => {
      const target = pointerAt(octets, starts[part] ?? 0);
      return owner >= 0 ? group.answers.includes(owner) : target >= HEADER_OCTETS && target < questionEnd;
    }),
  );
}
