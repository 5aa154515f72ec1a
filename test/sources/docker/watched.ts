import type { SourceReport } from "../../../src/sources/report.ts";
import type { EngineAddress } from "../../../src/sources/docker/endpoint.ts";
import type { EngineContainer, EngineSnapshot } from "../../../src/sources/docker/snapshot.ts";
import { type EngineWatch, watchEngine, type WatchEngineOptions } from "../../../src/sources/docker/watch.ts";
import { createWaiting } from "../../waiting.ts";

/** A watch of an engine, and all that it said so far. */
export interface Watched extends AsyncDisposable {
  readonly watch: EngineWatch;
  readonly snapshots: readonly EngineSnapshot[];
  /** Each as `problem could not ask …`. */
  readonly reports: readonly string[];
  /** Waits until this is found in what was published last. */
  shows<T>(find: (snapshot: EngineSnapshot) => T | undefined): Promise<T>;
  /** As `shows`, of a container. */
  container(name: string, isSo?: (container: EngineContainer) => boolean): Promise<EngineContainer>;
  /** Waits for so many reports. */
  told(count: number): Promise<readonly string[]>;
}

export function watching(
  engine: EngineAddress,
  {
    publishing = () => {},
    ...options
  }: Pick<WatchEngineOptions, "clock" | "timers" | "lookEveryMs" | "swarmLookEveryMs"> & {
    /** Does what takes its time when something is published. */
    readonly publishing?: () => void;
  } = {},
): Watched {
  const ending = new AbortController();
  const snapshots: EngineSnapshot[] = [];
  const reports: string[] = [];
  const { until, wake } = createWaiting();
  const publish = (snapshot: EngineSnapshot): void => {
    snapshots.push(snapshot);
    publishing();
    wake();
  };
  const report = ({ kind, message }: SourceReport): void => {
    reports.push(`${kind} ${message}`);
    wake();
  };
  const watch = watchEngine({ ...options, engine, publish, report }, ending.signal);
  const shows: Watched["shows"] = (find) =>
    until(() => {
      const last = snapshots.at(-1);
      return last && find(last);
    });

  return {
    watch,
    snapshots,
    reports,
    shows,
    container: (name, isSo = () => true) =>
      shows(({ containers }) => containers.find((found) => found.name === name && isSo(found))),
    told: async (count) => until(() => (reports.length >= count ? reports : undefined)),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await watch.closed;
    },
  };
}
