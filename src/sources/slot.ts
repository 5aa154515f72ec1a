import type { Look } from "./files.ts";
import type { FileReading } from "./read-set.ts";
import type { Finding } from "./report.ts";

/** What is known of one file. */
export interface Slot {
  readonly file: string;
  /** What stands in the file; undefined: it is gone or cannot be read. */
  octets: Uint8Array | undefined;
  /** What counts; undefined: nothing was ever good. */
  good: Uint8Array | undefined;
  /** What that says. */
  reading: FileReading | undefined;
  isGone: boolean;
  /** Services that another file declares since this one is gone: they don't come back with the other's end. */
  readonly handedOver: Set<string>;
  /** What was last told to be wrong, and of what octets: the same is not told twice. */
  trouble: { readonly octets: Uint8Array | undefined; readonly text: string } | undefined;
  /** What was last warned of. */
  warned: string;
}

/** The version of each file that is tried. */
export type Choice = Map<Slot, Uint8Array>;

export function createSlot(file: string): Slot {
  return {
    file,
    octets: undefined,
    good: undefined,
    reading: undefined,
    isGone: false,
    handedOver: new Set(),
    trouble: undefined,
    warned: "",
  };
}

/** Notes what was found, and says whether it is anything new. */
export function note(slot: Slot, look: Look): boolean {
  if (look.kind === "octets") return noteOctets(slot, look.octets);
  const isGone = look.kind === "missing";
  const isNew = slot.octets !== undefined || slot.isGone !== isGone || slot.trouble === undefined;
  slot.octets = undefined;
  slot.isGone = isGone;
  return isNew;
}

function noteOctets(slot: Slot, octets: Uint8Array): boolean {
  if (slot.octets !== undefined && Buffer.compare(slot.octets, octets) === 0) return false;
  // The very octets that were read already are not read again.
  const isAsBefore = slot.good !== undefined && Buffer.compare(slot.good, octets) === 0;
  slot.octets = isAsBefore ? slot.good : octets;
  slot.isGone = false;
  slot.handedOver.clear();
  return true;
}

/** What stands in each file or, where nothing can be read, what counted before. */
export function choose(slots: Iterable<Slot>): Choice {
  const choice: Choice = new Map();
  for (const slot of slots) {
    const octets = slot.octets ?? slot.good;
    if (octets !== undefined) choice.set(slot, octets);
  }
  return choice;
}

/** Goes back to what counts, and says whether that is another version. */
export function revert(choice: Choice, slot: Slot): boolean {
  if (!choice.has(slot) || choice.get(slot) === slot.good) return false;
  if (slot.good === undefined) return choice.delete(slot);
  choice.set(slot, slot.good);
  return true;
}

/** What to say of the files that are not there or cannot be read. */
export function findingsOf(looks: readonly Look[]): readonly Finding[] {
  return looks.flatMap((look) => (look.kind === "octets" ? [] : [findingOf(look)]));
}

/** What to say of a file that is not there or cannot be read. */
export function findingOf(look: Exclude<Look, { kind: "octets" }>): Finding {
  const message =
    look.kind === "missing" ? "could not be read: there is no such file or folder" : look.message;
  return { file: look.file, position: undefined, message };
}
