import { count } from "../base/count.ts";
import type { Service } from "../registry/service.ts";

/**
 * How a service stands: `waiting` for its first round of checks, `bare` of tasks, `starting` as all of them are,
 * `empty` as none serves, in `panic` as too few do, or `serving`.
 */
export type Standing = "waiting" | "bare" | "starting" | "empty" | "panic" | "serving";

export function standingOf({ declaration, serving, answering, verdicts, isWaiting }: Service): Standing {
  if (isWaiting) return "waiting";
  if (declaration.tasks.length === 0) return "bare";
  const isStarting = declaration.tasks.every(({ id }) => verdicts.get(id) === "starting");
  if (serving.length === 0) return isStarting ? "starting" : "empty";
  return answering.length > serving.length ? "panic" : "serving";
}

/** What that comes to, for people. */
export function formatStanding(service: Service): string {
  const { declaration, serving, answering } = service;
  const tasks = count(declaration.tasks.length, "task");
  switch (standingOf(service)) {
    case "waiting":
      return "waits for the first results of its checks";
    case "bare":
      return "has no tasks";
    case "starting":
      return `${tasks} starting, none has passed yet`;
    case "empty":
      return `${noneServes(declaration.tasks.length)}: ${whatIsAnswered(service)}`;
    case "panic":
      return `${serving.length} of ${tasks} serve, fewer than panic_threshold: ${answering.length} are answered`;
    case "serving":
      return `${serving.length} of ${tasks} serving again`;
  }
}

function noneServes(tasks: number): string {
  return tasks === 1 ? "its only task does not serve" : `none of its ${tasks} tasks serves`;
}

function whatIsAnswered({ declaration, answering }: Service): string {
  if (answering.length > 0) return `${answering.length} are answered all the same`;
  const names =
    declaration.endpointMode === "vip" ? "its VIP leads to nobody, and tasks' names" : "its names";
  return declaration.whenEmpty === "servfail" ? `${names} fail` : `${names} have no address`;
}
