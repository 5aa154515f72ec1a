import { type Endpoint, formatAddress, formatEndpoint, isInside } from "../model/address.ts";
import { NO_ALIASES, NO_PORTS, type TaskAddress, type TaskDeclaration } from "../model/declaration.ts";
import { EMPTY_PREFIX } from "../model/name.ts";
import { listOf, type Path, suggest } from "./problem.ts";
import type { ServiceShape } from "./shapes.ts";
import type { Surroundings } from "./surroundings.ts";
import type { AddressShape, TaskShape } from "./task-shape.ts";
import { madeTaskId } from "./words.ts";

/** Where a task is declared, and what holds for all of its service. */
interface TaskSurroundings {
  readonly at: number;
  readonly isChecked: boolean;
  readonly around: Surroundings;
}

/** Makes a declaration of one task: places its addresses on networks and finds its ports. */
export function declareTask(
  task: TaskShape,
  service: ServiceShape,
  { at, isChecked, around }: TaskSurroundings,
): TaskDeclaration {
  const path = [...around.path, "tasks", at];
  const first = task.addresses[0]?.endpoint;
  return {
    id: task.id ?? (first === undefined ? EMPTY_PREFIX : madeTaskId(first)),
    isNamed: task.id !== undefined,
    slot: task.slot,
    networkAliases: NO_ALIASES,
    addresses: task.addresses.map((shape) => placeAddress(shape, service.networks, path, around)),
    weight: task.weight,
    ports: portsOf(task, service, path, around),
    // All in one go: an object that is spread and added to has a hidden class of its own, which takes 600 octets.
    isChecked,
    isDown: false,
    node: task.node,
    netns: undefined,
  };
}

function placeAddress(
  shape: AddressShape,
  networks: readonly string[],
  path: Path,
  around: Surroundings,
): TaskAddress {
  const { address } = shape.endpoint;
  if (shape.network === undefined) {
    const containing = networks.find((name) =>
      around.networkNamed(name)?.subnets.some((subnet) => isInside(subnet, address)),
    );
    return { network: containing ?? networks[0] ?? "", address };
  }
  if (!networks.includes(shape.network)) {
    around.problems.push({
      path: [...path, "address", shape.network],
      message: `the service is not on network "${shape.network}": ${suggest(shape.network, networks, `it is on ${listOf(networks, "and")}`)}`,
      at: "key",
    });
  }
  return { network: shape.network, address };
}

/** Where the task itself listens: from its `ports`, or from what stands behind its addresses. */
function portsOf(
  task: TaskShape,
  service: ServiceShape,
  path: Path,
  around: Surroundings,
): ReadonlyMap<string, number> {
  const names = [...new Set(service.ports.map(({ name }) => name))];
  const ports = new Map<string, number>();
  for (const [written, port] of Object.entries(task.ports)) {
    const name = written.toLowerCase();
    if (names.includes(name)) {
      ports.set(name, port);
      continue;
    }
    const known = names.length === 0 ? "the service declares none" : `write ${listOf(names, "or")}`;
    around.problems.push({
      path: [...path, "ports", written],
      message: `no port is named "${written}": ${suggest(written, names, known)}`,
      at: "key",
    });
  }
  for (const { endpoint, path: below } of task.addresses) {
    const message = addPort(endpoint, names, ports);
    if (message !== undefined) around.problems.push({ path: [...path, ...below], message });
  }
  return ports.size > 0 ? ports : NO_PORTS;
}

/** Adds the port of an address to `ports`, or says why it cannot be one. */
function addPort(
  { address, port }: Endpoint,
  names: readonly string[],
  ports: Map<string, number>,
): string | undefined {
  if (port === undefined) return undefined;
  const shown = `"${formatEndpoint(formatAddress(address), port)}"`;
  const [name, second] = names;
  if (name === undefined)
    return `${shown} has a port, but the service declares none: give it ports: [${port}]`;
  if (second !== undefined) {
    return `${shown} has a port, but the service has ${names.length}: write ports: { ${name}: ${port} } in the task`;
  }
  const other = ports.get(name);
  if (other !== undefined && other !== port) return `${shown} is at odds with port ${other} of the same task`;
  ports.set(name, port);
  return undefined;
}
