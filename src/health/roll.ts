import type { Check } from "../model/check.ts";
import type { Prefix } from "../model/name.ts";
import type { Service } from "../registry/service.ts";
import type { Target } from "./outcome.ts";
import {
  checkedTasks,
  type CheckedService,
  createCheckedService,
  createTaskCheck,
  isSameCheck,
  type TaskCheck,
} from "./task-check.ts";

/** Which tasks are checked now: what the registry says, a check for each. */
export interface Roll {
  /** How many checks there are. */
  readonly size: number;
  find(service: string, task: Prefix): TaskCheck | undefined;
  /** Takes a service as it is now, at a cost in proportion to it; undefined: it is gone. */
  take(id: string, service: Service | undefined, nowMs: number): void;
}

export interface RollEvents {
  readonly began: (check: TaskCheck) => void;
  readonly ended: (check: TaskCheck) => void;
  /** The registry has another verdict on a task than it was told: it let go of it as the task changed. */
  readonly forgotten: (check: TaskCheck) => void;
}

export function createRoll({ began, ended, forgotten }: RollEvents): Roll {
  const services = new Map<string, CheckedService>();
  let size = 0;

  return {
    get size() {
      return size;
    },
    find: (service, task) => services.get(service)?.checks.get(task),
    take(id, service, nowMs) {
      const known = services.get(id);
      // A verdict makes a new service as well, and is no news here.
      if (known && known.declaration === service?.declaration && known.outages === service.outages) return;
      const check = service?.declaration.check;
      if (service && check) {
        const checked = known ?? createCheckedService(service, check);
        services.set(id, checked);
        update(checked, service, check, nowMs);
      } else if (known) {
        services.delete(id);
        for (const check of known.checks.values()) end(check);
      }
    },
  };

  /** Who is checked as before, where it was, is left in peace: its counts and its schedule go on. */
  function update(checked: CheckedService, service: Service, check: Check, nowMs: number): void {
    const isAsBefore = isSameCheck(checked.check, check);
    const before = new Map(checked.checks);
    checked.declaration = service.declaration;
    checked.outages = service.outages;
    checked.check = check;
    for (const { task, target } of checkedTasks(service, check)) {
      const known = before.get(task);
      const verdict = service.verdicts.get(task);
      if (!known || !isAsBefore || !isSamePlace(known.target, target)) {
        begin(createTaskCheck(checked, task, target, verdict, nowMs));
        continue;
      }
      before.delete(task);
      if (known.reported !== undefined && known.reported !== verdict) forgotten(known);
    }
    for (const check of before.values()) end(check);
  }

  function begin(check: TaskCheck): void {
    check.service.checks.set(check.task, check);
    size += 1;
    began(check);
  }

  function end(check: TaskCheck): void {
    const { checks } = check.service;
    if (checks.get(check.task) === check) checks.delete(check.task); // else another has taken its place
    check.isGone = true;
    size -= 1;
    ended(check);
  }
}

function isSamePlace(one: Target, other: Target): boolean {
  return one.address === other.address && one.port === other.port;
}
