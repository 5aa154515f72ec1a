import { LRUCache } from "lru-cache";
import { FNV_START, mix, fnvOf, fnvOn } from "../../base/hash.ts";
import { mayExist } from "../../registry/presence.ts";
import { type SharedPulse, sumOf } from "../../registry/pulse.ts";
import { RCODE } from "../../wire/message.ts";
import { createTurns } from "../turns.ts";
import { type Entry, emitMissing, emitReady } from "./emit.ts";
import {
  type ClientKey,
  type ClientMail,
  type Grounds,
  type Mail,
  type MissingMail,
  type ReadyMail,
  typeKey,
} from "./mail.ts";
import { createPeeked, peek } from "./peek.ts";
import type { Shared } from "./shared.ts";

/** Answers from what it was told, without the registry: from the octets of a query to those of its reply. */
export interface Book {
  /**
   * Writes the reply to a UDP query into `out`. Never throws, whatever somebody sent.
   *
   * @param query in its first `length` octets
   * @param client who asks: an IPv4 address as a number, or the 16 octets of an IPv6 one, each a character
   * @param out room for 1,232 octets at least
   * @returns how many octets the reply has; 0: somebody who has the registry must answer
   */
  reply(query: Uint8Array, length: number, client: ClientKey, out: Uint8Array): number;
  /** Whether it is known, and still holds, what a client sees: else it is to be told with the next mail. */
  knows(client: ClientKey): boolean;
  /** Takes in what was not known. */
  take(mail: Mail): void;
}

/** What the ready replies of one thread take at most. */
const MAX_BOOK_OCTETS = 64 * 1024 * 1024;
/** What an entry takes of the heap, measured: by itself, for each group, and for each additional record; and its octets. */
const ENTRY_OCTETS = 2048;
const GROUP_OCTETS = 320;
const ADDITIONAL_OCTETS = 256;
/**
 * How many clients are known: strangers choose how many there are, and each takes some 370 octets. But where more ask in
 * turn, each is always the one that was forgotten: a query of 10,000 clients took 56 us with 4,096 known, and takes 9.
 */
export const MAX_CLIENTS = 65_536;
/** How many views' word on missing names is kept. */
const MAX_MISSING = 1024;

export function createBook(shared: Shared): Book {
  const peeked = createPeeked();
  /** By what a query says, hashed: of two that have the same hash, the last counts, or the one that exists. */
  const entries = new LRUCache<number, Entry>({
    maxSize: MAX_BOOK_OCTETS,
    maxEntrySize: MAX_BOOK_OCTETS / 16,
    sizeCalculation: sizeOf,
  });
  const clients = new LRUCache<ClientKey, ClientMail>({ max: MAX_CLIENTS });
  /** By view; of names of one label behind all others. */
  const missing = new LRUCache<number, MissingMail>({ max: MAX_MISSING });

  return {
    reply(query, length, client, out) {
      if (!peek(query, length, peeked)) return 0;
      const seen = clients.get(client);
      if (!seen || !holds(shared, seen)) return 0;
      const type = typeKey(peeked.type);
      const entry = entries.get(keyOf(peeked.hash, type, seen.view));
      if (entry && isFor(entry, type, seen.view) && holds(shared, entry))
        return emitReady(entry, query, length, peeked, shared, out);
      const nowhere = missing.get(missingKey(seen.view, peeked.labelCount === 1));
      if (!nowhere || !isMissing(nowhere) || !holds(shared, nowhere)) return 0;
      return emitMissing(nowhere, query, peeked, shared, out);
    },
    knows(client) {
      const seen = clients.get(client);
      return seen !== undefined && holds(shared, seen);
    },
    take(mail) {
      switch (mail.kind) {
        case "client":
          clients.set(mail.client, mail);
          return;
        case "missing":
          missing.set(missingKey(mail.view, mail.isBare), mail);
          return;
        case "ready":
          keep(mail);
      }
    },
  };

  function keep(mail: ReadyMail): void {
    const key = keyOf(hashOfName(mail.name), mail.type, mail.view);
    const before = entries.peek(key);
    // Who asks for a name that is made to hash like one that exists must not have that one forgotten.
    if (isDenial(mail) && before && !isDenial(before) && holds(shared, before)) return;
    entries.set(key, entryOf(mail, shared));
  }

  function isFor({ name, type, view }: Entry, asked: number, seen: number): boolean {
    if (type !== asked || view !== seen || name.length !== peeked.nameOctets) return false;
    for (let at = 0; at < name.length; at++) if (name[at] !== peeked.name[at]) return false;
    return true;
  }

  /** Whether the name is beneath the zone and nothing of what the registry would look for exists. */
  function isMissing({ zone, namespace, exceptions, networks, presence }: MissingMail): boolean {
    const { labels, labelCount, hashes, nameOctets, name } = peeked;
    const cut = nameOctets - zone.length;
    let label = labelCount;
    while (label > 0 && (labels[label] ?? 0) > cut) label--;
    if (label < 1 || labels[label] !== cut) return false;
    for (let at = 0; at < zone.length; at++) if (name[cut + at] !== zone.charCodeAt(at)) return false;
    // Whatever a network's name may be taken off the end, what is left in front begins as the name does.
    for (let count = 1; count <= labelCount; count++) {
      const front = hashes[count] ?? 0;
      if (mayExist(presence, front)) return false;
      if (namespace !== "" && mayExist(presence, fnvOf(namespace, front))) return false;
    }
    if (networks.has(hashes[label] ?? 0) || networks.has(peeked.hash)) return false;
    let last = FNV_START;
    for (let at = labels[label - 1] ?? 0; at < cut; at++) last = fnvOn(last, name[at] ?? 0);
    return !exceptions.has(last);
  }
}

/** Strangers choose which names do not exist. */
function isDenial({ flags }: ReadyMail): boolean {
  return (flags & 0x0f) === RCODE.NXDOMAIN;
}

function missingKey(view: number, isBare: boolean): number {
  return view * 2 + Number(isBare);
}

function entryOf(mail: ReadyMail, { turns: numbers }: Shared): Entry {
  const { order, weights, begin, turn, groups } = mail;
  const take = (): number => Atomics.add(numbers, turn, 1) >>> 0;
  const turns = groups.length > 1 ? createTurns({ order, weights, begin, take }) : undefined;
  return Object.assign({}, mail, { turns, places: new Int32Array(mail.parts.starts.length) });
}

/** What an entry takes, about. */
function sizeOf({ parts, groups }: Entry): number {
  let octets = ENTRY_OCTETS + parts.octets.length;
  for (const { additionals } of groups) octets += GROUP_OCTETS + additionals.length * ADDITIONAL_OCTETS;
  return octets;
}

/** A number that fits into a word of the engine's, and so is compared as one. */
function keyOf(hash: number, type: number, view: number): number {
  return mix(hash ^ Math.imul(type + 1, 0x9e3779b1) ^ Math.imul(view + 1, 0x85ebca77)) | 0;
}

/** As `peek` hashes it: without the root's zero octet. */
function hashOfName(name: Uint8Array): number {
  return name.subarray(0, -1).reduce(fnvOn, FNV_START);
}

/** Whether what was read still reads the same. */
function holds(pulse: SharedPulse, { cells, sum }: Grounds): boolean {
  return sumOf(pulse, cells) === sum;
}
