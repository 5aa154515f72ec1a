import { createHash } from "node:crypto";
import { formatAddress } from "../../../src/model/address.ts";
import type { Declaration, NetworkAlias } from "../../../src/model/declaration.ts";
import { formatPrefix, joinPrefix } from "../../../src/model/name.ts";
import { createEngineRoster } from "../../../src/sources/docker/roster.ts";
import type {
  EngineContainer,
  EngineEndpoint,
  EngineNetwork,
  EngineRoster,
  EngineSnapshot,
  SwarmService,
  SwarmTask,
} from "../../../src/sources/docker/snapshot.ts";

type Labels = Readonly<Record<string, string>>;
/** Where somebody is, by the network's name: `10.1.0.2 db primary` is the address, then the aliases; `-` is none. */
type Places = Readonly<Record<string, string>>;

export type ContainerTold = Partial<Omit<EngineContainer, "labels" | "endpoints">> & {
  readonly on?: Places;
  readonly labels?: Labels;
};

/** 64 digits that are always the same for this text, and never the same for another. */
export function idOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

export function shortIdOf(text: string): string {
  return idOf(text).slice(0, 12);
}

export function network(name: string, told: Partial<EngineNetwork> = {}): EngineNetwork {
  return { id: idOf(name), name, driver: "bridge", isIngress: false, subnets: [], ...told };
}

/** One that runs, has no health check, and was made before those with a later name. */
export function container(
  name: string,
  { on = {}, labels = {}, ...told }: ContainerTold = {},
): EngineContainer {
  return {
    id: idOf(name),
    name,
    hostname: shortIdOf(name),
    createdAt: 1000,
    state: "running",
    health: "none",
    isStopping: false,
    pid: 0,
    ports: [],
    gatewayAddresses: [],
    ...told,
    labels: new Map(Object.entries(labels)),
    endpoints: endpoints(on),
  };
}

/** What Compose writes on the container `shop-web-1`. */
export function compose(service: string, number: number, project = "shop", labels: Labels = {}): Labels {
  return {
    "com.docker.compose.project": project,
    "com.docker.compose.service": service,
    "com.docker.compose.container-number": String(number),
    "com.docker.compose.oneoff": "False",
    ...labels,
  };
}

export type SwarmServiceTold = Partial<Omit<SwarmService, "labels" | "endpoints">> & {
  readonly on?: Places;
  readonly labels?: Labels;
};

export function swarmService(
  name: string,
  { on = {}, labels = {}, ...told }: SwarmServiceTold = {},
): SwarmService {
  return {
    id: `id-of-${name}`,
    name,
    createdAt: 1000,
    endpointMode: "vip",
    ports: [],
    ...told,
    labels: new Map(Object.entries(labels)),
    endpoints: endpoints(on),
  };
}

export function swarmTask(
  service: string,
  id: string,
  { on = {}, ...told }: Partial<Omit<SwarmTask, "endpoints">> & { readonly on?: Places } = {},
): SwarmTask {
  return {
    id,
    serviceId: `id-of-${service}`,
    nodeId: "node1",
    slot: 1,
    state: "running",
    desiredState: "running",
    containerId: "",
    ...told,
    endpoints: endpoints(on),
  };
}

/** A snapshot with all the networks that are named in it. */
export function snapshot(told: Partial<EngineSnapshot>): EngineSnapshot {
  const {
    containers = [],
    swarm,
    networks = ["back", "front", "shop_default"].map((name) => network(name)),
  } = told;
  return { networks, containers, swarm };
}

export function rosterOf(told: Partial<EngineSnapshot>): EngineRoster {
  return createEngineRoster()(snapshot(told));
}

/** Each service with its aliases and tasks, a line each. */
export function show({ roster }: EngineRoster): string[] {
  return roster.services.flatMap((service) => [
    `${nameOf(service)} ${service.endpointMode} on ${service.networks.join(" ")}`,
    ...showAliases(service.networkAliases).map((alias) => `  alias ${alias}`),
    ...(service.vips ?? []).map(({ network, address }) => `  vip ${formatAddress(address)}@${network}`),
    ...service.tasks.flatMap((task) => [
      `  task ${formatPrefix(task.id)}${task.slot === undefined ? "" : ` slot ${task.slot}`} at ${task.addresses
        .map(({ network, address }) => `${formatAddress(address)}@${network}`)
        .join(" ")}`,
    ]),
  ]);
}

/** What the tasks of a service are called besides, by the task. */
export function taskNames({ roster }: EngineRoster, service: string): Record<string, string[]> {
  const found = roster.services.find((declaration) => nameOf(declaration) === service);
  return Object.fromEntries(
    (found?.tasks ?? []).map((task) => [formatPrefix(task.id), showAliases(task.networkAliases)]),
  );
}

export function serviceOf({ roster }: EngineRoster, name: string): Declaration {
  const found = roster.services.find((declaration) => nameOf(declaration) === name);
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}

export function showVerdicts({ roster, verdicts }: EngineRoster): string[] {
  return roster.services.flatMap((service) =>
    service.tasks.flatMap((task) => {
      const said = [...(task.isDown ? ["down"] : []), verdicts.get(task) ?? []].flat();
      return said.length === 0 ? [] : [`${nameOf(service)} ${formatPrefix(task.id)} ${said.join(", ")}`];
    }),
  );
}

export function nameOf({ name, namespace }: Declaration): string {
  return formatPrefix(joinPrefix(name, namespace));
}

function showAliases(aliases: readonly NetworkAlias[]): string[] {
  return aliases.map(({ name, network }) => `${formatPrefix(name)}@${network}`);
}

function endpoints(on: Places): EngineEndpoint[] {
  return Object.entries(on).map(([name, text]) => {
    const [addresses = "-", ...aliases] = text.split(" ");
    return { networkId: idOf(name), addresses: addresses === "-" ? [] : addresses.split(","), aliases };
  });
}
