import { type Address, formatAddress } from "../model/address.ts";
import { type Declaration, NO_ALIASES, type Port, type TaskDeclaration } from "../model/declaration.ts";
import { declareCheck } from "./declare-check.ts";
import { declareTask } from "./declare-task.ts";
import {
  EMPTY_PREFIX,
  formatPrefix,
  joinPrefix,
  MAX_PREFIX_OCTETS,
  parsePrefix,
  type Prefix,
} from "../model/name.ts";
import { suggest } from "./problem.ts";
import type { ServiceShape } from "./shapes.ts";
import type { Surroundings } from "./surroundings.ts";

/** Makes a declaration of what is well-formed, and tells what does not fit together. */
export function declare(name: Prefix, shape: ServiceShape, around: Surroundings): Declaration {
  checkNetworks(shape, around);
  checkPorts(shape.ports, around);
  const check = declareCheck(shape.healthcheck, shape.ports, around);
  const isChecked = check !== undefined;
  const tasks = shape.tasks.map((task, at) => declareTask(task, shape, { at, isChecked, around }));
  checkTwins(tasks, shape.ports, around);
  const namespace = shape.namespace ?? around.namespace ?? EMPTY_PREFIX;
  const aliases = [...new Set(shape.aliases)].filter((alias) => alias !== name);
  checkLengths([name, ...aliases], namespace, tasks, shape.ports, around);
  return {
    name,
    namespace,
    endpointMode: shape.endpoint_mode,
    aliases,
    networkAliases: NO_ALIASES,
    networks: shape.networks,
    ttl: shape.ttl,
    ports: shape.ports,
    labels: shape.labels,
    order: shape.order,
    balance: shape.balance,
    affinityMs: shape.affinity * 1000,
    maxAnswers: shape.max_answers ?? Infinity,
    whenEmpty: shape.when_empty,
    panicThreshold: shape.panic_threshold,
    check,
    publishNotReady: shape.publish_not_ready,
    vips: undefined,
    publishes: around.publishes,
    isOutline: false,
    tasks,
    origin: around.origin,
  };
}

function checkNetworks(shape: ServiceShape, around: Surroundings): void {
  for (const [at, name] of shape.networks.entries()) {
    const path = [...around.path, "networks", at];
    if (shape.networks.indexOf(name) !== at) {
      around.problems.push({ path, message: `network "${name}" is named twice` });
      continue;
    }
    if (!around.networkNames.has(name)) {
      const fallback = "declare it under networks";
      const message = `network "${name}" is not declared: ${suggest(name, around.networkNames, fallback)}`;
      around.problems.push({ path, message });
      continue;
    }
    const network = around.networkNamed(name);
    if (shape.endpoint_mode !== "vip" || network === undefined || network.vips.length > 0) continue;
    around.problems.push({
      path: around.path,
      message: `network ${name} has no vips to take a VIP from: give it vips: 10.0.1.128/25, or set endpoint_mode: dnsrr`,
    });
  }
}

function checkPorts(ports: readonly Port[], around: Surroundings): void {
  const claims = new Map<string, number>();
  const publishing = new Map<string, number>();
  for (const [at, port] of ports.entries()) {
    const message = around.publishes ? unfitFor(port, publishing, at) : undefined;
    if (message !== undefined) around.problems.push({ path: [...around.path, "ports", at], message });
  }
  for (const [at, { name, protocol }] of ports.entries()) {
    const first = claim(claims, `${name}/${protocol}`, at);
    if (first === undefined) continue;
    around.problems.push({
      path: [...around.path, "ports", at],
      message: `is named ${name} over ${protocol}, as ports[${first}] is: give each a name of its own`,
    });
  }
}

/** What is wrong with how a port is published, for people. */
function unfitFor(port: Port, publishing: Map<string, number>, at: number): string | undefined {
  const { protocol, published, proxyProtocol } = port;
  if (proxyProtocol !== 0 && protocol !== "tcp")
    return `has proxy_protocol, which only TCP connections can have in front, not ${protocol}`;
  if (published === undefined) return undefined;
  if (protocol === "sctp") return `cannot be published: planes carry tcp and udp, not sctp`;
  const first = published === "auto" ? undefined : claim(publishing, `${published}/${protocol}`, at);
  return first === undefined ? undefined : `is published at ${published}, as ports[${first}] is`;
}

/** No two tasks of a service have one id, one slot, or one address and ports. */
function checkTwins(tasks: readonly TaskDeclaration[], ports: readonly Port[], around: Surroundings): void {
  const addresses = new Map<string, number>();
  const ids = new Map<string, number>();
  const slots = new Map<number, number>();
  for (const [at, task] of tasks.entries()) {
    const path = [...around.path, "tasks", at];
    let isTwin = false;
    for (const { address } of task.addresses) {
      const first = claim(addresses, addressKey(address, task, ports), at);
      if (first === undefined) continue;
      isTwin = true;
      const whose = first === at ? "is in this task twice" : `is that of tasks[${first}] already`;
      around.problems.push({ path, message: `address ${formatAddress(address)} ${whose}` });
    }
    const sameId = claim(ids, task.id, at);
    // Two equal addresses make two equal ids: once said is enough.
    if (sameId !== undefined && (task.isNamed || !isTwin)) {
      const message = `id "${formatPrefix(task.id)}" is that of tasks[${sameId}] already`;
      around.problems.push({ path: task.isNamed ? [...path, "id"] : path, message });
    }
    const sameSlot = task.slot === undefined ? undefined : claim(slots, task.slot, at);
    if (sameSlot === undefined) continue;
    const message = `slot ${task.slot} is that of tasks[${sameSlot}] already`;
    around.problems.push({ path: [...path, "slot"], message });
  }
}

/** Notes that `key` is `at`'s, or says whose it is already. */
function claim<Key>(claims: Map<Key, number>, key: Key, at: number): number | undefined {
  const first = claims.get(key);
  if (first === undefined) claims.set(key, at);
  return first;
}

/** Equal for two addresses at which the same is listened to. */
function addressKey(address: Address, task: TaskDeclaration, ports: readonly Port[]): string {
  return `${address} ${ports.map(({ name, target }) => task.ports.get(name) ?? target).join(" ")}`;
}

/** Every name that the service makes must fit in front of the longest zone. */
function checkLengths(
  bases: readonly Prefix[],
  namespace: Prefix,
  tasks: readonly TaskDeclaration[],
  ports: readonly Port[],
  around: Surroundings,
): void {
  const fronts = [
    parsePrefix("tasks"),
    ...ports.map(({ name, protocol }) => parsePrefix(`_${name}._${protocol}.tasks`)),
    ...tasks.map(({ id }) => id),
    ...tasks.flatMap(({ slot }) => (slot === undefined ? [] : [parsePrefix(String(slot))])),
  ];
  const longest = joinPrefix(joinPrefix(longestOf(fronts), longestOf(bases)), namespace);
  if (longest.length <= MAX_PREFIX_OCTETS) return;
  around.problems.push({
    path: around.path,
    message: `makes a name that is too long, ${formatPrefix(longest)}: it has ${longest.length} octets, ${MAX_PREFIX_OCTETS} are allowed`,
  });
}

function longestOf(prefixes: readonly Prefix[]): Prefix {
  return prefixes.reduce(
    (longest, prefix) => (prefix.length > longest.length ? prefix : longest),
    EMPTY_PREFIX,
  );
}
