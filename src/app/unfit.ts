import type { Log } from "../base/log.ts";
import type { AvailabilityRule } from "../model/availability.ts";
import { formatPrefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Registry } from "../registry/registry.ts";
import { isGlob, ruleNames } from "../registry/rules.ts";
import { suggest } from "../schema/problem.ts";

/** So many are told: with more, somebody mistook the file. */
const MAX_TOLD = 10;

/**
 * Warns of rules that take out nobody: who misspells a task believes that it is out, and stops it. Globs are
 * meant to fit what is there, and a service may come later; so the rule holds all the same.
 */
export function tellUnfit(rules: readonly AvailabilityRule[], registry: Registry, log: Log): void {
  const named = new Set(rules.map(({ service }) => service));
  /** What the tasks of each service are called, as far as a rule asks. */
  const services = new Map<string, Set<string>>();
  for (const { declaration } of registry.services()) {
    const name = formatPrefix(ownName(declaration));
    const tasks = services.get(name) ?? new Set();
    services.set(name, tasks);
    if (named.has(name))
      for (const task of declaration.tasks) for (const each of ruleNames(task)) tasks.add(each);
  }
  let told = 0;
  for (const rule of rules) {
    const [message] = problemOf(rule, services);
    if (message === undefined) continue;
    if (told === MAX_TOLD)
      return log.warn({}, `${rule.origin}: this fits nobody either, nor may rules after it`);
    told += 1;
    log.warn({}, message);
  }
}

function problemOf(rule: AvailabilityRule, services: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const { service, task, origin } = rule;
  if (isGlob(service)) return [];
  const tasks = services.get(service);
  if (!tasks) {
    const remedy = suggest(service, services.keys(), "rota explain knows the names");
    return [`${origin}: there is no service ${service} now: ${remedy}`];
  }
  if (isGlob(task) || tasks.has(task)) return [];
  const known = [...tasks].slice(0, MAX_TOLD).join(", ");
  return [
    `${origin}: service ${service} has no task ${task} now: ${suggest(task, tasks, `there are ${known}`)}`,
  ];
}
