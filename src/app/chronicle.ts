import { count } from "../base/count.ts";
import type { Log } from "../base/log.ts";
import { formatPrefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Change, Conflict, Registry, Touched } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import type { SourceReport } from "../sources/report.ts";

/** Changes of more services than this are told in one line. */
const TOLD_ONE_BY_ONE = 10;
/** Conflicts that are remembered as told; more than that is not a mistake but a flood. */
const REMEMBERED_CONFLICTS = 10_000;

/** Writes into the log what changes in the registry, until `signal` is aborted. */
export function chronicle(registry: Registry, log: Log, signal: AbortSignal): void {
  const told = new Set<string>();

  registry.follow(({ serial, touched, conflicts }: Change) => {
    if (touched.size <= TOLD_ONE_BY_ONE) {
      for (const change of touched.values()) tellChange(change, serial);
    } else {
      log.info({ serial, services: touched.size }, `${touched.size} services changed`);
    }
    for (const { after } of touched.values()) {
      if (after?.vipProblem !== undefined) log.error({ service: after.id }, after.vipProblem);
    }
    for (const conflict of conflicts) tellConflict(conflict);
  }, signal);

  function tellChange({ before, after }: Touched, serial: number): void {
    const service = after ?? before;
    if (!service || before === after) return;
    const what = after ? `has ${countTasks(after)}` : "is gone";
    // A verdict that lets nobody in or out is the health check's to tell.
    if (!after || before?.declaration !== after.declaration || countTasks(before) !== countTasks(after))
      log.info({ serial, service: service.id }, `service ${nameOf(service)} ${what}`);
    if (after && before?.outages !== after.outages) tellOutages(before, after);
  }

  function tellOutages(before: Service | undefined, after: Service): void {
    const tasks = new Set([...(before?.outages.keys() ?? []), ...after.outages.keys()]);
    const changed = [...tasks].filter(
      (task) => before?.outages.get(task)?.availability !== after.outages.get(task)?.availability,
    );
    if (changed.length > TOLD_ONE_BY_ONE) {
      const message = `service ${nameOf(after)}: ${after.outages.size} tasks are out by the operator's word`;
      return log.info({ service: after.id, tasks: after.outages.size }, message);
    }
    for (const task of changed) {
      const outage = after.outages.get(task);
      const word = outage ? `${outage.availability}, by ${outage.origin}` : "active again";
      const id = formatPrefix(task);
      log.info({ service: after.id, task: id }, `task ${id} of ${nameOf(after)} is set ${word}`);
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

/** A line for people on who answers for a name that two claim. */
export function formatConflict(name: Conflict["name"], holder: Service, other: Service): string {
  return (
    `the name ${formatPrefix(name)} is claimed by two services: ` +
    `${nameOf(holder)} (${holder.declaration.origin}) answers, ${nameOf(other)} (${other.declaration.origin}) does not`
  );
}

function countTasks({ declaration, serving }: Service): string {
  const tasks = count(declaration.tasks.length, "task");
  return serving.length === declaration.tasks.length ? tasks : `${tasks}, ${serving.length} serving`;
}

function nameOf({ declaration }: Service): string {
  return formatPrefix(ownName(declaration));
}
