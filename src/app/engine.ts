import type { Registry } from "../registry/registry.ts";
import type { EngineAddress } from "../sources/docker/endpoint.ts";
import { createEngineRoster } from "../sources/docker/roster.ts";
import { type EngineWatch, watchEngine } from "../sources/docker/watch.ts";
import { reportOf, type SourceReport } from "../sources/report.ts";
import type { Outlines } from "./outlines.ts";
import { followVerdicts } from "./verdicts.ts";

export interface EngineOptions {
  readonly engine: EngineAddress;
  readonly outlines: Outlines;
  readonly registry: Pick<Registry, "follow" | "report" | "together">;
  readonly report: (report: SourceReport) => void;
}

/** Declares what runs on an engine, with its verdicts, until the signal aborts. */
export function openEngine(options: EngineOptions, signal: AbortSignal): EngineWatch {
  const { engine, outlines, registry, report } = options;
  const rosterOf = createEngineRoster();
  const takeVerdicts = followVerdicts(registry, signal);
  let warned: ReadonlySet<string> = new Set();

  return watchEngine(
    {
      engine,
      publish(snapshot) {
        const { roster, verdicts, warnings } = rosterOf(snapshot);
        registry.together(() => {
          takeVerdicts(verdicts);
          outlines.takeEngine(roster);
        });
        warn(warnings);
      },
      report,
    },
    signal,
  );

  /** Each once, for as long as it is so. */
  function warn(warnings: readonly string[]): void {
    for (const message of warnings) {
      if (!warned.has(message))
        report(reportOf("warning", { file: engine.text, position: undefined, message }));
    }
    warned = new Set(warnings);
  }
}
