import type { VerdictReport, Source } from "../registry/registry.ts";
import { joinPrefix } from "../model/name.ts";
import type { EngineAddress } from "../sources/docker/endpoint.ts";
import { createEngineRoster } from "../sources/docker/roster.ts";
import type { EngineRoster } from "../sources/docker/snapshot.ts";
import { type EngineWatch, watchEngine } from "../sources/docker/watch.ts";
import { reportOf, type SourceReport } from "../sources/report.ts";
import type { Outlines } from "./outlines.ts";

export interface EngineOptions {
  readonly engine: EngineAddress;
  readonly outlines: Outlines;
  /** Where its services are, but for those that fill a file's outlines: these are the file's. */
  readonly source: Source;
  readonly fileSource: Source;
  readonly reportVerdicts: (reports: readonly VerdictReport[]) => void;
  readonly report: (report: SourceReport) => void;
}

/** Declares what runs on an engine, with its verdicts, until the signal aborts. */
export function openEngine(options: EngineOptions, signal: AbortSignal): EngineWatch {
  const { engine, outlines, source, fileSource, reportVerdicts, report } = options;
  const rosterOf = createEngineRoster({ allowExec: false });
  let warned: ReadonlySet<string> = new Set();

  return watchEngine(
    {
      engine,
      publish(snapshot) {
        const { roster, verdicts, warnings } = rosterOf(snapshot);
        outlines.takeEngine(roster);
        reportVerdicts(verdicts.flatMap(idsOf));
        warn(warnings);
      },
      report,
    },
    signal,
  );

  /** A verdict by the id of the service that it is on, whoever declares that. */
  function idsOf({ service, namespace, task, verdict }: EngineRoster["verdicts"][number]): VerdictReport[] {
    const name = joinPrefix(service, namespace);
    const found = source.find(name) ?? fileSource.find(name);
    return found ? [{ service: found.id, task, verdict }] : [];
  }

  /** Each once, for as long as it is so. */
  function warn(warnings: readonly string[]): void {
    for (const message of warnings) {
      if (!warned.has(message))
        report(reportOf("warning", { file: engine.text, position: undefined, message }));
    }
    warned = new Set(warnings);
  }
}
