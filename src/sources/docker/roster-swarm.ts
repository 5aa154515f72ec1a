import { compareText } from "../../base/compare.ts";
import type { NetworkAlias } from "../../model/declaration.ts";
import type { Prefix } from "../../model/name.ts";
import type { ServiceName } from "../../schema/service-name.ts";
import { readTaskLabels, type TaskLabels } from "../../schema/task-labels.ts";
import { containerNames, type ContainerGroups } from "./roster-containers.ts";
import { type Group, type Member, networksOf, type Standing, standingOf, netnsOf } from "./roster-group.ts";
import { warnOfLabels } from "./roster-labels.ts";
import { remember } from "./roster-remember.ts";
import type { Networks, Place } from "./roster-networks.ts";
import { readSwarmName, STACK, swarmAliases } from "./roster-seat.ts";
import { distinct, plain, readName, type Warn } from "./roster-text.ts";
import type { EngineContainer, SwarmService, SwarmSnapshot, SwarmTask } from "./snapshot.ts";

/** In the Swarm's order; before them a task has no place yet, after them it is over. */
const LIVE_STATES = new Set(["assigned", "accepted", "preparing", "ready", "starting", "running"]);

/** Puts a Swarm's tasks behind its services, as a manager shows them. */
export function groupSwarm(
  { services, tasks }: SwarmSnapshot,
  containers: ReadonlyMap<string, EngineContainer>,
  networks: Networks,
  warn: Warn,
): ContainerGroups {
  const homes = new Map<string, Prefix>();
  const byService = new Map<string, SwarmTask[]>();
  for (const task of distinctById(tasks)) {
    const known = byService.get(task.serviceId);
    if (known) known.push(task);
    else byService.set(task.serviceId, [task]);
  }
  const groups = distinctById(services).flatMap((service): Group[] => {
    const { said, named } = readService([service], warn);
    if (!named) return [];
    const own = byService.get(service.id) ?? [];
    for (const { containerId } of own) homes.set(containerId, named.namespace);
    if (!said.isEnabled) return [];
    const members = own.flatMap(
      (task) => memberOf([task, containers.get(task.containerId), service, said, networks], warn) ?? [],
    );
    return [groupMembers([service, named, networks, ...members], warn)];
  });
  return { groups, homes };
}

const readService = remember(([service]: readonly [SwarmService], warn) => {
  const { said, problems } = readTaskLabels(service.labels);
  warnOfLabels(`service ${service.name}`, problems, warn);
  return { said, named: said.service ?? readSwarmName(service.name, service.labels.get(STACK)) };
});

const groupMembers = remember(
  (
    [service, named, networks, ...members]: readonly [SwarmService, ServiceName, Networks, ...Member[]],
    warn,
  ) => {
    const places = networks.placesOf(service.endpoints, `service ${service.name}`, warn);
    return swarmGroup(service, named, members, places, networks);
  },
);

/** @param places where the service itself is */
function swarmGroup(
  service: SwarmService,
  named: ServiceName,
  members: readonly Member[],
  places: readonly Place[],
  { addressesOf }: Networks,
): Group {
  const vips = service.endpointMode === "vip" ? addressesOf(service.endpoints) : [];
  const everywhere = [...new Set([...places.map(({ network }) => network), ...networksOf(members)])];
  const known = new Map(places.map(({ network, aliases }) => [network, aliases]));
  const aliases = everywhere.flatMap((network): NetworkAlias[] =>
    distinct([...swarmAliases(service.name, named), ...(known.get(network) ?? [])]).map((name) => ({
      name,
      network,
    })),
  );
  return {
    ...named,
    key: JSON.stringify(["swarm", service.id]),
    origin: `docker: service ${plain(service.name)}`,
    title: `service ${service.name}`,
    createdAt: service.createdAt,
    // On ingress alone it has a VIP that nobody can ask for.
    endpointMode: vips.length > 0 ? "vip" : "dnsrr",
    vips,
    networks: everywhere,
    aliases,
    labels: service.labels,
    ports: service.ports,
    members: members.toSorted(
      (one, other) => (one.slot ?? 0) - (other.slot ?? 0) || compareText(one.title, other.title),
    ),
  };
}

const memberOf = remember(
  (
    [task, container, service, serviceSaid, networks]: readonly [
      SwarmTask,
      EngineContainer | undefined,
      SwarmService,
      TaskLabels,
      Networks,
    ],
    warn,
  ): Member | undefined => {
    // `ready` is wanted of those that wait for another to stop.
    if (task.desiredState !== "running" || !LIVE_STATES.has(task.state)) return undefined;
    const title = container ? `container ${container.name}` : `task ${task.id}`;
    const { said, problems } = readTaskLabels(container?.labels ?? new Map());
    warnOfLabels(title, problems, warn);
    const standing = swarmStanding(task, container);
    const addresses = networks.addressesOf(task.endpoints);
    const id = readName(task.id);
    if (!said.isEnabled || !standing || id === undefined || addresses.length === 0) return undefined;
    const dotted = readName(`${service.name}.${task.slot ?? task.nodeId}.${task.id}`);
    return {
      title,
      createdAt: service.createdAt,
      ids: [id],
      isNamed: true,
      slot: said.slot ?? readSlot(task.slot),
      weight: container ? said.weight : serviceSaid.weight,
      // Its service has the aliases.
      places: [...new Set(addresses.map(({ network }) => network))].map((network) => ({
        network,
        aliases: [],
      })),
      addresses,
      names: distinct([dotted, id, ...(container ? containerNames(container) : [])]),
      aliases: [],
      standing,
      netns: container && netnsOf(container),
      labels: container?.labels ?? new Map(),
      ports: [],
    };
  },
);

/**
 * A container of this machine is known at once. Of others the Swarm tells, which calls a task running when it is
 * healthy for the first time.
 */
function swarmStanding(task: SwarmTask, container: EngineContainer | undefined): Standing | undefined {
  const isStarted = container !== undefined && container.state !== "created";
  if (isStarted) {
    const standing = standingOf(container);
    return standing && { ...standing, isChecked: true };
  }
  return { verdict: task.state === "running" ? "passing" : "starting", isChecked: true, isDown: false };
}

function readSlot(slot: number | undefined): number | undefined {
  return slot !== undefined && Number.isInteger(slot) && slot > 0 ? slot : undefined;
}

function distinctById<T extends { readonly id: string }>(items: readonly T[]): readonly T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
