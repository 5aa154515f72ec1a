import { setTimeout } from "node:timers/promises";
import { messageOf, systemCodeOf } from "../base/error.ts";
import { createScope, type Scope } from "../base/scope.ts";
import type { Roster } from "../model/declaration.ts";
import { createBell } from "./bell.ts";
import type { Environment } from "./expand.ts";
import { isFolder, listFiles, lookAt, signatureOf } from "./files.ts";
import { createLedger } from "./ledger.ts";
import { createPathWatch } from "./path-watch.ts";
import { createReadSet } from "./read-set.ts";
import { readAside } from "./read-thread.ts";
import { settle } from "./settle.ts";
import { reportOf, type SourceReport } from "./report.ts";

/**
 * For so long, in milliseconds, files must have stood still before they are read: one that is being written may
 * look whole halfway.
 */
const SETTLE_MS = 100;

export interface WatchServicesOptions {
  /**
   * Ask again and again, where the system tells of no changes: network volumes, some containers.
   * @default false
   */
  readonly poll?: boolean;
  /** What `${VAR}` stands for. */
  readonly env: Environment;
  /** Takes what the files say together. A declaration that did not change is the same object again. */
  readonly publish: (roster: Roster) => void | Promise<void>;
  readonly report: (report: SourceReport) => void;
}

/** Services files that are being watched, until the signal aborts. */
export interface ServicesWatch {
  /** Looks at the files now, as on SIGHUP; resolves when what they say has been published or reported. */
  reload(): Promise<void>;
  /** Resolves when the signal has aborted and nothing of the watch is left. */
  readonly closed: Promise<void>;
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
): Promise<ServicesWatch> {
  const { poll = false, env, publish, report } = options;
  signal.throwIfAborted();
  const bell = createBell(signal);
  const pathWatch = createPathWatch({
    poll,
    ring: () => bell.ring(),
    fail: (error) => report(refusal(paths, error)),
  });
  const ledger = createLedger({
    readSet: createReadSet((request) => readAside(request, signal), env),
    publish,
    report,
  });
  await using scope = createScope();
  scope.defer(() => pathWatch.close());

  // Watched before it is read: what changes in between rings.
  const files = await listFiles(paths);
  await pathWatch.follow(paths, files);
  await ledger.open(await lookAt(files));
  await warnOfEmptyFolders(paths, report);

  let settled = "";
  let waiting: (() => void)[] = [];
  return {
    closed: followBell(scope.move()),
    reload: async () => {
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        bell.ring();
      });
    },
  };

  async function followBell(opened: Scope): Promise<void> {
    await using _ = opened;
    while (await bell.heard()) {
      const served = waiting;
      waiting = [];
      await lookAgain().catch((error: unknown) => {
        settled = "";
        if (!signal.aborted) report(failure(paths, error));
      });
      for (const done of served) done();
    }
    for (const done of waiting) done();
  }

  async function lookAgain(): Promise<void> {
    let files = await listFiles(paths);
    while (await pathWatch.follow(paths, files)) files = await listFiles(paths);
    if ((await signatureOf(files)) === settled) return;
    const listAndSign = async (): Promise<string> => {
      files = await listFiles(paths);
      return signatureOf(files);
    };
    const signature = await settle(listAndSign, () => setTimeout(SETTLE_MS, undefined, { signal }));
    const looks = await lookAt(files);
    if ((await signatureOf(files)) !== signature) return lookAgain();
    settled = signature;
    await ledger.update(looks);
  }
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

function failure(paths: readonly string[], error: unknown): SourceReport {
  const message = `could not be looked at: ${messageOf(error)}; what was said before stays`;
  return reportOf("problem", { file: paths.join(", "), position: undefined, message });
}

function refusal(paths: readonly string[], error: unknown): SourceReport {
  const remedy =
    systemCodeOf(error) === "ENOSPC" || systemCodeOf(error) === "EMFILE"
      ? "raise fs.inotify.max_user_watches and max_user_instances, or poll"
      : "poll instead";
  const message = `changes may go unnoticed: ${messageOf(error)}: ${remedy}`;
  return reportOf("problem", { file: paths.join(", "), position: undefined, message });
}
