import type { SourceReport } from "../../src/sources/report.ts";

/** What a watch of one file says, one after the other. */
export interface Reports {
  readonly report: (report: SourceReport) => void;
  /** How many nobody has asked for yet. */
  readonly untold: number;
  /** The next, waited for: `read FILE: read: 1 rule`. */
  told(): Promise<string>;
}

export function createReports(file: string): Reports {
  const reports: SourceReport[] = [];
  let wake = (): void => {};
  let heard = 0;
  return {
    report(report) {
      reports.push(report);
      wake();
    },
    get untold() {
      return reports.length - heard;
    },
    async told() {
      while (reports.length === heard) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const report = reports[heard++];
      return `${report?.kind} ${report?.message.replace(file, "FILE")}`;
    },
  };
}
