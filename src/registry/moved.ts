import type { Prefix } from "../model/name.ts";
import { ownName } from "./names.ts";
import type { Service } from "./service.ts";

/** A service before and after a change. */
interface Pair {
  readonly before: Service | undefined;
  readonly after: Service | undefined;
}

/**
 * What a change touched, with those as one that have gone from one source to another: the same name, where it was one
 * that is gone and is one that is new.
 *
 * @param touched the services as they were, by id
 * @param afterOf the service as it is, by its id
 */
export function joinMoved(
  touched: Iterable<readonly [id: string, before: Service | undefined]>,
  afterOf: (id: string) => Service | undefined,
): readonly Pair[] {
  const pairs = [...touched].map(([id, before]): Pair => ({ before, after: afterOf(id) }));
  const gone = new Map<Prefix, Pair>();
  for (const pair of pairs) if (pair.before && !pair.after) gone.set(ownName(pair.before.declaration), pair);
  if (gone.size === 0) return pairs;
  const left = new Set<Pair>();
  const joined = pairs.map((pair): Pair => {
    const from = !pair.before && pair.after ? gone.get(ownName(pair.after.declaration)) : undefined;
    if (!from || left.has(from)) return pair;
    left.add(from);
    return { before: from.before, after: pair.after };
  });
  return joined.filter((pair) => !left.has(pair));
}
