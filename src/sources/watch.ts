import type { Roster } from "../model/declaration.ts";
import type { Environment } from "./expand.ts";
import { isFolder, listFiles, SERVICES_LIMIT } from "./files.ts";
import { type FileWatch, followFiles, type FollowOptions } from "./follow.ts";
import { createLedger } from "./ledger.ts";
import { createReadSet } from "./read-set.ts";
import { readAside } from "./read-thread.ts";
import { reportOf, type SourceReport } from "./report.ts";

export interface WatchServicesOptions {
  /**
   * Ask again and again, where the system tells of no changes: network volumes, some containers.
   * @default false
   */
  readonly poll?: boolean;
  /** What `${VAR}` stands for. */
  readonly env: Environment;
  /**
   * Whether health checks may run commands.
   * @default false
   */
  readonly allowExec?: boolean | undefined;
  /** Takes what the files say together. A declaration that did not change is the same object again. */
  readonly publish: (roster: Roster) => void | Promise<void>;
  readonly report: (report: SourceReport) => void;
}

/**
 * Publishes what services files say, and again whenever they change; resolves after the first time. Of a file
 * that is broken, empty, gone or cannot be read, what it said before stays, and `report` hears why.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE` with all that is wrong, if anything is at the first reading
 */
export async function watchServices(
  paths: readonly string[],
  options: WatchServicesOptions,
  signal: AbortSignal,
): Promise<FileWatch> {
  const { poll = false, env, allowExec = false, publish, report } = options;
  const readSet = createReadSet((request) => readAside(request, signal), { env, allowExec });
  const ledger = createLedger({ readSet, publish, report });
  const follow: FollowOptions = {
    paths,
    poll,
    limit: SERVICES_LIMIT,
    list: () => listFiles(paths),
    async open(looks) {
      await ledger.open(looks);
      await warnOfEmptyFolders(paths, report);
    },
    update: ledger.update,
    report,
  };
  return followFiles(follow, signal);
}

async function warnOfEmptyFolders(
  paths: readonly string[],
  report: (report: SourceReport) => void,
): Promise<void> {
  for (const path of paths) {
    if (!(await isFolder(path)) || (await listFiles([path])).length > 0) continue;
    const message = "has no *.yaml, *.yml or *.json in it yet";
    report(reportOf("warning", { file: path, position: undefined, message }));
  }
}
