import type { Declaration } from "../model/declaration.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "./names.ts";

/**
 * The id of each declaration, in their order. One that did not change keeps its own, whatever was declared before
 * it: with the id go the VIP and the verdicts.
 *
 * @param unchanged the ids of what the source declared before
 */
export function nameEach(
  source: string,
  services: readonly Declaration[],
  unchanged: ReadonlyMap<Declaration, string>,
): ReadonlyMap<string, Declaration> {
  const taken = new Set(services.flatMap((declaration) => unchanged.get(declaration) ?? []));
  const named = new Map<string, Declaration>();
  /** Of each name the copies that are known to be taken: to try them all for each is quadratic. */
  const copies = new Map<Prefix, number>();
  for (const declaration of services) {
    const name = ownName(declaration);
    let id = unchanged.get(declaration);
    for (let copy = copies.get(name) ?? 1; id === undefined; copy++) {
      const free = idOf(source, name, copy);
      if (!taken.has(free)) id = free;
      copies.set(name, copy);
    }
    taken.add(id);
    named.set(id, declaration);
  }
  return named;
}

/** Of two services of one name from one source, the second has an id of its own. */
export function idOf(source: string, name: Prefix, copy = 1): string {
  const id = `${source}:${formatPrefix(name)}`;
  return copy === 1 ? id : `${id}#${copy}`;
}
