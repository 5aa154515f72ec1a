import { pause } from "../base/pause.ts";
import { systemTimers } from "../base/timers.ts";
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

/** Most engines are looked at in less; who is asked meanwhile says of no name that it does not exist. */
const MAX_WAIT_MS = 3000;

/** Waits for the first look, but not for an engine that hangs, or says each thing just before it would be too late. */
export async function waitForEngine({ ready }: EngineWatch, signal: AbortSignal): Promise<void> {
  const waiting = new AbortController();
  const ends = AbortSignal.any([signal, waiting.signal]);
  await Promise.race([ready, pause(systemTimers, MAX_WAIT_MS, ends)]);
  waiting.abort();
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
