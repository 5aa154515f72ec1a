import { HEADER_OCTETS } from "../../wire/message.ts";
import {
  countLabels,
  labelsOf,
  type Name,
  parseName,
  parsePrefix,
  type Prefix,
  prefixOf,
  ROOT,
  wholePrefix,
} from "../../model/name.ts";
import type { View } from "../../model/view.ts";
import { attempt } from "../../base/error.ts";
import { fnvOf } from "../../base/hash.ts";
import type { Registry } from "../../registry/registry.ts";
import { MAILBOX, NAME_SERVER } from "../kinds.ts";
import { SPECIAL_NAMES } from "../special.ts";
import type { MissingMail } from "./mail.ts";
import { copyOf, type Finding, pointerAt, SOA_NUMBERS_OCTETS, write } from "./make.ts";

/** RFC 1035 section 3.2.1: type, class, TTL and RDLENGTH, behind the owner. */
const FIXED_OCTETS = 10;

/**
 * From one name that does not exist, what all of them are answered that are in the zone, or that have one label;
 * undefined: it tells nothing of others.
 */
export function makeMissing(
  finding: Finding,
  { namespace }: View,
  { settings, presence, networks }: Pick<Registry, "settings" | "presence" | "networks">,
  routed: readonly Name[],
): MissingMail | undefined {
  const { question, given, view, cells, sum } = finding;
  const inZone = prefixOf(question.name, settings.zone);
  const [zone, prefix] = inZone === undefined ? [ROOT, wholePrefix(question.name)] : [settings.zone, inZone];
  const isBare = zone === ROOT;
  if (given.kind !== "nxdomain" || prefix === "" || (isBare && countLabels(prefix) > 1)) return undefined;
  const exceptions = isBare
    ? hashesOf([...SPECIAL, settings.zone, ...routed].map((name) => lastLabel(wholePrefix(name))))
    : OWN;
  if (exceptions.has(fnvOf(lastLabel(prefix)))) return undefined;
  const written = write(finding);
  if (!written) return undefined;
  const { octets, starts, flags } = written;
  const start = starts[0] ?? 0;
  const pointers = pointersOf(octets, start);
  // A name in front of the zone that the SOA record has a part of would be pointed at as well.
  const zoneAt = HEADER_OCTETS + prefix.length;
  if (pointers.some((at) => pointerAt(octets, at) < zoneAt)) return undefined;
  return {
    kind: "missing",
    view,
    isBare,
    namespace,
    zone,
    exceptions,
    networks: namesOf(networks),
    presence,
    flags,
    soa: copyOf(octets, start),
    questionOctets: question.octets.length,
    pointers: pointers.map((at) => at - start),
    serialAt: octets.length - SOA_NUMBERS_OCTETS - start,
    cells,
    sum,
  };
}

/** What an SOA record has of its own in front of the zone. */
const OWN = hashesOf([NAME_SERVER, MAILBOX]);
/** What means the same to everybody, or leads to reverse zones. */
const SPECIAL: readonly Name[] = [...SPECIAL_NAMES, parseName("arpa")];

/** By the registry's map, which is another when one changes: to parse a thousand names for each query takes 1.4 ms. */
const namesBefore = new WeakMap<Registry["networks"], ReadonlySet<number>>();

/** Networks by their names as labels, hashed: nobody can ask for what is no name. */
function namesOf(networks: Registry["networks"]): ReadonlySet<number> {
  const before = namesBefore.get(networks);
  if (before) return before;
  const names = hashesOf(
    [...networks.keys()].flatMap((network) => attempt(() => parsePrefix(network)) ?? []),
  );
  namesBefore.set(networks, names);
  return names;
}

function hashesOf(names: readonly string[]): ReadonlySet<number> {
  return new Set(names.map((name) => fnvOf(name)));
}

/** The last label with its length; as a network's name, it is a prefix of one label. */
function lastLabel(labels: Prefix): string {
  const last = labelsOf(labels).at(-1) ?? "";
  return String.fromCharCode(last.length) + last;
}

/** Where pointers stand in an SOA record: at the ends of its owner and of the two names in it. */
function pointersOf(octets: Uint8Array, start: number): readonly number[] {
  const owner = nameEnd(octets, start);
  const primary = nameEnd(octets, owner.end + FIXED_OCTETS);
  const mailbox = nameEnd(octets, primary.end);
  return [owner, primary, mailbox].flatMap(({ pointer }) => pointer ?? []);
}

function nameEnd(
  octets: Uint8Array,
  start: number,
): { readonly end: number; readonly pointer: number | undefined } {
  let at = start;
  while ((octets[at] ?? 0) > 0) {
    if (pointerAt(octets, at) >= 0) return { end: at + 2, pointer: at };
    at += 1 + (octets[at] ?? 0);
  }
  return { end: at + 1, pointer: undefined };
}
