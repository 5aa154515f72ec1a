import { systemClock } from "../base/clock.ts";
import { RotaError } from "../base/error.ts";
import { silentLog } from "../base/log.ts";
import { runMonitor } from "../health/monitor.ts";
import { createProbes } from "../health/probe.ts";
import { createRegistry, type Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import { forgetfulStore } from "../registry/vips.ts";
import { formatFinding } from "../sources/report.ts";
import { readServices } from "../sources/services.ts";
import { explain, type Explanation } from "./explain.ts";
import type { Look } from "./explain-task.ts";

export interface ExplainFilesOptions {
  /** Whether to try each task of the service once, and to explain by what comes of it. */
  readonly probe: boolean;
  readonly allowExec: boolean;
}

/**
 * Explains what a name would be answered by a server of these services files, without one.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE` with what is wrong with the files; `ERR_ROTA_NAME`
 */
export async function explainFiles(
  name: string,
  files: readonly string[],
  { probe, allowExec }: ExplainFilesOptions,
  signal: AbortSignal,
): Promise<Explanation> {
  const { roster, problems } = await readServices(files, process.env, { allowExec });
  if (!roster) {
    const told = problems.map(formatFinding).join("; ");
    throw new RotaError("ERR_ROTA_SERVICES_FILE", `could not take the services files: ${told}`);
  }
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  registry.open("file").publish(roster);
  const explainBy = (look: Look): Explanation =>
    explain(name, {
      registry,
      nameServers: () => [],
      outside: "refused",
      forwarder: undefined,
      look,
      nowMs: systemClock.monotonic(),
    });
  const found = explainBy(() => undefined);
  const service = [...registry.services()].find(
    ({ declaration }) => declaration.origin === found.service?.origin,
  );
  const check = service?.declaration.check;
  if (!service || !check || service.declaration.tasks.length === 0) return found;
  // Nobody would send a heartbeat here.
  if (check.probe.kind === "heartbeat") return noted(found, "heartbeats reach a running server only");
  if (!probe) return noted(found, "no task was tried: --probe tries each once");

  const ends = new AbortController();
  const monitor = runMonitor(
    {
      registry: { ...registry, services: () => [service] },
      clock: systemClock,
      probe: createProbes(),
      // For those that tell nothing: whoever asks does not wait for ever.
      startWaitMs: check.timeoutMs * Math.ceil(service.declaration.tasks.length / PROBES_AT_ONCE) + 1000,
      concurrency: PROBES_AT_ONCE,
      log: silentLog,
    },
    AbortSignal.any([ends.signal, signal]),
  );
  await firstRound(registry, service, signal);
  const explanation = explainBy((id, task) => {
    const state = monitor.look(id, task);
    return state && { ...state, nextInMs: Infinity };
  });
  ends.abort();
  await monitor.closed;
  return explanation;
}

const PROBES_AT_ONCE = 512;

function noted(explanation: Explanation, note: string): Explanation {
  return { ...explanation, notes: [...explanation.notes, note] };
}

/** Resolves when every task has had its first result. */
async function firstRound(
  registry: Registry,
  { id, declaration }: Service,
  signal: AbortSignal,
): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    registry.follow(({ touched }) => {
      const after = touched.get(id)?.after;
      if (after && declaration.tasks.every((task) => after.verdicts.has(task.id))) resolve();
    }, signal);
  });
}
