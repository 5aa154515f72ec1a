import { formatAddress } from "../../src/model/address.ts";
import type { Declaration, Roster } from "../../src/model/declaration.ts";
import { formatPrefix } from "../../src/model/name.ts";
import type { SourceReport } from "../../src/sources/report.ts";
import type { FileWatch } from "../../src/sources/follow.ts";
import { watchServices } from "../../src/sources/watch.ts";
import { createWaiting } from "../waiting.ts";

/** A watch, and all that it said so far. */
export interface Watching extends AsyncDisposable {
  readonly watch: FileWatch;
  readonly rosters: readonly Roster[];
  readonly reports: readonly SourceReport[];
  /** Waits until what counts reads as {@link format} has it. */
  counts(expected: string): Promise<void>;
  /** Waits for a report of this kind, and answers with its message. */
  told(kind: SourceReport["kind"]): Promise<string>;
  /** The service of this name in what was published last. */
  service(name: string): Declaration | undefined;
}

export async function watching(
  paths: readonly string[],
  {
    poll = false,
    env = {},
    allowExec,
  }: { poll?: boolean; env?: Record<string, string>; allowExec?: boolean } = {},
): Promise<Watching> {
  const ending = new AbortController();
  const rosters: Roster[] = [];
  const reports: SourceReport[] = [];
  const { until, wake } = createWaiting();
  const watch = await watchServices(
    paths,
    {
      poll,
      env,
      allowExec,
      publish: (roster) => {
        rosters.push(roster);
        wake();
      },
      report: (report) => {
        reports.push(report);
        wake();
      },
    },
    ending.signal,
  );
  const last = (): Roster | undefined => rosters.at(-1);
  let heard = 0;

  return {
    watch,
    rosters,
    reports,
    async counts(expected) {
      await until(() => (format(last()) === expected ? true : undefined));
    },
    async told(kind) {
      // Each report is told once.
      const at = await until(() => {
        const found = reports.findIndex((report, at) => at >= heard && report.kind === kind);
        return found < 0 ? undefined : found;
      });
      heard = at + 1;
      return reports[at]?.message ?? "";
    },
    service: (name) => last()?.services.find((service) => formatPrefix(service.name) === name),
    async [Symbol.asyncDispose]() {
      ending.abort();
      await watch.closed;
    },
  };
}

/** A roster in one line: `web 10.0.0.1 10.0.0.2, db`. */
export function format(roster: Roster | undefined): string {
  if (roster === undefined) return "nothing was published";
  return roster.services
    .map(({ name, tasks }) =>
      [
        formatPrefix(name),
        ...tasks.flatMap(({ addresses }) => addresses.map(({ address }) => formatAddress(address))),
      ].join(" "),
    )
    .join(", ");
}

/** A services file of one service with these tasks. */
export function fileOf(name: string, ...tasks: readonly string[]): string {
  return `services: { ${name}: { tasks: [${tasks.map((task) => `"${task}"`).join(", ")}] } }\n`;
}
