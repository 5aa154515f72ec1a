import { chainOf, type Class } from "./classes.ts";
import type { Element } from "./place.ts";
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
  const gone = new Map<string, Element>();
  const come = new Map<string, Element>();

  for (const [id, old] of from.services) {
    const now = to.services.get(id);
    if (now === old) continue;
    put(deleted, old.elements);
    for (const [key, element] of old.shared) gone.set(key, element);
  }
  for (const [id, now] of to.services) {
    if (from.services.get(id) === now) continue;
    put(added, now.elements);
    for (const [key, element] of now.shared) come.set(key, element);
  }
  for (const key of gone.keys()) if (come.delete(key)) gone.delete(key);
  if (gone.size > 0) drop(gone, sharedOf(to, gone));
  if (come.size > 0) drop(come, sharedOf(from, come));
  put(deleted, [...gone.values(), ...from.base]);
  put(added, [...come.values(), ...to.base]);
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

/** How many services differ. */
export function changedServices(from: Ruleset, to: Ruleset): number {
  let count = 0;
  for (const [id, rules] of to.services) if (from.services.get(id) !== rules) count += 1;
  return count + Math.max(0, from.services.size - to.services.size);
}

export function isNothing({ deleted, added, newClasses, oldChains }: Change): boolean {
  return deleted.length + added.length + newClasses.length + oldChains.length === 0;
}

/** Every element of a ruleset. */
export function elementsOf({ services, base }: Ruleset): ReadonlyMap<string, Element> {
  const all = new Map<string, Element>();
  put(all, base);
  for (const { elements, shared } of services.values()) {
    put(all, elements);
    put(all, [...shared.values()]);
  }
  return all;
}

/** Which of `wanted` a service of the ruleset has. */
function sharedOf({ services }: Ruleset, wanted: ReadonlyMap<string, Element>): Set<string> {
  const found = new Set<string>();
  for (const { shared } of services.values()) {
    for (const key of wanted.keys()) if (shared.has(key)) found.add(key);
  }
  return found;
}

function put(into: Map<string, Element>, elements: readonly Element[]): void {
  for (const element of elements) into.set(keyOf(element), element);
}

function drop(from: Map<string, Element>, keys: ReadonlySet<string>): void {
  for (const key of keys) from.delete(key);
}

function keyOf({ set, key }: Element): string {
  return `${set} ${key}`;
}
