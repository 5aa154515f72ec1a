import { StringDecoder } from "node:string_decoder";
import type { Match } from "../model/check.ts";
import { isMatch } from "../model/pattern.ts";

/** The beginning of what a task says, and what is looked for in it. */
export interface Excerpt {
  /** Takes in what came next, for the next look. */
  add(octets: Buffer): void;
  /** Whether what is looked for is there already. May cost as much as all that has come: once a read is enough. */
  look(): boolean;
  /** Whether what is looked for is there, now that this is all. */
  isFound(): boolean;
  /** Nothing more is taken in. */
  readonly isFull: boolean;
  /** It comes in so small pieces that to read on would cost much and bring little. */
  readonly isTooFine: boolean;
  readonly text: string;
}

const MAX_OCTETS = 64 * 1024;
/** Within them; who writes a line at a time, as some do with their metrics, stays below. */
const MAX_PIECES = 4096;
const SHOWN = 60;
/**
 * How many characters a pattern is tried on, all looks together, before looks become rare: a task that says 64 KiB
 * letter by letter would else have it tried on 2 GiB.
 */
const TRIED_FREELY = 1024 * 1024;

/** @param from `stream`: it may never end, and what has come so far is matched as if it did. */
export function createExcerpt(match: Match, from: "stream" | "body"): Excerpt {
  const decoder = new StringDecoder("utf8");
  const isEarly = from === "stream" || !needsEnd(match);
  let room = MAX_OCTETS;
  let count = 0;
  let pieces: Buffer[] = [];
  let text = "";
  /** How much of the text was there at the last look. */
  let looked = 0;
  let tried = 0;

  return {
    add(octets) {
      const taken = octets.subarray(0, room);
      if (taken.length === 0) return;
      room -= taken.length;
      count += 1;
      pieces.push(taken);
    },
    look() {
      join();
      return isEarly && isDue() && isFound();
    },
    isFound,
    get isFull() {
      return room === 0;
    },
    get isTooFine() {
      return count > MAX_PIECES;
    },
    get text() {
      join();
      return text;
    },
  };

  function join(): void {
    text += decoder.write(Buffer.concat(pieces));
    pieces = [];
  }

  function isDue(): boolean {
    return match.kind === "text" || room === 0 || tried < TRIED_FREELY || text.length > looked * 2;
  }

  function isFound(): boolean {
    join();
    const before = looked;
    looked = text.length;
    if (match.kind === "text") return text.includes(match.text, before - match.text.length);
    tried += text.length;
    return isMatch(match.pattern, text);
  }
}

/** What is looked for, for people. */
export function formatMatch(match: Match): string {
  return match.kind === "text" ? JSON.stringify(match.text) : `/${match.pattern}/`;
}

/** What was said instead, for people: its beginning. */
export function formatSaid({ text }: Excerpt): string {
  if (text === "") return "it said nothing";
  return `it said ${JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)}`;
}

/** Whether more text may undo a match, as it does for `^OK$` when `OK` becomes `OK, but`. In doubt, it may. */
function needsEnd(match: Match): boolean {
  return match.kind === "pattern" && /\$|\\[zbB]/.test(match.pattern);
}
