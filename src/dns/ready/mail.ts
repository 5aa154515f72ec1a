import type { Order } from "../../model/declaration.ts";
import type { SharedPresence } from "../../registry/presence.ts";
import { TYPE } from "../../wire/record.ts";

/** What the thread that has the registry tells those that have a book: plain values, which go from thread to thread. */
export type Mail = ClientMail | ReadyMail | MissingMail;

/** What something was read under, and the sum of the numbers that those cells showed when it was. */
export interface Grounds {
  readonly cells: Uint32Array;
  readonly sum: number;
}

/** What a client sees. */
export interface ClientMail extends Grounds {
  readonly kind: "client";
  readonly client: ClientKey;
  readonly view: number;
}

/** Who asks: an address, in the form that is the least trouble to whoever was asked. */
export type ClientKey = number | string;

/**
 * A reply to all who ask this of this view, in parts: a part is a record, as it stands in a reply, and they are put
 * together anew for each. So one is good for any size, with EDNS and without, and whoever's turn it is.
 */
export interface ReadyMail extends Grounds {
  readonly kind: "ready";
  readonly view: number;
  /** The name asked for, folded to lower case, to the root's zero octet. */
  readonly name: Uint8Array;
  /** As {@link typeKey} has it. */
  readonly type: number;
  /** The second pair of octets of the header, without what the query says: AA, RA and the rcode. */
  readonly flags: number;
  readonly parts: Parts;
  readonly groups: readonly Group[];
  /** In which order the groups are shown. */
  readonly order: Order;
  readonly weights: readonly number[];
  /** Where the turns stand, as `Turns` has it. */
  readonly begin: readonly number[];
  /** By which of the shared numbers they are taken, where one is enough. */
  readonly turn: number;
  /** How many answers are shown. */
  readonly most: number;
  /** The parts of the authority section. */
  readonly authority: readonly number[];
  /** Where the serial stands that is the registry's when the reply leaves, from the start of the octets; -1: nowhere. */
  readonly serialAt: number;
}

/** Records, one behind another. */
export interface Parts {
  readonly octets: Uint8Array;
  /** Where each begins, and at last where the last ends. */
  readonly starts: Uint32Array;
}

/** What is shown together, and takes a turn as one: parts, by number. */
export interface Group {
  readonly answers: readonly number[];
  readonly additionals: readonly Additional[];
}

export interface Additional {
  readonly part: number;
  /** Whether it is the first of its set: of no set only a part is shown (RFC 2181 section 9). */
  readonly isFirst: boolean;
  /** What its owner's name points at (RFC 1035 section 4.1.4): so many octets into that answer; -1: at no answer. */
  readonly owner: number;
  readonly offset: number;
}

/**
 * What those who see this view are told of names that the registry does not have: in the zone, or, where the zone is the
 * root, of one label.
 */
export interface MissingMail extends Grounds {
  readonly kind: "missing";
  readonly view: number;
  readonly isBare: boolean;
  /** The octets of the namespace whose names are found without it; empty: there is none. */
  readonly namespace: string;
  /** The name of the zone, or of the root: one character an octet, with the root's zero octet. */
  readonly zone: string;
  /** What ends in one of these in front of the zone is the registry's to say: labels with their lengths, hashed. */
  readonly exceptions: ReadonlySet<number>;
  /** And so are the names of networks, hashed: something is beneath them. */
  readonly networks: ReadonlySet<number>;
  readonly presence: SharedPresence;
  readonly flags: number;
  /** The SOA record, as it stands behind a question of so many octets. */
  readonly soa: Uint8Array;
  readonly questionOctets: number;
  /** Where in it there are pointers: all of them move with the question's end. */
  readonly pointers: readonly number[];
  readonly serialAt: number;
}

/** All others are one: nothing is of them. */
const KNOWN_TYPES: ReadonlySet<number> = new Set<number>(Object.values(TYPE));
const OTHER_TYPES = 0;

/** A type, or 0 for all those that no record is of. */
export function typeKey(type: number): number {
  return KNOWN_TYPES.has(type) ? type : OTHER_TYPES;
}
