import { count } from "../base/count.ts";
import type { Log } from "../base/log.ts";
import { formatPrefix, parentOf } from "../model/name.ts";
import { joinMoved } from "../registry/moved.ts";
import { ownName } from "../registry/names.ts";
import type { Change, Conflict, Registry, Touched } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import type { SourceReport } from "../sources/report.ts";
import { formatStanding, standingOf } from "./standing.ts";

/** Changes of more services than this are told in one line. */
const TOLD_ONE_BY_ONE = 10;
/** Of what health does, as many lines a second: tasks may flap, by the thousand. */
const TOLD_A_SECOND = 10;
/** Conflicts that are remembered as told; more than that is not a mistake but a flood. */
const REMEMBERED_CONFLICTS = 10_000;

/**
 * Writes into the log what changes in the registry, until `signal` is aborted.
 *
 * @param nowMs the monotonic clock
 */
export function chronicle(registry: Registry, log: Log, nowMs: () => number, signal: AbortSignal): void {
  const told = new Set<string>();
  let second = -Infinity;
  let toldInIt = 0;
  let untold = 0;

  registry.follow(({ serial, touched, conflicts }: Change) => {
    const changes = joinMoved(
      [...touched].map(([id, { before }]) => [id, before] as const),
      (id) => touched.get(id)?.after,
    );
    if (touched.size <= TOLD_ONE_BY_ONE) {
      for (const change of changes) tellChange(change, serial);
    } else {
      log.info({ serial, services: touched.size }, `${touched.size} services changed`);
    }
    for (const { before, after } of changes) {
      if (!after) continue;
      if (after.vipProblem !== undefined && after.vipProblem !== before?.vipProblem)
        log.error({ service: after.id }, after.vipProblem);
      if (after.publishProblem !== undefined && after.publishProblem !== before?.publishProblem)
        log.error({ service: after.id }, `service ${nameOf(after)}: ${after.publishProblem}`);
      if (before !== after && !tellStanding(before, after, changes.length)) tellVerdicts(before, after);
      if (before?.outages !== after.outages) tellOutages(before, after);
    }
    for (const conflict of withoutEchoes(conflicts)) tellConflict(conflict);
  }, signal);

  /** A verdict that lets one task in or out is the health check's to tell. */
  function tellChange({ before, after }: Touched, serial: number): void {
    const service = after ?? before;
    if (!service || (after && before?.declaration === after.declaration)) return;
    const what = after ? `has ${countTasks(after)}` : "is gone";
    log.info({ serial, service: service.id }, `service ${nameOf(service)} ${what}`);
  }

  /** That a name leads to nobody, or to all whoever passes, is news, and so is that it is over. True: it is told. */
  function tellStanding(before: Service | undefined, after: Service, changes: number): boolean {
    const standing = standingOf(after);
    const isNews = standing === "empty" || standing === "panic";
    const was = before && standingOf(before);
    if (standing === was || (!isNews && was !== "empty" && was !== "panic")) return false;
    if (standing === "bare" && changes <= TOLD_ONE_BY_ONE) return true; // that it has 0 tasks was told
    if (!mayTell()) return true;
    const message = `service ${nameOf(after)}: ${formatStanding(after)}`;
    log[isNews ? "warn" : "info"]({ service: after.id, serving: after.serving.length }, message);
    return true;
  }

  /** What an engine, or who calls `report`, says of tasks: nobody else tells it. */
  function tellVerdicts(before: Service | undefined, { id, verdicts, declaration }: Service): void {
    if (!before || before.verdicts === verdicts || declaration.check || before.declaration.check) return;
    for (const [task, verdict] of verdicts) {
      const was = before.verdicts.get(task);
      if (was === undefined || was === verdict || !mayTell()) continue;
      const message = `task ${formatPrefix(task)} of ${formatPrefix(ownName(declaration))} is reported as ${verdict}`;
      log.info({ service: id, task: formatPrefix(task) }, message);
    }
  }

  function mayTell(): boolean {
    const now = nowMs();
    if (now - second >= 1000) {
      if (untold > 0) log.warn({ untold }, `${count(untold, "more change")} of services were not told`);
      second = now;
      toldInIt = 0;
      untold = 0;
    }
    toldInIt += 1;
    if (toldInIt > TOLD_A_SECOND) untold += 1;
    return toldInIt <= TOLD_A_SECOND;
  }

  function tellOutages(before: Service | undefined, after: Service): void {
    const tasks = new Set([...(before?.outages.keys() ?? []), ...after.outages.keys()]);
    const changed = [...tasks].filter(
      (task) => before?.outages.get(task)?.availability !== after.outages.get(task)?.availability,
    );
    if (changed.length > TOLD_ONE_BY_ONE) {
      const message = `service ${nameOf(after)}: ${count(after.outages.size, "task")} out by the operator's word`;
      return log.info({ service: after.id, tasks: after.outages.size }, message);
    }
    for (const task of changed) {
      const outage = after.outages.get(task);
      const word = { drain: "draining", maintenance: "in maintenance" };
      const what = outage ? `${word[outage.availability]}, by ${outage.origin}` : "active again";
      const id = formatPrefix(task);
      log.info({ service: after.id, task: id }, `task ${id} of ${nameOf(after)} is ${what}`);
    }
  }

  function tellConflict({ name, holder, others }: Conflict): void {
    for (const other of others) {
      const key = `${name} ${holder.id} ${other.id}`;
      if (told.has(key)) continue;
      if (told.size >= REMEMBERED_CONFLICTS) told.clear();
      told.add(key);
      log.warn(
        { claimed: formatPrefix(name), holder: holder.id, other: other.id },
        formatConflict(name, holder, other),
      );
    }
  }
}

/** Writes into the log what a source has to say. */
export function tellSource(log: Log): (report: SourceReport) => void {
  return ({ message, ...fields }) => log[LEVELS[fields.kind]](fields, message);
}

const LEVELS: Readonly<Record<SourceReport["kind"], keyof Log>> = {
  read: "info",
  recovered: "info",
  warning: "warn",
  gone: "warn",
  problem: "error",
};

/** Those that say it all: of `web`, `tasks.web` and `_http._tcp.web`, that two services claim, the first does. */
export function withoutEchoes(conflicts: readonly Conflict[]): readonly Conflict[] {
  const byName = new Map<Conflict["name"], Conflict[]>();
  for (const told of conflicts) byName.set(told.name, [...(byName.get(told.name) ?? []), told]);
  const isEcho = ({ name, holder, others }: Conflict): boolean => {
    for (let above = parentOf(name); above !== undefined; above = parentOf(above)) {
      const isTold = byName
        .get(above)
        ?.some((told) => told.holder === holder && others.every((other) => told.others.includes(other)));
      if (isTold) return true;
    }
    return false;
  };
  return conflicts.filter((conflict) => !isEcho(conflict));
}

/** A line for people on who answers for a name that two claim. */
export function formatConflict(name: Conflict["name"], holder: Service, other: Service): string {
  return (
    `the name ${formatPrefix(name)} is claimed by two services: ` +
    `${nameOf(holder)} (${holder.declaration.origin}) answers, ${nameOf(other)} (${other.declaration.origin}) does not`
  );
}

function countTasks({ declaration, serving, isWaiting }: Service): string {
  const tasks = count(declaration.tasks.length, "task");
  if (isWaiting) return `${tasks}, about to be checked`;
  return serving.length === declaration.tasks.length ? tasks : `${tasks}, ${serving.length} serving`;
}

function nameOf({ declaration }: Service): string {
  return formatPrefix(ownName(declaration));
}
