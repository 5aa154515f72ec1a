import { systemClock } from "../base/clock.ts";
import { silentLog } from "../base/log.ts";
import type { CheckState } from "../health/check-state.ts";
import { runMonitor } from "../health/monitor.ts";
import { createProbes } from "../health/probe.ts";
import { parseAddress } from "../model/address.ts";
import type { Check } from "../model/check.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import { createRegistry, type Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import { forgetfulStore } from "../registry/vips.ts";
import { formatFinding } from "../sources/report.ts";
import { readServices } from "../sources/services.ts";
import { explain, type Explanation, isChecked } from "./explain.ts";
import type { Look } from "./explain-task.ts";
import { sightOf } from "./sight.ts";
import { resolve } from "./stands.ts";

export interface ExplainFilesOptions {
  /** The address of who asks; undefined: somebody on no network. */
  readonly from: string | undefined;
  /** Whether to try each task of the service once, and to explain by what comes of it. */
  readonly probe: boolean;
  /** Whether that may run a command. */
  readonly allowExec: boolean;
}

/** What a name would be answered by services files, or what is wrong with them, a line each. */
export type FilesExplanation =
  | {
      readonly kind: "explained";
      readonly explanation: Explanation;
      /** Whether any task of the service would serve; undefined: it hangs on checks, and nobody tried. */
      readonly isServed: boolean | undefined;
    }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

/**
 * Explains what a name would be answered by a server of these services files, without one.
 *
 * @throws RotaError `ERR_ROTA_NAME`, or the reason of an aborted `signal`: then nothing has been left running
 */
export async function explainFiles(
  name: string,
  files: readonly string[],
  { from: asker, probe, allowExec }: ExplainFilesOptions,
  signal: AbortSignal,
): Promise<FilesExplanation> {
  // To read of a command runs none.
  const { roster, problems } = await readServices(files, process.env, { allowExec: true });
  if (!roster) return { kind: "refused", problems: problems.map(formatFinding) };
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  registry.open("file").publish(roster);

  const from = asker === undefined ? undefined : parseAddress(asker);
  const { service } = resolve(name, registry, sightOf(registry, from, "all").view).stands;
  const check = service && isChecked(service) ? service.declaration.check : undefined;
  const untried = check && whyUntried(check, probe);
  const isTried = service && check && untried === undefined;
  if (isTried && check.probe.kind === "exec" && !allowExec)
    return { kind: "refused", problems: [needsExec(service)] };
  const look = isTried ? await tryEach(registry, service, check, signal) : () => undefined;
  const explanation = explain(name, {
    registry,
    from,
    nameServers: () => [],
    outside: "refused",
    forwarder: undefined,
    look,
    nowMs: systemClock.monotonic(),
    untried,
  });
  const isServing = explanation.service?.tasks.some(({ isServing }) => isServing) ?? false;
  return { kind: "explained", explanation, isServed: untried === undefined ? isServing : undefined };
}

function whyUntried({ probe: { kind } }: Check, probe: boolean): string | undefined {
  // Nobody would send one here.
  if (kind === "heartbeat") return "heartbeats reach a running server only";
  return probe ? undefined : "--probe tries each task once";
}

function needsExec({ declaration }: Service): string {
  const service = formatPrefix(ownName(declaration));
  return `${declaration.origin}: the check of ${service} runs a command: allow it with --allow-exec, or leave out --probe`;
}

const PROBES_AT_ONCE = 256;

/** Tries each task of a service once, reports to the registry, and tells what came of it. */
async function tryEach(
  registry: Registry,
  service: Service,
  check: Check,
  signal: AbortSignal,
): Promise<Look> {
  const ends = new AbortController();
  const { tasks } = service.declaration;
  const monitor = runMonitor(
    {
      registry: { ...registry, services: () => [service] },
      clock: systemClock,
      probe: createProbes(),
      // For those that tell nothing: whoever asks does not wait for ever.
      startWaitMs: check.timeoutMs * Math.ceil(tasks.length / PROBES_AT_ONCE) + 1000,
      concurrency: 2 * PROBES_AT_ONCE, // of which one service gets half
      log: silentLog,
    },
    AbortSignal.any([ends.signal, signal]),
  );
  const states = new Map<Prefix, CheckState>();
  try {
    await firstRound(registry, service, signal);
    for (const { id } of tasks) {
      const state = monitor.look(service.id, id);
      if (state) states.set(id, { ...state, nextInMs: Infinity });
    }
  } finally {
    ends.abort();
    await monitor.closed;
  }
  return (_, task) => states.get(task);
}

/** Resolves when every task has had its first result. */
async function firstRound(
  registry: Registry,
  { id, declaration }: Service,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    if (signal.aborted) reject(signal.reason);
    registry.follow(({ touched }) => {
      const after = touched.get(id)?.after;
      if (after && declaration.tasks.every((task) => after.verdicts.has(task.id))) resolve();
    }, signal);
  });
}
