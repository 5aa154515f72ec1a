/** Rows of cells as lines, each column as wide as its widest cell; cells of a column that is empty take no room. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .filter((cell) => cell !== "")
      .join("  ")
      .trimEnd(),
  );
}
