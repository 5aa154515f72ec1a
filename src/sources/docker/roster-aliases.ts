import type { NetworkAlias } from "../../model/declaration.ts";
import { EMPTY_PREFIX, formatPrefix, joinPrefix, type Prefix } from "../../model/name.ts";
import { MAX_SERVICE_OCTETS } from "../../schema/service-name.ts";
import { type Group, groupOf, type Member } from "./roster-group.ts";
import { plain, readName } from "./roster-text.ts";

/** One who has an alias on a network, and whose. */
interface Claim {
  readonly group: Group;
  readonly member: Member;
}

/** An alias on a network, among those of a namespace. */
interface Shared extends NetworkAlias {
  readonly namespace: Prefix;
  readonly claims: readonly Claim[];
}

/**
 * Says whose each alias is. One that all containers of a service have on a network is the service's, one that a single
 * container has is its own, and one that others share leads to them all, as Docker's round robin does: a service of
 * its own that is seen on that network alone. Nobody shares across namespaces: there the first keeps it.
 */
export function shareAliases(groups: readonly Group[]): readonly Group[] {
  const ofGroup = new Map<Group, NetworkAlias[]>();
  const ofMember = new Map<Member, NetworkAlias[]>();
  const shared: Group[] = [];
  // Compose gives each container an alias of its own: to count a service's containers for each is quadratic.
  const counts = new Map<Group, Map<string, number>>();
  const countOnce = (group: Group, network: string, isLive: boolean): number => {
    const ofNetworks = counts.get(group) ?? new Map<string, number>();
    counts.set(group, ofNetworks);
    const key = `${isLive} ${network}`;
    const count = ofNetworks.get(key) ?? countAt(group, network, isLive);
    ofNetworks.set(key, count);
    return count;
  };
  for (const alias of gather(groups)) {
    const { name, network } = alias;
    // Those that stopped have no say while others run: they may have been of an older version.
    const live = alias.claims.filter(({ member }) => isAt(member, network));
    const claims = live.length > 0 ? live : alias.claims;
    const [first] = claims;
    if (!first) continue;
    if (claims.some(({ group }) => group !== first.group)) {
      shared.push(aliasGroup(alias, claims));
    } else if (claims.length === countOnce(first.group, network, live.length > 0)) {
      add(ofGroup, first.group, { name, network });
    } else if (claims.length === 1) {
      add(ofMember, first.member, { name, network });
    } else {
      shared.push(aliasGroup(alias, claims));
    }
  }
  const own = groups.map((group) => ({
    ...group,
    aliases: [...group.aliases, ...(ofGroup.get(group) ?? [])],
    members: group.members.map((member) => ({ ...member, aliases: ofMember.get(member) ?? [] })),
  }));
  return [...own, ...shared];
}

function gather(groups: readonly Group[]): Iterable<Shared> {
  const found = new Map<string, Shared & { readonly claims: Claim[] }>();
  for (const group of groups) {
    for (const member of group.members) {
      for (const { network, aliases } of member.places) {
        for (const name of aliases) {
          const { namespace } = group;
          const key = JSON.stringify([namespace, network, name]);
          const alias = found.get(key) ?? { name, network, namespace, claims: [] };
          alias.claims.push({ group, member });
          found.set(key, alias);
        }
      }
    }
  }
  return found.values();
}

/**
 * It is called as Docker has it with the network behind, `search.backend`, which nobody else is called; and `search`
 * on that network.
 */
function aliasGroup({ name, network, namespace }: Shared, claims: readonly Claim[]): Group {
  const long = readName(network);
  const whole = joinPrefix(joinPrefix(name, long ?? name), namespace);
  const shown = `alias ${formatPrefix(name)} on ${plain(network)}`;
  const members = claims.map(({ member }): Member => ({
    ...member,
    places: member.places.filter((place) => place.network === network),
    addresses: member.addresses.filter((address) => address.network === network),
    names: [],
    aliases: [],
    isNamed: false,
    slot: undefined,
  }));
  const place = {
    key: JSON.stringify(["alias", namespace, network, name]),
    name: whole.length <= MAX_SERVICE_OCTETS ? whole : name,
    namespace: EMPTY_PREFIX,
    origin: `docker: ${shown}`,
    title: shown,
  };
  const group = groupOf(place, members);
  // Behind all others: whose an address is, and what else somebody is called, is said by his own service.
  return {
    ...group,
    createdAt: Infinity,
    networks: [network],
    labels: new Map(),
    aliases: [{ name, network }],
  };
}

/** Of how many members an alias must be to be their service's. */
function countAt(group: Group, network: string, isLive: boolean): number {
  return group.members.filter((member) =>
    isLive ? isAt(member, network) : member.places.some((place) => place.network === network),
  ).length;
}

function isAt({ addresses }: Member, network: string): boolean {
  return addresses.some((address) => address.network === network);
}

function add<Key>(map: Map<Key, NetworkAlias[]>, key: Key, alias: NetworkAlias): void {
  map.set(key, [...(map.get(key) ?? []), alias]);
}
