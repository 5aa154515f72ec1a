/** Prints figures side by side; the last column says how many times the first one the last is. */
export function printTable(head, rows) {
  printAligned(
    [
      [...head, "ratio"],
      ...rows.map(([label, figures]) => [label, ...figures.map(format), format(figures.at(-1) / figures[0])]),
    ],
    1,
  );
}

/** Prints lines of cells: the first columns, so many, are words, and the others figures. */
export function printAligned(lines, words) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const line of lines) {
    const cells = line.map((cell, at) => (at < words ? cell.padEnd(widths[at]) : cell.padStart(widths[at])));
    console.log(cells.join("  ").trimEnd());
  }
}

export function median(figures) {
  return quantile(figures, 0.5);
}

/** What a share of the figures is below. */
export function quantile(figures, share) {
  const sorted = figures.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** Three digits that count, and no exponent. */
function format(figure) {
  if (figure >= 100) return Math.round(figure).toLocaleString("en");
  return String(Number(figure.toPrecision(3)));
}
