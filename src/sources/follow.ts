import { setTimeout } from "node:timers/promises";
import { messageOf, systemCodeOf } from "../base/error.ts";
import { createScope, type Scope } from "../base/scope.ts";
import { createBell } from "./bell.ts";
import { type FileLimit, type Look, lookAt, signatureOf } from "./files.ts";
import { createPathWatch } from "./path-watch.ts";
import { reportOf, type SourceReport } from "./report.ts";
import { settle } from "./settle.ts";

/**
 * For so long, in milliseconds, files must have stood still before they are read: one that is being written may
 * look whole halfway.
 */
const SETTLE_MS = 100;

/** Files that are being watched, until the signal aborts. */
export interface FileWatch {
  /** Looks at the files now, as on SIGHUP; resolves when what they say has been published or reported. */
  reload(): Promise<void>;
  /** Resolves when the signal has aborted and nothing of the watch is left. */
  readonly closed: Promise<void>;
}

export interface FollowOptions {
  /** Where it is decided which files there are. */
  readonly paths: readonly string[];
  readonly poll: boolean;
  /** The files that there are now. */
  readonly list: () => Promise<readonly string[]>;
  /** Above it a file is not read. */
  readonly limit: FileLimit;
  /** Takes the first look; what it throws ends the watch. */
  readonly open: (looks: readonly Look[]) => Promise<void>;
  /** Takes each later one, whether anything changed or not. */
  readonly update: (looks: readonly Look[]) => Promise<void>;
  readonly report: (report: SourceReport) => void;
}

/** Looks at files, and again whenever they may have changed and stand still; resolves after the first time. */
export async function followFiles(
  { paths, poll, list, limit, open, update, report }: FollowOptions,
  signal: AbortSignal,
): Promise<FileWatch> {
  signal.throwIfAborted();
  const bell = createBell(signal);
  const pathWatch = createPathWatch({
    poll,
    ring: () => bell.ring(),
    fail: (error) => report(refusal(paths, error)),
  });
  await using scope = createScope();
  scope.defer(() => pathWatch.close());

  // Watched before it is read: what changes in between rings.
  const files = await list();
  await pathWatch.follow(paths, files);
  await open(await lookAt(files, limit));

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
    let files = await list();
    while (await pathWatch.follow(paths, files)) files = await list();
    if ((await signatureOf(files)) === settled) return;
    const listAndSign = async (): Promise<string> => {
      files = await list();
      return signatureOf(files);
    };
    const signature = await settle(listAndSign, () => setTimeout(SETTLE_MS, undefined, { signal }));
    const looks = await lookAt(files, limit);
    if ((await signatureOf(files)) !== signature) return lookAgain();
    settled = signature;
    await update(looks);
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
