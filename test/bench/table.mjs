/** Prints figures side by side; the last column says how many times the first one the last is. */
export function printTable(head, rows) {
  const lines = [
    [...head, "ratio"],
    ...rows.map(([label, figures]) => [label, ...figures.map(format), format(figures.at(-1) / figures[0])]),
  ];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const [first, ...rest] of lines) {
    const cells = rest.map((cell, at) => cell.padStart(widths[at + 1]));
    console.log([first.padEnd(widths[0]), ...cells].join("  "));
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
