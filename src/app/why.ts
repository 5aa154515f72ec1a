import { count } from "../base/count.ts";
import type { Answer } from "../dns/kinds.ts";
import { formatName } from "../model/name.ts";
import type { Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import { leadsToTasks, type Stands } from "./stands.ts";

/** Why this answer is given, in a clause for people. */
export function whyOf(given: Answer, type: string, stands: Stands, registry: Registry): string {
  if (!stands.service) return whyNobody(given, type, stands.kind, registry);
  const { kind, service } = stands;
  if (type === "PTR") return `the address is the ${kind === "vip" ? "service's VIP" : "task's"}`;
  if (kind === "task") {
    return given.kind === "records"
      ? "a task's own name answers whether it serves or not"
      : `the task has no ${thingOf(type)}`;
  }
  return leadsToTasks(stands) ? whyTasks(given, type, service) : whyVip(given, type, service);
}

function whyNobody(
  given: Answer,
  type: string,
  kind: "zone" | "server" | "below" | "nothing",
  registry: Registry,
): string {
  if (kind === "zone") return "the zone has SOA and NS, and no address";
  if (kind === "server") return "it is where this server is asked";
  const isAddress = type === "PTR";
  if (given.kind === "elsewhere") {
    const zone = formatName(registry.settings.zone).replace(/\.$/, "");
    return isAddress
      ? "no task, VIP or declared network has this address"
      : `it is not in the zone ${zone}, and no short name of a service or task`;
  }
  if (given.kind === "nxdomain")
    return isAddress ? "no task or VIP has this address" : "no service, alias or task is called so";
  return "other names end in it, and it has nothing itself";
}

function whyVip(given: Answer, type: string, service: Service): string {
  if (given.kind === "servfail") return service.vipProblem ?? "the service has no VIP yet";
  return given.kind === "records"
    ? "the VIP is the service's, whoever serves"
    : `the service has no VIP that is an ${thingOf(type)}`;
}

function whyTasks(given: Answer, type: string, service: Service): string {
  const { declaration, serving, answering, outages, verdicts, isWaiting } = service;
  const { tasks, whenEmpty, panicThreshold, maxAnswers } = declaration;
  if (tasks.length === 0) {
    const isUntold = given.kind === "servfail" && declaration.isOutline && whenEmpty !== "servfail";
    return isUntold
      ? "its tasks come from an engine that could not be asked yet"
      : "the service has no tasks";
  }
  if (isWaiting) {
    const awaited = tasks.filter(({ id, isChecked }) => isChecked && !verdicts.has(id) && !outages.has(id));
    return `its first round of checks is under way: no result yet of ${share(awaited.length, tasks.length)}`;
  }
  if (outages.size === tasks.length)
    return `the operator has taken out ${tasks.length === 1 ? "its only task" : `all ${tasks.length} tasks`}`;
  if (answering.length === 0)
    return `no task is serving (${rollCall(service)}), and when_empty is ${whenEmpty}`;
  if (given.kind === "nodata") return `no task that is shown has an ${thingOf(type)}`;
  const served = `${share(serving.length, tasks.length)} ${serving.length === 1 || tasks.length === 1 ? "serves" : "serve"}`;
  const bound = answering.length > maxAnswers ? `; max_answers shows ${maxAnswers} at a time` : "";
  if (answering.length === serving.length) return served + bound;
  const isPanic = serving.length / (tasks.length - outages.size) < panicThreshold;
  const because = isPanic ? `that is below panic_threshold ${panicThreshold}` : "when_empty is all";
  const shown = outages.size > 0 ? "all but those that the operator has taken out" : "all";
  return `${served}, and ${because}: ${shown} are shown${bound}`;
}

/** `2 failing, 1 taken out`. */
function rollCall({ declaration, verdicts, outages }: Service): string {
  const many = new Map<string, number>();
  for (const { id, isDown } of declaration.tasks) {
    const what = outages.has(id) ? "taken out" : isDown ? "down" : (verdicts.get(id) ?? "starting");
    many.set(what, (many.get(what) ?? 0) + 1);
  }
  return [...many].map(([what, number]) => `${number} ${what}`).join(", ");
}

/** `1 of 3 tasks`. */
function share(some: number, all: number): string {
  return `${some} of ${count(all, "task")}`;
}

function thingOf(type: string): string {
  return { A: "IPv4 address", AAAA: "IPv6 address" }[type] ?? `${type} record`;
}
