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

/** What a name stands for, and on which networks: at least one. */
export interface Claimed {
  readonly meaning: Meaning;
  readonly networks: readonly string[];
}

/** What stands on no network is seen only by those who see everything. */
const NO_NETWORK: readonly string[] = [""];

/**
 * All names that a declaration claims, each with what it means: a pure function of the declaration, so that no
 * name is ever added or taken away by an event. Where one service would use a name twice, the earlier in this
 * list keeps it.
 */
export function namesOf(declaration: Declaration): ReadonlyMap<Prefix, Claimed> {
  const names = new Map<Prefix, Claimed>();
  const claim = (name: Prefix, meaning: Meaning, networks: readonly string[]): void => {
    const known = names.get(name);
    if (!known) names.set(name, { meaning, networks });
    else if (known.meaning === meaning)
      names.set(name, { meaning, networks: union(known.networks, networks) });
  };
  const everywhere = declaration.networks.length > 0 ? declaration.networks : NO_NETWORK;
  const bases = [
    ...serviceNames(declaration).map((name) => ({ name, networks: everywhere })),
    ...declaration.networkAliases.map(({ name, network }) => ({ name, networks: [network] })),
  ];
  const ports = declaration.ports.map((port) => ({
    labels: parsePrefix(`_${port.name}._${port.protocol}`),
    port: { kind: "port", port } as const,
    taskPort: { kind: "taskPort", port } as const,
  }));
  for (const { name, networks } of bases) claim(name, SERVICE, networks);
  for (const { name, networks } of bases) {
    const tasks = joinPrefix(TASKS_LABEL, name);
    claim(tasks, TASKS, networks);
    for (const { labels, port, taskPort } of ports) {
      claim(joinPrefix(labels, name), port, networks);
      claim(joinPrefix(labels, tasks), taskPort, networks);
    }
  }
  const tasks = declaration.tasks.map((task) => {
    const meaning: Meaning = { kind: "task", task };
    const networks = networksOf(task, declaration);
    const shown = declaration.networkAliases.filter(({ network }) => networks.includes(network));
    return { task, meaning, networks, shown };
  });
  // A slot is a number that somebody gave; an id may look like one by chance.
  for (const { task, meaning, networks, shown } of tasks) {
    if (task.slot === undefined) continue;
    const slot = parsePrefix(String(task.slot));
    claim(joinPrefix(slot, ownName(declaration)), meaning, networks);
    for (const { name, network } of shown) claim(joinPrefix(slot, name), meaning, [network]);
  }
  for (const { task, meaning, networks, shown } of tasks) {
    for (const name of taskNames(declaration, task)) claim(name, meaning, networks);
    for (const { name, network } of task.networkAliases) claim(name, meaning, [network]);
    for (const { name, network } of shown) claim(joinPrefix(task.id, name), meaning, [network]);
  }
  return names;
}

/** Whose an address is, and on which networks. */
export interface Placed {
  /** Undefined: the service's own, a VIP that it was given. */
  readonly task: TaskDeclaration | undefined;
  readonly networks: readonly string[];
}

/** Each address of a declaration with the first task that has it: what a reverse name leads to. */
export function addressesOf(declaration: Declaration): ReadonlyMap<Address, Placed> {
  const addresses = new Map<Address, Placed>();
  // The list that is there already is shared by all that stand where the whole service does.
  const only = declaration.networks.length === 1 ? declaration.networks[0] : undefined;
  const place = (address: Address, task: TaskDeclaration | undefined, network: string): void => {
    const known = addresses.get(address);
    if (known) addresses.set(address, { ...known, networks: union(known.networks, [network]) });
    else addresses.set(address, { task, networks: only === network ? declaration.networks : [network] });
  };
  for (const task of declaration.tasks) {
    for (const { address, network } of task.addresses) place(address, task, network);
  }
  const vips = declaration.endpointMode === "vip" ? declaration.vips : undefined;
  for (const { address, network } of vips ?? []) place(address, undefined, network);
  return addresses;
}

/** The networks that a task is on, each once; the service's own list where it is the same, for it is shared by many. */
export function networksOf({ addresses }: TaskDeclaration, { networks }: Declaration): readonly string[] {
  const [only, second] = networks;
  if (only !== undefined && second === undefined && addresses.every(({ network }) => network === only))
    return networks;
  const on = [...new Set(addresses.map(({ network }) => network))];
  return on.length > 0 ? on : NO_NETWORK;
}

function union(some: readonly string[], more: readonly string[]): readonly string[] {
  const added = more.filter((one) => !some.includes(one));
  return added.length > 0 ? [...some, ...added] : some;
}
