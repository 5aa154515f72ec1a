import type { SourceReport } from "../sources/report.ts";

/** What is wrong with files now, so that what they say is not what is served. */
export interface Troubles {
  take(report: SourceReport): void;
  /** A line each. */
  list(): readonly string[];
}

/** Of one file; whoever mends these reads the log for the rest. */
const MAX_KEPT = 3;

export function createTroubles(): Troubles {
  const byFile = new Map<string, readonly string[]>();

  return {
    take({ kind, file, message }) {
      switch (kind) {
        case "problem":
        case "gone":
          byFile.set(file, [...(byFile.get(file) ?? []), message].slice(-MAX_KEPT));
          return;
        case "read":
        case "recovered":
          byFile.delete(file);
          return;
        case "warning":
      }
    },
    list: () => [...byFile.values()].flat(),
  };
}
