/** What JSON says, or undefined: it is none. */
export function parseJson(octets: Buffer | string): unknown {
  try {
    return JSON.parse(octets.toString());
  } catch {
    return undefined;
  }
}

/** What stands at a path of fields; undefined where one is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value;
  for (const field of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, field);
  }
  return found;
}

/** Empty: it is no text. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function isTrue(value: unknown): boolean {
  return value === true;
}

/** Undefined: it is no whole number from 0 on. */
export function countOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The texts in a list, each once. */
export function textsOf(value: unknown): readonly string[] {
  return [...new Set(listOf(value).map(textOf))].filter((text) => text !== "");
}

/** The fields of an object, with what each says. */
export function fieldsOf(value: unknown): readonly (readonly [string, unknown])[] {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** The texts of an object, as labels are. */
export function labelsOf(value: unknown): ReadonlyMap<string, string> {
  return new Map(
    fieldsOf(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : [])),
  );
}

/** Seconds since 1970, of RFC 3339; 0: it is none. */
export function secondsOf(value: unknown): number {
  const ms = Date.parse(textOf(value));
  return Number.isNaN(ms) ? 0 : ms / 1000;
}

/** `10.0.1.5/24` without its length. */
export function plainAddress(value: unknown): string {
  return textOf(value).replace(/\/.*/, "");
}
