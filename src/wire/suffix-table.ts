import { MAX_NAME_OCTETS, type Name } from "../model/name.ts";

/** A power of two, so that a hash becomes a slot by its lower bits. */
const SLOTS = 2048;
/** Suffixes beyond these are written in full: a table that is never quite full keeps its searches short. */
const MAX_SUFFIXES = 1536;
/** RFC 1035 section 4.1.4: a pointer has 14 bits. */
const MAX_OFFSET = 0x3fff;
/** The offset of the root, which nobody points at: it is shorter than a pointer. */
const NONE = 0;

/** Where a name's known part begins. */
interface Match {
  /** How many octets of the name stand in front of it. */
  cut: number;
  /** Where it stands in the message; 0: nothing of the name is known. */
  offset: number;
}

/**
 * The suffixes of the names in a message (`web.rota.internal`, `rota.internal`, `internal`), each found by its
 * first label and the offset of what follows that label. So a name is looked up from its right end label by
 * label, each label hashed and compared once, without following a pointer and without allocating.
 */
export class SuffixTable {
  readonly #message: Uint8Array;
  /** By slot: where the suffix stands in the message; NONE: the slot is empty. */
  readonly #offsets = new Uint16Array(SLOTS);
  /** By slot: the offset of the suffix without its first label. */
  readonly #parents = new Uint16Array(SLOTS);
  /** The slots that are not empty, of which there are `#count`. */
  readonly #filled = new Uint16Array(MAX_SUFFIXES);
  #count = 0;
  /** Where the labels of the name at hand begin. */
  readonly #labels = new Uint8Array(MAX_NAME_OCTETS);
  readonly #match: Match = { cut: 0, offset: NONE };

  constructor(message: Uint8Array) {
    this.#message = message;
  }

  /**
   * Finds the longest suffix of `name` that is known, and makes known the longer ones, which the caller is about
   * to write from `start` on (or has written).
   *
   * @returns good until the next call
   */
  add(name: Name, start: number): Readonly<Match> {
    let label = this.#splitLabels(name) - 1;
    let parent = NONE;
    for (; label >= 0; label--) {
      const offset = this.#offsets[this.#slotOf(name, this.#labelAt(label), parent)] ?? NONE;
      if (offset === NONE) break;
      parent = offset;
    }
    this.#match.cut = this.#labelAt(label + 1);
    this.#match.offset = parent;

    for (; label >= 0; label--) {
      const offset = start + this.#labelAt(label);
      if (offset > MAX_OFFSET || this.#count === MAX_SUFFIXES) break;
      const slot = this.#slotOf(name, this.#labelAt(label), parent);
      this.#offsets[slot] = offset;
      this.#parents[slot] = parent;
      this.#filled[this.#count++] = slot;
      parent = offset;
    }
    return this.#match;
  }

  /** Forgets all, at the cost of what there was, not of the table's size. */
  clear(): void {
    while (this.#count > 0) this.#offsets[this.#filled[--this.#count] ?? 0] = NONE;
  }

  /** How many labels there are; {@link #labels} says where. The root's is behind the last. */
  #splitLabels(name: Name): number {
    let count = 0;
    let at = 0;
    for (; at < name.length - 1; at += 1 + name.charCodeAt(at)) this.#labels[count++] = at;
    this.#labels[count] = at;
    return count;
  }

  #labelAt(label: number): number {
    return this.#labels[label] ?? 0;
  }

  /** The slot that holds this suffix, or the empty one where it belongs. */
  #slotOf(name: Name, at: number, parent: number): number {
    // FNV-1a, begun with the parent. Someone may choose labels that collide, but only the 127 of one question.
    let hash = parent;
    const end = at + 1 + name.charCodeAt(at);
    for (let from = at; from < end; from++) hash = Math.imul(hash ^ name.charCodeAt(from), 0x01000193);
    let slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    while (!this.#isFreeOrHolds(slot, name, at, end, parent)) slot = (slot + 1) & (SLOTS - 1);
    return slot;
  }

  #isFreeOrHolds(slot: number, name: Name, at: number, end: number, parent: number): boolean {
    const offset = this.#offsets[slot] ?? NONE;
    if (offset === NONE) return true;
    if (this.#parents[slot] !== parent) return false;
    for (let from = at; from < end; from++) {
      if (fold(this.#message[offset + from - at] ?? 0) !== name.charCodeAt(from)) return false;
    }
    return true;
  }
}

/** The question stands in the message in the case in which it was asked. */
function fold(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
