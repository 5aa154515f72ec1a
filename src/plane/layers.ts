/**
 * A map that nobody changes any more, and of which another with a few changes costs what those cost, and not what the map
 * does: of ten thousand services nearly every change is of one.
 */
interface LayeredMap<Value> extends ReadonlyMap<string, Value> {
  readonly whole: ReadonlyMap<string, Value>;
  /** What became of it since; undefined: it is gone. */
  readonly since: ReadonlyMap<string, Value | undefined>;
}

/** So many changes are kept beside a map, and copied with each further one. */
const MAX_SINCE = 1_000;

/**
 * The map with these in it; undefined takes one away. What is another stands where the one before it stood, and so may
 * what comes again.
 */
export function withChanges<Value>(
  map: ReadonlyMap<string, Value>,
  changes: ReadonlyMap<string, Value | undefined>,
): ReadonlyMap<string, Value> {
  if (changes.size === 0) return map;
  const whole = isLayered(map) ? map.whole : map;
  const since = new Map(isLayered(map) ? map.since : []);
  for (const [key, value] of changes) since.set(key, value);
  const changed = createLayered(whole, since);
  return since.size > MAX_SINCE ? new Map(changed) : changed;
}

/** The keys of what came, went or is another. Whoever asks again of the same two maps is told what was found. */
export function changedBetween(
  old: ReadonlyMap<string, object>,
  now: ReadonlyMap<string, object>,
): readonly string[] {
  if (old === now) return [];
  const known = lastFound.get(now);
  if (known?.old.deref() === old) return known.keys;
  const keys = besideTheSame(old, now) ?? sideBySide(old, now) ?? anywhere(old, now);
  lastFound.set(now, { old: new WeakRef(old), keys });
  return keys;
}

const lastFound = new WeakMap<
  ReadonlyMap<string, object>,
  { readonly old: WeakRef<ReadonlyMap<string, object>>; readonly keys: readonly string[] }
>();

/** Of two that were made of one, what is beside it says all. */
function besideTheSame(
  old: ReadonlyMap<string, object>,
  now: ReadonlyMap<string, object>,
): readonly string[] | undefined {
  const [from, to] = [layersOf(old), layersOf(now)];
  if (from.whole !== to.whole) return undefined;
  return [...new Set([...from.since.keys(), ...to.since.keys()])].filter(
    (key) => old.get(key) !== now.get(key),
  );
}

/** Without look-ups, which cost most; undefined: they have not the same keys in the same order. */
function sideBySide(
  old: ReadonlyMap<string, object>,
  now: ReadonlyMap<string, object>,
): readonly string[] | undefined {
  if (old.size !== now.size) return undefined;
  const keys: string[] = [];
  const others = old.entries();
  for (const [key, value] of now) {
    const [otherKey, other] = others.next().value ?? [];
    if (otherKey !== key) return undefined;
    if (other !== value) keys.push(key);
  }
  return keys;
}

function anywhere(old: ReadonlyMap<string, object>, now: ReadonlyMap<string, object>): readonly string[] {
  const keys: string[] = [];
  for (const [key, value] of now) if (old.get(key) !== value) keys.push(key);
  for (const key of old.keys()) if (!now.has(key)) keys.push(key);
  return keys;
}

const NOTHING: ReadonlyMap<string, undefined> = new Map();

function layersOf<Value>(map: ReadonlyMap<string, Value>): Pick<LayeredMap<Value>, "whole" | "since"> {
  return isLayered(map) ? map : { whole: map, since: NOTHING };
}

function isLayered<Value>(map: ReadonlyMap<string, Value>): map is LayeredMap<Value> {
  return "whole" in map;
}

function createLayered<Value>(
  whole: ReadonlyMap<string, Value>,
  since: ReadonlyMap<string, Value | undefined>,
): LayeredMap<Value> {
  let size = whole.size;
  for (const [key, value] of since) size += Number(value !== undefined) - Number(whole.has(key));

  const map: LayeredMap<Value> = {
    whole,
    since,
    size,
    get: (key) => (since.has(key) ? since.get(key) : whole.get(key)),
    has: (key) => (since.has(key) ? since.get(key) !== undefined : whole.has(key)),
    entries,
    keys,
    values,
    forEach(take) {
      for (const [key, value] of entries()) take(value, key, map);
    },
    [Symbol.iterator]: entries,
  };
  return map;

  function* entries(): Generator<[string, Value], undefined> {
    for (const [key, value] of whole) {
      const now = since.has(key) ? since.get(key) : value;
      if (now !== undefined) yield [key, now];
    }
    for (const [key, value] of since) if (value !== undefined && !whole.has(key)) yield [key, value];
  }
  function* keys(): Generator<string, undefined> {
    for (const [key] of entries()) yield key;
  }

  function* values(): Generator<Value, undefined> {
    for (const [, value] of entries()) yield value;
  }
}
