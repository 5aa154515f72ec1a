import type { PlaneState } from "../plane.ts";
import { chainOf, type Class, rulesOf } from "./classes.ts";
import type { Change } from "./diff.ts";
import { type Element, sharedElements } from "./place.ts";
import { render, type Ruleset } from "./ruleset.ts";
import { SERIAL_SET, skeleton, TABLE } from "./skeleton.ts";
import { OPEN_TERRAIN, type Terrain } from "./terrain.ts";

/** How many elements one command adds, and so how many are made text at a time. */
const LINE = 5_000;

/** The whole ruleset of a state as nft reads it, as it would be where nothing is in its way. */
export function renderText(state: PlaneState, terrain: Terrain = OPEN_TERRAIN): string {
  const parts = replaceSteps(render(state, terrain), 1);
  return [...parts].join("");
}

/** A transaction that puts the ruleset in place of whatever the table has, in parts. */
export function* replaceSteps(
  { services, base, classes, shared }: Ruleset,
  serial: number,
): Generator<string, void, void> {
  yield skeleton();
  yield [...classes.values()].map(classText).join("");
  yield `add element ${TABLE} ${SERIAL_SET} { ${serial}, ${serial + 1}, ${serial + 2} }\n`;
  let batch: Element[] = [...base];
  for (const rules of services.values()) {
    for (const element of rules.elements) batch.push(element);
    if (batch.length < LINE) continue;
    yield elementsText("add", batch);
    batch = [];
  }
  yield elementsText("add", batch);
  const ofSome = [...shared.keys()];
  for (let at = 0; at < ofSome.length; at += LINE)
    yield elementsText("add", sharedElements(ofSome.slice(at, at + LINE)));
  // Tells whoever listens that it is over.
  yield `delete element ${TABLE} ${SERIAL_SET} { ${serial + 2} }\n`;
}

/**
 * A transaction that makes the change, if the table is the one that was left with that serial. Its first and its last
 * deletion tell whoever listens what lies between.
 */
export function changeText(change: Change, serial: number, next: number): string {
  return [
    `delete element ${TABLE} ${SERIAL_SET} { ${serial} }\n`,
    change.newClasses.map(classText).join(""),
    elementsText("delete", change.deleted),
    elementsText("add", change.added),
    change.oldChains.map((chain) => `delete chain ${TABLE} ${chain}\n`).join(""),
    `add element ${TABLE} ${SERIAL_SET} { ${next}, ${next + 1} }\n`,
    `delete element ${TABLE} ${SERIAL_SET} { ${serial + 1} }\n`,
  ].join("");
}

function classText(kind: Class): string {
  const chain = `${TABLE} ${chainOf(kind)}`;
  return `add chain ${chain}\n${rulesOf(kind)
    .map((rule) => `add rule ${chain} ${rule}\n`)
    .join("")}`;
}

function elementsText(verb: "add" | "delete", elements: readonly Element[]): string {
  const bySet = new Map<string, string[]>();
  for (const { set, key, value } of elements) {
    const keys = bySet.get(set) ?? [];
    if (keys.length === 0) bySet.set(set, keys);
    keys.push(value === "" || verb === "delete" ? key : `${key} : ${value}`);
  }
  return [...bySet].map(([set, keys]) => `${verb} element ${TABLE} ${set} { ${keys.join(", ")} }\n`).join("");
}
