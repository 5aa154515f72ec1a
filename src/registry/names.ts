import type { Address } from "../model/address.ts";
import type { Declaration, Port, TaskDeclaration } from "../model/declaration.ts";
import { joinPrefix, parsePrefix, type Prefix } from "../model/name.ts";

/** What one of a service's names stands for. */
export type Meaning =
  | { readonly kind: "service" }
  | { readonly kind: "tasks" }
  | { readonly kind: "task"; readonly task: TaskDeclaration }
  /** `_http._tcp.web`: the service's port, on its VIP if it has one. */
  | { readonly kind: "port"; readonly port: Port }
  /** `_http._tcp.tasks.web`: that port of each task. */
  | { readonly kind: "taskPort"; readonly port: Port };

const SERVICE: Meaning = { kind: "service" };
const TASKS: Meaning = { kind: "tasks" };
const TASKS_LABEL = parsePrefix("tasks");

/** The service's own name, its namespace included: what stands in front of the zone. */
export function ownName(declaration: Declaration): Prefix {
  return joinPrefix(declaration.name, declaration.namespace);
}

/** The name of one task, which answers whether the task serves or not. */
export function taskName(declaration: Declaration, task: TaskDeclaration): Prefix {
  return joinPrefix(task.id, ownName(declaration));
}

/**
 * All names that a declaration claims, each with what it means: a pure function of the declaration, so that no
 * name is ever added or taken away by an event. Where one service would use a name twice, the earlier in this
 * list keeps it.
 */
export function namesOf(declaration: Declaration): ReadonlyMap<Prefix, Meaning> {
  const names = new Map<Prefix, Meaning>();
  const claim = (name: Prefix, meaning: Meaning): void => {
    if (!names.has(name)) names.set(name, meaning);
  };
  const own = ownName(declaration);
  const bases = [own, ...declaration.aliases.map((alias) => joinPrefix(alias, declaration.namespace))];

  for (const base of bases) claim(base, SERVICE);
  for (const base of bases) {
    const tasks = joinPrefix(TASKS_LABEL, base);
    claim(tasks, TASKS);
    for (const port of declaration.ports) {
      const labels = parsePrefix(`_${port.name}._${port.protocol}`);
      claim(joinPrefix(labels, base), { kind: "port", port });
      claim(joinPrefix(labels, tasks), { kind: "taskPort", port });
    }
  }
  for (const task of declaration.tasks) {
    if (task.slot === undefined) continue;
    claim(joinPrefix(parsePrefix(String(task.slot)), own), { kind: "task", task });
  }
  for (const task of declaration.tasks) {
    const meaning: Meaning = { kind: "task", task };
    claim(joinPrefix(task.id, own), meaning);
    // An id made from an address says nothing of whose task it is: only a chosen one is a name of its own.
    if (task.isNamed) claim(joinPrefix(task.id, declaration.namespace), meaning);
  }
  return names;
}

/** The address of each task, with the first that has it: what a reverse name leads to. */
export function addressesOf(declaration: Declaration): ReadonlyMap<Address, TaskDeclaration> {
  const addresses = new Map<Address, TaskDeclaration>();
  for (const task of declaration.tasks) {
    for (const { address } of task.addresses) {
      if (!addresses.has(address)) addresses.set(address, task);
    }
  }
  return addresses;
}
