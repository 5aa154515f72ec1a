import { type Name, ROOT } from "../model/name.ts";
import { HEADER_OCTETS, MAX_MESSAGE_OCTETS, type Question } from "./message.ts";
import { SuffixTable } from "./suffix-table.ts";

/** RFC 1035 section 4.1.4. */
const POINTER = 0xc000;

/**
 * Writes one message after another into one scratch buffer, names compressed.
 *
 * Writing past 65,535 octets goes nowhere but counts: the caller looks at {@link at} after each record and sets
 * it back if that went too far, instead of asking before each octet. Behind a record taken back so, no more names
 * may come: they might point at what it had.
 */
export class OctetWriter {
  /** Where the next octet goes. */
  at = 0;
  readonly #octets = Buffer.allocUnsafeSlow(MAX_MESSAGE_OCTETS);
  readonly #suffixes = new SuffixTable(this.#octets);
  #asked: Name | undefined;

  /** Begins a message: leaves room for the header and repeats the question as it was asked (RFC 4343 section 4.1). */
  start(question: Question | undefined): void {
    this.#suffixes.clear();
    this.#asked = undefined;
    this.at = HEADER_OCTETS;
    if (question === undefined) return;
    this.#octets.set(question.octets, HEADER_OCTETS);
    this.#suffixes.add(question.name, HEADER_OCTETS);
    if (question.name !== ROOT) this.#asked = question.name;
    this.at += question.octets.length;
  }

  /** The message, in memory of its own. */
  finish(): Uint8Array {
    // From Node's pool: 115 ns for 120 octets and 165 for 600, where `slice` takes 390 and 660.
    const message = Buffer.allocUnsafe(this.at);
    this.#octets.copy(message, 0, 0, this.at);
    return message;
  }

  octet(value: number): void {
    this.#octets[this.at++] = value;
  }

  /** Two octets, the higher first, as all numbers in a message. */
  pair(value: number): void {
    this.setPair(this.at, value);
    this.at += 2;
  }

  /** Four octets; `value` up to 2³²-1. */
  quad(value: number): void {
    this.pair(value >>> 16);
    this.pair(value);
  }

  /** Overwrites what could not be known before. */
  setPair(at: number, value: number): void {
    this.#octets[at] = value >>> 8;
    this.#octets[at + 1] = value;
  }

  /** The first `length` octets of a string with an octet a character: for addresses and names. */
  latin1(octets: string, length: number = octets.length): void {
    // A call of `Buffer.write` takes 65 ns whatever the length, an octet here 4: addresses and labels are short.
    if (length <= 16) {
      for (let from = 0; from < length; from++) this.octet(octets.charCodeAt(from));
      return;
    }
    if (this.at + length <= MAX_MESSAGE_OCTETS) this.#octets.write(octets, this.at, length, "latin1");
    this.at += length;
  }

  /** `text` as UTF-8, known to be of `length` octets. */
  utf8(text: string, length: number): void {
    if (this.at + length <= MAX_MESSAGE_OCTETS) this.#octets.write(text, this.at);
    this.at += length;
  }

  /** A name, compressed as far as what was written before allows. */
  name(name: Name): void {
    // The owner of nearly every answer: not even hashed.
    if (name === this.#asked) return this.pair(POINTER | HEADER_OCTETS);
    const start = this.at;
    const { cut, offset } = this.#suffixes.add(name, start);
    if (offset === 0) return this.latin1(name);
    this.latin1(name, cut);
    this.pair(POINTER | offset);
  }

  /** A name in full, which later names may point at. */
  fullName(name: Name): void {
    this.#suffixes.add(name, this.at);
    this.latin1(name);
  }
}
