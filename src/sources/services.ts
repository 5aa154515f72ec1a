import type { Roster } from "../model/declaration.ts";
import type { Environment } from "./expand.ts";
import { listFiles, lookAt, SERVICES_LIMIT } from "./files.ts";
import { merge } from "./merge.ts";
import { read } from "./read.ts";
import { createReadSet } from "./read-set.ts";
import type { Finding } from "./report.ts";
import { findingsOf } from "./slot.ts";

export type { Environment } from "./expand.ts";

/** What services files say together; only without problems is there a roster. */
export interface ServicesReading {
  readonly roster: Roster | undefined;
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** The files that were found. */
  readonly files: readonly string[];
}

export interface ReadServicesOptions {
  /**
   * Whether health checks may run commands.
   * @default false
   */
  readonly allowExec?: boolean | undefined;
}

/**
 * Reads services files once, and tells all that is wrong with them: of a folder, the `*.yaml`, `*.yml` and
 * `*.json` in it. `formatFinding` makes text of what it tells.
 *
 * @param env what `${VAR}` stands for
 */
export async function readServices(
  paths: readonly string[],
  env: Environment,
  { allowExec = false }: ReadServicesOptions = {},
): Promise<ServicesReading> {
  const files = await listFiles(paths);
  const looks = await lookAt(files, SERVICES_LIMIT);
  const readSet = createReadSet(async (request) => read(request), { env, allowExec });
  const readings = await readSet(looks.filter((look) => look.kind === "octets"));
  const merged = merge(readings.map((reading) => ({ reading, isGone: false, handedOver: new Set() })));
  const unread = findingsOf(looks);
  const within = [...unread, ...readings.flatMap(({ problems }) => problems)];
  const problems = within.length > 0 ? within : merged.problems;
  const warnings = readings.flatMap(({ warnings }) => warnings);
  return { roster: problems.length === 0 ? merged.roster : undefined, problems, warnings, files };
}
