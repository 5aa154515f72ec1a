/** One object of what a program prints as JSON: nothing is known of what is in it. */
export type Row = Readonly<Record<string, unknown>>;

/** The objects of a list that a program printed as JSON; none where it printed nothing, as `ip -j` does for an empty list. */
export function parseRows(text: string): readonly Row[] {
  return text.trim() === "" ? [] : rowsOf(JSON.parse(text));
}

export function rowsOf(value: unknown): readonly Row[] {
  return Array.isArray(value) ? value.filter(isRow) : [];
}

export function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function textOf(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}
