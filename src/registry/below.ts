/** How many there are beneath something, in each scope. Nearly always it is one scope, and a map takes 200 octets: only others are in one. */
export interface Below {
  scope: string;
  count: number;
  others: Map<string, number> | undefined;
}

export function isBelow(below: Below | undefined, scope: string): boolean {
  return below !== undefined && (below.scope === scope || below.others?.has(scope) === true);
}

export function isAnyBelow(below: Below | undefined, seen: ReadonlySet<string>): boolean {
  if (!below) return false;
  if (seen.has(below.scope)) return true;
  for (const scope of below.others?.keys() ?? []) if (seen.has(scope)) return true;
  return false;
}

/** What there is when one more in this scope has come. */
export function withOne(below: Below | undefined, scope: string): Below {
  if (!below) return { scope, count: 1, others: undefined };
  if (below.scope === scope) {
    below.count += 1;
    return below;
  }
  below.others ??= new Map();
  below.others.set(scope, (below.others.get(scope) ?? 0) + 1);
  return below;
}

/** What is left when one in this scope has gone. */
export function withoutOne(below: Below | undefined, scope: string): Below | undefined {
  if (!below) return undefined;
  const { others } = below;
  if (below.scope !== scope) {
    const left = (others?.get(scope) ?? 0) - 1;
    if (left > 0) others?.set(scope, left);
    else others?.delete(scope);
    return below;
  }
  below.count -= 1;
  if (below.count > 0) return below;
  for (const [next, count] of others ?? []) {
    others?.delete(next);
    return { scope: next, count, others };
  }
  return undefined;
}
