import { HEADER_OCTETS, UDP_PAYLOAD_OCTETS } from "../../wire/message.ts";
import type { ClientKey } from "../ready/mail.ts";
import { AF_INET6, IPPROTO_IPV6, MSG_TRUNC, type System } from "./system.ts";

// One piece of memory that the kernel writes queries into and reads replies from, laid out once: the structures of
// recvmmsg(2), for 64-bit little-endian Linux, of glibc and musl alike. It is read and written by the word, as it
// costs no object to do so; with an object a message for each structure, a query takes half as long again.

/** How many queries are taken at once: the call is shared by them, and the last waits for the others. */
export const SLOTS = 64;
/** No question is as long, and few queries of other servers are. */
export const QUERY_OCTETS = 4096;

/** sockaddr_in6, the longer of the two. */
export const NAME_OCTETS = 28;
const NAME_STRIDE = 32;
/** A cmsghdr of 16 with an in6_pktinfo of 20 behind it, and room for one more. */
export const CONTROL_OCTETS = 64;
export const MESSAGE_OCTETS = 64;
export const VECTOR_OCTETS = 16;

/** Where the fields of struct mmsghdr are, in words of 32 bits. */
export const MESSAGE = {
  name: 0,
  nameLength: 2,
  vector: 4,
  vectors: 6,
  control: 8,
  controlLength: 10,
  flags: 12,
  length: 14,
};
const CMSG_OCTETS = 16;
const MESSAGE_WORDS = MESSAGE_OCTETS / 4;
const WORD = 2 ** 32;

/** Who asked, and of which address, as the kernel says it: what a reply needs to go there and come from here. */
export interface Asker {
  /** A sockaddr. */
  readonly name: Uint8Array;
  /** Control messages; empty where the socket has but one address. */
  readonly control: Uint8Array;
}

/** The memory of a lane: what came by slot, what leaves by its place in the row. */
export interface Memory {
  /** The address of the vector for recvmmsg. */
  readonly received: number;
  readonly queries: readonly Uint8Array[];
  readonly replies: readonly Uint8Array[];
  /** Makes `slots` slots ready to receive. */
  clear(slots: number): void;
  /** How many octets came; 0 for what cannot be a query: too long, without a header, or a reply itself. */
  lengthOf(slot: number): number;
  /** By who asks: an IPv4 address as a number, or the octets of an IPv6 one, each a character. */
  clientOf(slot: number): ClientKey;
  askerOf(slot: number): Asker;
  /** Sends the reply at `place`, of so many octets, to who asked in `slot`. */
  address(place: number, slot: number, octets: number): void;
  /** The address of the vector for sendmmsg, from `place` on. */
  sent(place: number): number;
}

