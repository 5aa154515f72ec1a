import { systemClock } from "../base/clock.ts";
import type { Service } from "../registry/service.ts";
import { createRegistry } from "../registry/registry.ts";
import { forgetfulStore } from "../registry/vips.ts";
import { formatFinding } from "../sources/report.ts";
import { readServices } from "../sources/services.ts";
import { formatConflict, withoutEchoes } from "./chronicle.ts";

/** What is found in services files without serving them. */
export interface CheckReport {
  /** What keeps them, or a service, from being served: a line each, with file, line and column. */
  readonly problems: readonly string[];
  /** What is served, but not all of it as one may think. */
  readonly warnings: readonly string[];
  readonly files: number;
  readonly services: number;
  readonly tasks: number;
  /** Of the services, those of Compose files: their tasks come from an engine. */
  readonly outlines: number;
}

/** Reads services files and folders of them, and goes as far as giving VIPs, but opens nothing. */
export async function checkServices(
  paths: readonly string[],
  options: { readonly allowExec: boolean },
): Promise<CheckReport> {
  const { roster, problems, warnings, files } = await readServices(paths, process.env, options);
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  if (roster) registry.open("file").publish(roster);
  const services = [...registry.services()];
  const conflicts = withoutEchoes(registry.conflicts()).flatMap(({ name, holder, others }) =>
    others.map((other) => formatConflict(name, holder, other)),
  );
  return {
    problems: [...problems.map(formatFinding), ...services.flatMap(problemsOf)],
    warnings: [...warnings.map(formatFinding), ...conflicts],
    files: files.length,
    services: services.length,
    tasks: services.reduce((count, { declaration }) => count + declaration.tasks.length, 0),
    outlines: services.filter(({ declaration }) => declaration.isOutline).length,
  };
}

function problemsOf({ vipProblem, publishProblem, declaration }: Service): string[] {
  return [vipProblem, publishProblem].flatMap((problem) =>
    problem === undefined ? [] : [`${declaration.origin}: ${problem}`],
  );
}
