import type { Log } from "../base/log.ts";
import type { AvailabilityRule } from "../model/availability.ts";
import { formatPrefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Registry } from "../registry/registry.ts";
import { fitsTask, isGlob } from "../registry/rules.ts";
import type { Service } from "../registry/service.ts";
import { suggest } from "../schema/problem.ts";

/** So many are told: with more, somebody mistook the file. */
const MAX_TOLD = 10;

/**
 * Warns of rules that take out nobody: who misspells a task believes that it is out, and stops it. Globs are
 * meant to fit what is there, and a service may come later; so the rule holds all the same.
 */
export function tellUnfit(rules: readonly AvailabilityRule[], registry: Registry, log: Log): void {
  const services = new Map<string, Service[]>();
  for (const service of registry.services()) {
    const name = formatPrefix(ownName(service.declaration));
    services.set(name, [...(services.get(name) ?? []), service]);
  }
  const unfit = rules.flatMap((rule) => problemOf(rule, services));
  for (const message of unfit.slice(0, MAX_TOLD)) log.warn({}, message);
  if (unfit.length > MAX_TOLD) log.warn({}, `and ${unfit.length - MAX_TOLD} rules more that fit nobody now`);
}

function problemOf(rule: AvailabilityRule, services: ReadonlyMap<string, readonly Service[]>): string[] {
  const { service, task, origin } = rule;
  if (isGlob(service)) return [];
  const named = services.get(service);
  if (!named) {
    const remedy = suggest(service, services.keys(), "rota explain knows the names");
    return [`${origin}: there is no service ${service} now: ${remedy}`];
  }
  const tasks = named.flatMap(({ declaration }) => declaration.tasks);
  if (isGlob(task) || tasks.some((known) => fitsTask(rule, known))) return [];
  const ids = tasks.map(({ id }) => formatPrefix(id));
  const remedy = suggest(task, ids, `its tasks are ${ids.slice(0, MAX_TOLD).join(", ")}`);
  return [`${origin}: service ${service} has no task ${task} now: ${remedy}`];
}
