import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";

/** The task of this id, in time that does not grow with the tasks. */
export function taskOf({ tasks }: Declaration, id: Prefix): TaskDeclaration | undefined {
  let byId = tasksById.get(tasks);
  if (!byId) {
    byId = new Map(tasks.map((task) => [task.id, task]));
    tasksById.set(tasks, byId);
  }
  return byId.get(id);
}

const tasksById = new WeakMap<readonly TaskDeclaration[], ReadonlyMap<Prefix, TaskDeclaration>>();