export function createMemory(system: System): Memory {
  const plan = createPlan();
  const received = plan(MESSAGE_OCTETS * SLOTS);
  const sent = plan(MESSAGE_OCTETS * SLOTS);
  const receivedVectors = plan(VECTOR_OCTETS * SLOTS);
  const sentVectors = plan(VECTOR_OCTETS * SLOTS);
  const names = plan(NAME_STRIDE * SLOTS);
  const controls = plan(CONTROL_OCTETS * SLOTS);
  const queriesAt = plan(QUERY_OCTETS * SLOTS);
  const repliesAt = plan(UDP_PAYLOAD_OCTETS * SLOTS);
  const block = new ArrayBuffer(plan(0));
  const base = system.addressOf(block);
  const words = new Uint32Array(block);
  const octets = Buffer.from(block);
  const each = <T>(make: (slot: number) => T): T[] => Array.from({ length: SLOTS }, (_, slot) => make(slot));
  const queries = each((slot) => new Uint8Array(block, queriesAt + slot * QUERY_OCTETS, QUERY_OCTETS));
  const replies = each(
    (slot) => new Uint8Array(block, repliesAt + slot * UDP_PAYLOAD_OCTETS, UDP_PAYLOAD_OCTETS),
  );

  for (let slot = 0; slot < SLOTS; slot++) {
    const message = (received + slot * MESSAGE_OCTETS) / 4;
    const vector = receivedVectors + slot * VECTOR_OCTETS;
    point(words, message + MESSAGE.name, base + names + slot * NAME_STRIDE);
    point(words, message + MESSAGE.vector, base + vector);
    words[message + MESSAGE.vectors] = 1;
    point(words, message + MESSAGE.control, base + controls + slot * CONTROL_OCTETS);
    point(words, vector / 4, base + queriesAt + slot * QUERY_OCTETS);
    words[vector / 4 + 2] = QUERY_OCTETS;

    const reply = (sent + slot * MESSAGE_OCTETS) / 4;
    const replyVector = sentVectors + slot * VECTOR_OCTETS;
    point(words, reply + MESSAGE.vector, base + replyVector);
    words[reply + MESSAGE.vectors] = 1;
    point(words, replyVector / 4, base + repliesAt + slot * UDP_PAYLOAD_OCTETS);
  }
  const at = (slot: number): number => received / 4 + slot * MESSAGE_WORDS;
  clear(SLOTS);

  return {
    received: base + received,
    queries,
    replies,
    clear,
    lengthOf(slot) {
      const length = words[at(slot) + MESSAGE.length] ?? 0;
      const query = queriesAt + slot * QUERY_OCTETS;
      if (length < HEADER_OCTETS || ((words[at(slot) + MESSAGE.flags] ?? 0) & MSG_TRUNC) !== 0) return 0;
      // RFC 1035 section 4.1.1: QR is the first bit behind the id.
      return ((octets[query + 2] ?? 0) & 0x80) === 0 ? length : 0;
    },
    clientOf(slot) {
      const name = names + slot * NAME_STRIDE;
      if (octets[name] === AF_INET6) return octets.toString("latin1", name + 8, name + 24);
      return octets.readUInt32BE(name + 4);
    },
    askerOf(slot) {
      const name = names + slot * NAME_STRIDE;
      const control = controls + slot * CONTROL_OCTETS;
      unbind(octets, control, words[at(slot) + MESSAGE.controlLength] ?? 0);
      return {
        name: new Uint8Array(block.slice(name, name + (words[at(slot) + MESSAGE.nameLength] ?? 0))),
        control: new Uint8Array(
          block.slice(control, control + (words[at(slot) + MESSAGE.controlLength] ?? 0)),
        ),
      };
    },
    address(place, slot, length) {
      const from = at(slot);
      const to = sent / 4 + place * MESSAGE_WORDS;
      const controlLength = words[from + MESSAGE.controlLength] ?? 0;
      words[to] = words[from] ?? 0;
      words[to + 1] = words[from + 1] ?? 0;
      words[to + MESSAGE.nameLength] = words[from + MESSAGE.nameLength] ?? 0;
      words[to + MESSAGE.controlLength] = controlLength;
      words[(sentVectors + place * VECTOR_OCTETS) / 4 + 2] = length;
      if (controlLength === 0) return;
      words[to + MESSAGE.control] = words[from + MESSAGE.control] ?? 0;
      words[to + MESSAGE.control + 1] = words[from + MESSAGE.control + 1] ?? 0;
      unbind(octets, controls + slot * CONTROL_OCTETS, controlLength);
    },
    sent: (place) => base + sent + place * MESSAGE_OCTETS,
  };

  /** The kernel writes over what it is given room for. */
  function clear(slots: number): void {
    for (let slot = 0; slot < slots; slot++) {
      words[at(slot) + MESSAGE.nameLength] = NAME_OCTETS;
      words[at(slot) + MESSAGE.controlLength] = CONTROL_OCTETS;
    }
  }
}

/** Gives out a block, piece by piece: where each begins. A line of the processor's cache for each. */
function createPlan(): (octets: number) => number {
  let end = 0;
  return (octets) => {
    const begin = end;
    end = Math.ceil((begin + octets) / 64) * 64;
    return begin;
  };
}

/** Writes an address of 64 bits. */
export function point(words: Uint32Array, at: number, address: number): void {
  words[at] = address % WORD;
  words[at + 1] = Math.floor(address / WORD);
}

/**
 * Takes the interface out of what the kernel said of a query (ip(7), RFC 3542 section 6), so that it says of the reply
 * only which address it comes from: it may leave by another, but for a link-local address, which is one only there.
 */
function unbind(octets: Uint8Array, control: number, length: number): void {
  const pktinfo = control + CMSG_OCTETS;
  if (length >= CMSG_OCTETS + 20 && octets[control + 8] === IPPROTO_IPV6) {
    const isLinkLocal = octets[pktinfo] === 0xfe && ((octets[pktinfo + 1] ?? 0) & 0xc0) === 0x80;
    if (!isLinkLocal) octets.fill(0, pktinfo + 16, pktinfo + 20);
    return;
  }
  if (length >= CMSG_OCTETS + 12) octets.fill(0, pktinfo, pktinfo + 4);
}
