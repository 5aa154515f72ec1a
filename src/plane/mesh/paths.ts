import { compareText } from "../../base/compare.ts";
import { type Address, type Family, familyOf, formatAddress } from "../../model/address.ts";
import type { Peer } from "../plane.ts";
import { type Mark, marksOf } from "./marks.ts";
import { type Link, type Surroundings, sysctlOf } from "./surroundings.ts";

/** A way by which a peer sends packets here, and by which what answers them goes back. */
export interface Path {
  readonly peer: string;
  readonly mark: Mark;
  readonly link: string;
  /** Of the peer, as it stands in its frames; undefined: whatever comes by this link is the peer's. */
  readonly mac: string | undefined;
  /** The peer's addresses on the link. */
  readonly addresses: readonly Address[];
}

export interface Paths {
  readonly paths: readonly Path[];
  /** Why a peer has none, or not one for all of its addresses: a sentence each. */
  readonly obstacles: readonly string[];
}

/** So many peers have a return path: each costs every packet with a mark a rule. */
export const MOST_PEERS = 1024;
/** So many addresses of a peer are looked at. */
export const MOST_ADDRESSES = 16;

/** Those that count, in an order that does not depend on who told of them first, and which of their addresses. */
export function boundedPeers(peers: ReadonlyMap<string, Peer>): ReadonlyMap<string, readonly Address[]> {
  const sorted = [...peers].toSorted(([one], [other]) => compareText(one, other));
  return new Map(
    sorted.slice(0, MOST_PEERS).map(([name, { addresses }]) => [name, addresses.slice(0, MOST_ADDRESSES)]),
  );
}

/** Pure: from what is around, the paths and what stands in the way of others. */
export function pathsOf(peers: ReadonlyMap<string, Peer>, around: Surroundings): Paths {
  const bounded = boundedPeers(peers);
  const sightings = [...bounded].flatMap(([peer, addresses]) => sightingsOf(peer, addresses, around));
  const seen = sightings.filter((sighting) => sighting.obstacle === undefined);
  const groups = groupBy(seen, ({ peer, link, mac }) => JSON.stringify([peer, link, mac]));
  // By what stays while a card is replaced: open flows have their mark still.
  const marks = marksOf(groups.map(([{ peer, link, address }]) => `${peer} ${link} ${address}`));
  const paths = groups.map((group, at): Path => {
    const [{ peer, link, mac }] = group;
    return { peer, mark: marks[at] ?? 0, link, mac, addresses: group.map(({ address }) => address) };
  });
  const shared = sharedOf(paths);
  return {
    paths: paths.filter((path) => !shared.some((of) => of.includes(path))),
    obstacles: [
      ...(peers.size > MOST_PEERS
        ? [
            `${peers.size - MOST_PEERS} of ${peers.size} nodes have no return path: clients' addresses are kept for ${MOST_PEERS}`,
          ]
        : []),
      ...sightings.flatMap(({ obstacle }) => obstacle ?? []),
      ...shared.map(sharedObstacle),
    ],
  };
}

interface Sighting {
  readonly peer: string;
  readonly address: Address;
  readonly link: string;
  readonly mac: string | undefined;
  readonly obstacle: string | undefined;
}

function sightingsOf(peer: string, addresses: readonly Address[], around: Surroundings): Sighting[] {
  return addresses.flatMap((address) => {
    const route = around.routes.get(address);
    // Behind another address of the same peer: the path is that one's.
    if (route?.gateway !== undefined && addresses.includes(route.gateway)) return [];
    const link = route === undefined ? undefined : around.links.get(route.link);
    const mac = link?.kind === "ethernet" ? link.neighbours.get(address) : undefined;
    const obstacle = obstacleTo(address, around, link, mac);
    return [
      {
        peer,
        address,
        link: link?.name ?? "",
        mac,
        obstacle: obstacle === undefined ? undefined : told(peer, address, obstacle),
      },
    ];
  });
}

/** Why nothing that answers `address` can be sent through it; undefined where it can. */
function obstacleTo(
  address: Address,
  around: Surroundings,
  link: Link | undefined,
  mac: string | undefined,
): string | undefined {
  const route = around.routes.get(address);
  if (route === undefined) return "no route leads there: add one, or correct the address";
  if (route.isLocal) return "it is an address of this node itself: correct the node's address";
  if (route.gateway !== undefined) {
    return `it is behind the gateway ${formatAddress(route.gateway)}, which would not send replies back through it: give an address on a link that both nodes share, or a tunnel between them`;
  }
  if (link === undefined)
    return `its interface "${route.link}" cannot be used: it is gone, or its name is odd`;
  if (link.kind === "ethernet" && mac === undefined) {
    return `it does not answer on ${link.name}: it is down, or a firewall there stops ARP or neighbour discovery`;
  }
  return familyOf(address) === 4 ? reverseObstacle(link, around) : undefined;
}

/** RFC 3704 section 2.2, as Linux has it: with `rp_filter` 1 a packet is dropped that its reply would not leave by. */
function reverseObstacle(link: Link, around: Surroundings): string | undefined {
  if (link.reversePathFilter !== 1 || around.defaultLinks.has(link.name)) return undefined;
  return `${link.name} drops packets of clients that it does not lead to: sysctl -w ${sysctlOf(link.name, "rp_filter")}=2`;
}

/** Paths that cannot be told from each other by what comes. */
function sharedOf(paths: readonly Path[]): Path[][] {
  const tunnels = new Set(paths.filter(({ mac }) => mac === undefined).map(({ link }) => link));
  const byPlace = groupBy(paths, ({ link, mac }) => (tunnels.has(link) ? link : JSON.stringify([link, mac])));
  return byPlace.filter((of) => of.length > 1);
}

function sharedObstacle(of: readonly Path[]): string {
  const names = of.map(({ peer }) => peer).join(", ");
  const [first] = of;
  const place = first?.mac === undefined ? `the interface ${first?.link}` : `${first.mac} on ${first.link}`;
  return `clients' addresses are not kept towards ${names}: all are behind ${place}; give each an interface of its own`;
}

type Group<Value> = [Value, ...Value[]];

function groupBy<Value>(values: readonly Value[], keyOf: (value: Value) => string): Group<Value>[] {
  const groups = new Map<string, Group<Value>>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

function told(peer: string, address: Address, why: string): string {
  return `clients' addresses are not kept towards ${peer} (${formatAddress(address)}): ${why}`;
}

export function hasFamily({ addresses }: Path, family: Family): boolean {
  return addresses.some((address) => familyOf(address) === family);
}
