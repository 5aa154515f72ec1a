import { isDeepStrictEqual } from "node:util";
import { isSameList } from "../base/compare.ts";
import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";
import type { Claimed } from "./names.ts";

/**
 * The same declaration, made of the parts of the one before it wherever they say the same. Who declares a service of a
 * thousand tasks anew has mostly changed one: what names the others have need not be touched then.
 */
export function reuseParts(declaration: Declaration, before: Declaration): Declaration {
  const known = new Map<Prefix, TaskDeclaration>();
  for (const task of before.tasks) known.set(task.id, task);
  const tasks = declaration.tasks.map((task) => {
    const was = known.get(task.id);
    return was && isSameTask(task, was) ? was : task;
  });
  const networks = isSameList(declaration.networks, before.networks) ? before.networks : declaration.networks;
  const ports = isDeepStrictEqual(declaration.ports, before.ports) ? before.ports : declaration.ports;
  return { ...declaration, networks, ports, tasks };
}

/** Whether a name that was claimed as `before` says may be left as it is: every part is the same object. */
export function isSameClaim(claimed: Claimed, before: Claimed | undefined): boolean {
  if (!before || !isSameList(claimed.networks, before.networks)) return false;
  const [now, was] = [claimed.meaning, before.meaning];
  switch (now.kind) {
    case "service":
    case "tasks":
      return now === was;
    case "task":
      return was.kind === "task" && was.task === now.task;
    case "port":
      return was.kind === "port" && was.port === now.port;
    case "taskPort":
      return was.kind === "taskPort" && was.port === now.port;
  }
}

function isSameTask(one: TaskDeclaration, other: TaskDeclaration): boolean {
  return (
    one.isNamed === other.isNamed &&
    one.slot === other.slot &&
    one.weight === other.weight &&
    one.isChecked === other.isChecked &&
    one.isDown === other.isDown &&
    one.node === other.node &&
    one.netns === other.netns &&
    one.addresses.length === other.addresses.length &&
    one.addresses.every(({ network, address }, at) => {
      const was = other.addresses[at];
      return was?.network === network && was.address === address;
    }) &&
    // Nearly always none, and the same object then: to compare deeply takes as long as all the rest.
    (one.ports === other.ports || isDeepStrictEqual(one.ports, other.ports)) &&
    (one.networkAliases === other.networkAliases ||
      isDeepStrictEqual(one.networkAliases, other.networkAliases))
  );
}
