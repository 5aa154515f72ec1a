import type { Address } from "../model/address.ts";
import type { Declaration, Port, TaskDeclaration } from "../model/declaration.ts";
import { joinPrefix, parsePrefix, type Prefix } from "../model/name.ts";

/** What one of a service's names stands for. */
export type Meaning =
  | { readonly kind: "service" }
  | { readonly kind: "tasks" }
  | TaskMeaning
  /** `_http._tcp.web`: the service's port, on its VIP if it has one. */
  | { readonly kind: "port"; readonly port: Port }
  /** `_http._tcp.tasks.web`: that port of each task. */
  | { readonly kind: "taskPort"; readonly port: Port };

interface TaskMeaning {
  readonly kind: "task";
  readonly task: TaskDeclaration;
}

const SERVICE: Meaning = { kind: "service" };
const TASKS: Meaning = { kind: "tasks" };
const TASKS_LABEL = parsePrefix("tasks");

/** The service's own name, its namespace included: what stands in front of the zone. */
export function ownName(declaration: Declaration): Prefix {
  return joinPrefix(declaration.name, declaration.namespace);
}

/** The names of the service itself, its own first. */
export function serviceNames(declaration: Declaration): readonly Prefix[] {
  const aliases = declaration.aliases.map((alias) => joinPrefix(alias, declaration.namespace));
  return [ownName(declaration), ...aliases];
}

/** The names of one task, the one that targets use first. */
export function* taskNames(declaration: Declaration, task: TaskDeclaration): Iterable<Prefix> {
  const own = ownName(declaration);
  yield joinPrefix(task.id, own);
  if (task.slot !== undefined) yield joinPrefix(parsePrefix(String(task.slot)), own);
  // An id made from an address says nothing of whose task it is: only a chosen one is a name of its own.
  if (task.isNamed) yield joinPrefix(task.id, declaration.namespace);
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
  const bases = serviceNames(declaration);
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
  const meanings = declaration.tasks.map((task): TaskMeaning => ({ kind: "task", task }));
  // A slot is a number that somebody gave; an id may look like one by chance.
  for (const meaning of meanings) {
    const { slot } = meaning.task;
    if (slot !== undefined) claim(joinPrefix(parsePrefix(String(slot)), ownName(declaration)), meaning);
  }
  for (const meaning of meanings) {
    for (const name of taskNames(declaration, meaning.task)) claim(name, meaning);
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
