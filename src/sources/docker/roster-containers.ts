import type { TaskAddress } from "../../model/declaration.ts";
import type { Prefix } from "../../model/name.ts";
import { readTaskLabels, type TaskLabels } from "../../schema/task-labels.ts";
import { MAX_FRONT_OCTETS } from "../../schema/service-name.ts";
import { type Group, groupOf, type Member, netnsOf, standingOf } from "./roster-group.ts";
import type { Networks } from "./roster-networks.ts";
import { warnOfLabels } from "./roster-labels.ts";
import { remember } from "./roster-remember.ts";
import { type Seat, seatOf } from "./roster-seat.ts";
import { distinct, readName, shortId, type Warn } from "./roster-text.ts";
import type { EngineContainer } from "./snapshot.ts";

/** What containers come to. */
export interface ContainerGroups {
  readonly groups: readonly Group[];
  /** Whose names each container asks for, by its id. */
  readonly homes: ReadonlyMap<string, Prefix>;
}

/** Puts containers into their services: what labels say, a Swarm or Compose; the others are one each. */
export function groupContainers(
  containers: readonly EngineContainer[],
  networks: Networks,
  warn: Warn,
): ContainerGroups {
  const homes = new Map<string, Prefix>();
  const services = new Map<string, [Seated, ...Seated[]]>();
  for (const container of containers) {
    const placed = place([container, networks], warn);
    if (!placed) continue;
    homes.set(container.id, placed.home);
    if (!placed.seated) continue;
    const { key } = placed.seated.seat;
    const known = services.get(key);
    if (known) known.push(placed.seated);
    else services.set(key, [placed.seated]);
  }
  return { groups: [...services.values()].map((seated) => groupSeated(seated, warn)), homes };
}

interface Placed {
  readonly home: Prefix;
  /** Undefined: it is in no service. */
  readonly seated: Seated | undefined;
}

interface Seated {
  readonly seat: Seat;
  readonly member: Member;
}

const place = remember(
  ([container, networks]: readonly [EngineContainer, Networks], warn): Placed | undefined => {
    const { said, problems } = readTaskLabels(container.labels);
    warnOfLabels(`container ${container.name}`, problems, warn);
    const seat = seatOf(container, said.service);
    if (!seat) return undefined;
    if (!said.isEnabled) return { home: seat.home, seated: undefined };
    return { home: seat.home, seated: { seat, member: memberOf(container, seat, said, networks, warn) } };
  },
);

const groupSeated = remember((seated: readonly [Seated, ...Seated[]]): Group =>
  groupOf(
    seated[0].seat,
    seated.map(({ member }) => member),
  ),
);

function memberOf(
  container: EngineContainer,
  seat: Seat,
  said: TaskLabels,
  networks: Networks,
  warn: Warn,
): Member {
  const { id, name, labels, ports, createdAt } = container;
  const title = `container ${name}`;
  const standing = standingOf(container);
  const places = networks.placesOf(container.endpoints, title, warn).map(({ network, aliases }) => ({
    network,
    aliases: distinct([...seat.aliases, ...aliases]),
  }));
  const addresses = addressesOf(container, said, networks, warn);
  return {
    title,
    createdAt,
    ids: distinct([seat.taskId, readName(name, MAX_FRONT_OCTETS), readName(shortId(id))]),
    // Its names stand whole, on the networks that it is on.
    isNamed: false,
    slot: said.slot ?? seat.slot,
    weight: said.weight,
    places,
    addresses: standing ? addresses : [],
    names: [...seat.names, ...(places.length > 0 ? containerNames(container) : ownNames(container))],
    aliases: [],
    standing: standing ?? { verdict: "failing", isChecked: false, isDown: true },
    netns: netnsOf(container),
    labels,
    ports,
  };
}

/** Without a network of its own, a container has the machine's host name. */
function ownNames({ id, name }: Pick<EngineContainer, "id" | "name">): readonly Prefix[] {
  return distinct([readName(name), readName(shortId(id))]);
}

/** What Docker calls every container on each of its networks. */
export function containerNames({ id, name, hostname }: EngineContainer): readonly Prefix[] {
  return distinct([...ownNames({ id, name }), readName(hostname)]);
}

/**
 * Where a container is. One without a network of its own is where its label says: all networks lead there, as they
 * do to the machine.
 */
function addressesOf(
  { name, endpoints }: EngineContainer,
  { addresses: labelled }: TaskLabels,
  networks: Networks,
  warn: Warn,
): readonly TaskAddress[] {
  const own = networks.addressesOf(endpoints);
  if (labelled.length === 0) return own;
  if (networks.networksOf(endpoints).length > 0) {
    warn(
      `container ${name}`,
      "label rota.address is for containers without a network, and this one has its own addresses: take the label off",
    );
    return own;
  }
  return networks.everywhere.flatMap((network) => labelled.map((address) => ({ network, address })));
}
