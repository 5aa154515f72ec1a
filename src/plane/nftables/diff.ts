import { changedBetween } from "../layers.ts";
import { chainOf, type Class } from "./classes.ts";
import { type Element, sharedElements } from "./place.ts";
import type { Ruleset } from "./ruleset.ts";

/** What leads from one ruleset to another, in one transaction. Deletions come before additions. */
export interface Change {
  readonly deleted: readonly Element[];
  readonly added: readonly Element[];
  readonly newClasses: readonly Class[];
  /** Chains that nothing leads to any more. */
  readonly oldChains: readonly string[];
}

/** Whoever comes and goes should not make and unmake chains: so many may stay without use. */
const MAX_UNUSED = 64;

/**
 * @param chains the classes' chains that are there: those of `from`, and maybe some that were left.
 */
export function diff(from: Ruleset, to: Ruleset, chains: ReadonlySet<string>): Change {
  const deleted = new Map<string, Element>();
  const added = new Map<string, Element>();
  const shared = new Set<string>();
  for (const id of changedBetween(from.services, to.services)) {
    const [old, now] = [from.services.get(id), to.services.get(id)];
    put(deleted, old?.elements ?? []);
    put(added, now?.elements ?? []);
    for (const key of [...(old?.shared ?? []), ...(now?.shared ?? [])]) shared.add(key);
  }
  const ofSome = [...shared];
  put(deleted, sharedElements(ofSome.filter((key) => from.shared.has(key) && !to.shared.has(key))));
  put(added, sharedElements(ofSome.filter((key) => to.shared.has(key) && !from.shared.has(key))));
  put(deleted, from.base);
  put(added, to.base);
  for (const [key, element] of added) {
    if (deleted.get(key)?.value !== element.value) continue;
    deleted.delete(key);
    added.delete(key);
  }
  const unused = [...chains].filter((chain) => !to.classes.has(chain));
  return {
    deleted: [...deleted.values()],
    added: [...added.values()],
    newClasses: [...to.classes.values()].filter((kind) => !chains.has(chainOf(kind))),
    oldChains: unused.length > MAX_UNUSED ? unused : [],
  };
}

export function isNothing({ deleted, added, newClasses, oldChains }: Change): boolean {
  return deleted.length + added.length + newClasses.length + oldChains.length === 0;
}

/** Every element of a ruleset. */
export function elementsOf({ services, shared, base }: Ruleset): ReadonlyMap<string, Element> {
  const all = new Map<string, Element>();
  put(all, base);
  for (const { elements } of services.values()) put(all, elements);
  put(all, sharedElements(shared.keys()));
  return all;
}

function put(into: Map<string, Element>, elements: readonly Element[]): void {
  for (const element of elements) into.set(keyOf(element), element);
}

function keyOf({ set, key }: Element): string {
  return `${set} ${key}`;
}
