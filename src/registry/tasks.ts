import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";

/** To make an index of so few takes longer than to look through them, and 60 octets a task. */
const FEW = 16;

/** The task of this id, in time that does not grow with the tasks. */
export function taskOf({ tasks }: Declaration, id: Prefix): TaskDeclaration | undefined {
  if (tasks.length <= FEW) return tasks.find((task) => task.id === id);
  let byId = tasksById.get(tasks);
  if (!byId) {
    byId = new Map(tasks.map((task) => [task.id, task]));
    tasksById.set(tasks, byId);
  }
  return byId.get(id);
}

const tasksById = new WeakMap<readonly TaskDeclaration[], ReadonlyMap<Prefix, TaskDeclaration>>();
