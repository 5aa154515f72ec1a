import { isDeepStrictEqual } from "node:util";
import { count } from "../base/count.ts";
import { RotaError } from "../base/error.ts";
import type { Roster } from "../model/declaration.ts";
import type { Look } from "./files.ts";
import { merge, type Part, presentServices, serviceKey } from "./merge.ts";
import type { FileReading, ReadSet } from "./read-set.ts";
import { type Finding, formatFinding, formatFindings, reportsOf, type SourceReport } from "./report.ts";
import { type Choice, choose, createSlot, findingOf, findingsOf, note, revert, type Slot } from "./slot.ts";

/** What files say, and what of it counts: of a file that cannot be taken, what it said before. */
export interface Ledger {
  /** Takes the first look. @throws RotaError `ERR_ROTA_SERVICES_FILE` with all that is wrong, if anything is */
  open(looks: readonly Look[]): Promise<void>;
  /** Takes what can be taken of a later look, reports the rest, and publishes if anything changed by it. */
  update(looks: readonly Look[]): Promise<void>;
}

export interface LedgerOptions {
  readonly readSet: ReadSet;
  readonly publish: (roster: Roster) => void | Promise<void>;
  readonly report: (report: SourceReport) => void;
}

/** What came of trying a choice of versions. */
interface Attempt {
  readonly choice: Choice;
  readonly parts: ReadonlyMap<Slot, Part>;
  readonly roster: Roster;
  readonly problems: readonly Finding[];
}

export function createLedger({ readSet, publish, report }: LedgerOptions): Ledger {
  let slots: ReadonlyMap<string, Slot> = new Map();
  let published: Roster | undefined;
  /** What was noted has not been taken yet: the reading failed. */
  let isBehind = false;

  return { open, update };

  async function open(looks: readonly Look[]): Promise<void> {
    place(looks);
    const unread = findingsOf(looks);
    const attempt = await tryOut(choose(slots.values()), readSet);
    const problems = [...unread, ...attempt.problems];
    if (problems.length === 0) return take(attempt);
    const told = formatFindings(problems);
    throw new RotaError("ERR_ROTA_SERVICES_FILE", `could not take the services files: ${told}`);
  }

  async function update(looks: readonly Look[]): Promise<void> {
    const seen = new Set(looks.map(({ file }) => file));
    const missing = [...slots.keys()].filter((file) => !seen.has(file));
    const changes = place([...looks, ...missing.map((file): Look => ({ kind: "missing", file }))]);
    if (changes.length === 0 && !isBehind) return;
    isBehind = true;
    for (const [slot, look] of changes) {
      if (look.kind !== "octets") tellLoss(slot, look);
    }
    await takeWhatCanBe(choose(slots.values()));
    isBehind = false;
  }

  /** Puts the slots in the order of the looks, and says what is new. */
  function place(looks: readonly Look[]): readonly (readonly [Slot, Look])[] {
    const placed = looks.map((look) => [slots.get(look.file) ?? createSlot(look.file), look] as const);
    slots = new Map(placed.map(([slot]) => [slot.file, slot]));
    return placed.filter(([slot, look]) => note(slot, look));
  }

  async function takeWhatCanBe(choice: Choice): Promise<void> {
    const attempt = await tryOut(choice, readSet);
    if (attempt.problems.length === 0) return take(attempt);
    const { problems } = attempt;
    const troubled = new Set(problems.map(({ file }) => file));
    const reverted = [...choice.keys()].filter((slot) => troubled.has(slot.file) && revert(choice, slot));
    for (const slot of reverted) {
      tell(
        slot,
        problems.filter(({ file }) => file === slot.file),
      );
    }
    if (reverted.length > 0) return takeWhatCanBe(choice);
    // What is wrong stands in files that did not change: what made it wrong is the change of another.
    const culprits = [...choice.keys()].filter((slot) => revert(choice, slot));
    const message = `its change does not go with ${[...troubled].join(", ")}`;
    for (const slot of culprits) tell(slot, [...problems, { file: slot.file, position: undefined, message }]);
    if (culprits.length > 0) await takeWhatCanBe(choice);
  }

  async function take({ choice, parts, roster }: Attempt): Promise<void> {
    if (published === undefined || !isAlike(published, roster)) await publish(roster);
    published = roster;
    const present = presentServices([...parts.values()]);
    for (const [slot, { reading, isGone }] of parts) {
      const octets = choice.get(slot);
      const isNew = slot.good !== octets;
      slot.good = octets;
      slot.reading = reading;
      if (isGone) handOver(slot, reading, present);
      // Where something older counts, what was told of the newer is still so.
      if (slot.octets === octets) accept(slot, reading, isNew);
    }
  }

  function accept(slot: Slot, reading: FileReading, isNew: boolean): void {
    const { file } = slot;
    if (slot.trouble !== undefined)
      say("recovered", [{ file, position: undefined, message: "is good again" }]);
    slot.trouble = undefined;
    const message = `read: ${count(reading.services.length, "service")}`;
    if (isNew) say("read", [{ file, position: undefined, message }]);
    const warned = reading.warnings.map(({ message }) => message).join("\n");
    if (slot.warned !== warned) say("warning", reading.warnings);
    slot.warned = warned;
  }

  function tell(slot: Slot, findings: readonly Finding[]): void {
    const text = findings.map(formatFinding).join("\n");
    if (slot.trouble?.text === text && slot.trouble.octets === slot.octets) return;
    slot.trouble = { octets: slot.octets, text };
    say(
      "problem",
      findings,
      slot.good === undefined ? "; the file is left out" : "; what it said before stays",
    );
  }

  function tellLoss(slot: Slot, look: Exclude<Look, { kind: "octets" }>): void {
    const finding = findingOf(look);
    if (look.kind === "unreadable" || slot.good === undefined) return tell(slot, [finding]);
    const message = "is gone; what it said stays: put it back, write `services: {}` into it, or restart";
    slot.trouble = { octets: undefined, text: message };
    say("gone", [{ ...finding, message }]);
  }

  function say(kind: SourceReport["kind"], findings: readonly Finding[], after = ""): void {
    for (const told of reportsOf(kind, findings, after)) report(told);
  }
}

async function tryOut(choice: Choice, readSet: ReadSet): Promise<Attempt> {
  const versions = [...choice].map(([slot, octets]) => ({
    slot,
    file: slot.file,
    octets,
    before: slot.reading,
  }));
  // Of two files that declare one network, the one that is there counts.
  const inOrderOfSay = versions.toSorted((one, other) => Number(one.slot.isGone) - Number(other.slot.isGone));
  const readings = await readSet(inOrderOfSay);
  const byFile = new Map(readings.map((reading) => [reading.file, reading]));
  const parts = new Map(
    versions.flatMap(({ slot, file }) => {
      const reading = byFile.get(file);
      return reading ? [[slot, { reading, isGone: slot.isGone, handedOver: slot.handedOver }] as const] : [];
    }),
  );
  const { roster, problems } = merge([...parts.values()]);
  const within = readings.flatMap((reading) => reading.problems);
  // Of what is not understood, nothing can be said beside others.
  return { choice, parts, roster, problems: within.length > 0 ? within : problems };
}

function handOver(slot: Slot, reading: FileReading, present: ReadonlySet<string>): void {
  for (const key of reading.services.map(serviceKey)) {
    if (present.has(key)) slot.handedOver.add(key);
  }
}

function isAlike(one: Roster, other: Roster): boolean {
  return (
    one.services.length === other.services.length &&
    one.services.every((service, at) => service === other.services[at]) &&
    isDeepStrictEqual({ ...one, services: [] }, { ...other, services: [] })
  );
}
