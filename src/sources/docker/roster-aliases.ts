import type { NetworkAlias } from "../../model/declaration.ts";
import { EMPTY_PREFIX, formatPrefix, joinPrefix, type Prefix } from "../../model/name.ts";
import { MAX_SERVICE_OCTETS } from "../../schema/service-name.ts";
import { type Group, groupOf, type Member } from "./roster-group.ts";
import { remember } from "./roster-remember.ts";
import { plain, readName, type Warn } from "./roster-text.ts";

/** An alias on a network that containers of one service have. */
interface Claim extends NetworkAlias {
  /** Equal for all that are the same in a namespace. */
  readonly key: string;
  readonly group: Group;
  /** Those that count: who stopped has no say while others run, and may have been of an older version. */
  readonly members: readonly Member[];
  /** Whether they run. */
  readonly isLive: boolean;
  /** Whose it is, if no other service has it. */
  readonly owner: Group | Member | undefined;
}

/**
 * Says whose each alias is. One that all containers of a service have on a network is the service's, one that a single
 * container has is its own, and one that others share leads to them all, as Docker's round robin does: a service of
 * its own that is seen on that network alone. Nobody shares across namespaces: there the first keeps it.
 */
export function shareAliases(groups: readonly Group[], warn: Warn): readonly Group[] {
  const byNamespace = new Map<Prefix, [Group, ...Group[]]>();
  for (const group of groups) {
    const known = byNamespace.get(group.namespace);
    if (known) known.push(group);
    else byNamespace.set(group.namespace, [group]);
  }
  return [...byNamespace.values()].flatMap((own) => shareInNamespace(own, warn));
}

const shareInNamespace = remember((groups: readonly [Group, ...Group[]], warn): readonly Group[] => {
  const byKey = new Map<string, [Claim, ...Claim[]]>();
  for (const group of groups) {
    for (const claim of claimsOf([group], warn)) {
      const known = byKey.get(claim.key);
      if (known) known.push(claim);
      else byKey.set(claim.key, [claim]);
    }
  }
  const shared: Group[] = [];
  const lost = new Map<Group, string[]>();
  for (const all of byKey.values()) {
    const [first, ...others] = countingOf(all);
    const isOwned = others.length === 0 && first.owner !== undefined;
    if (!isOwned) shared.push(aliasGroup([first, ...others], warn));
    if (all.length === 1) continue;
    for (const { group, key } of all) {
      if (others.length === 0 && group === first.group) continue;
      const known = lost.get(group);
      if (known) known.push(key);
      else lost.set(group, [key]);
    }
  }
  return [...groups.map((group) => withAliases([group, ...(lost.get(group) ?? [])], warn)), ...shared];
});

/** Across services, too, those that stopped have no say while others run. */
function countingOf(claims: readonly [Claim, ...Claim[]]): readonly [Claim, ...Claim[]] {
  if (claims.length === 1) return claims;
  const [first, ...others] = claims.filter(({ isLive }) => isLive);
  return first ? [first, ...others] : claims;
}

const claimsOf = remember(([group]: readonly [Group]): readonly Claim[] => {
  const found = new Map<string, NetworkAlias & { readonly key: string; readonly members: Member[] }>();
  for (const member of group.members) {
    for (const { network, aliases } of member.places) {
      for (const name of aliases) {
        const key = JSON.stringify([network, name]);
        const alias = found.get(key) ?? { key, name, network, members: [] };
        alias.members.push(member);
        found.set(key, alias);
      }
    }
  }
  // Compose gives each container an alias of its own: to count a service's containers for each is quadratic.
  const counts = new Map<string, number>();
  const countOnce = (network: string, isLive: boolean): number => {
    const key = `${isLive} ${network}`;
    const count = counts.get(key) ?? countAt(group, network, isLive);
    counts.set(key, count);
    return count;
  };
  return [...found.values()].map(({ key, name, network, members: all }) => {
    const live = all.filter((member) => isAt(member, network));
    const isLive = live.length > 0;
    const members = isLive ? live : all;
    const single = members.length === 1 ? members[0] : undefined;
    const owner = members.length === countOnce(network, isLive) ? group : single;
    return { key, name, network, group, members, isLive, owner };
  });
});

/** A service with the aliases that are its own, but for those that others have; they are named by their keys. */
const withAliases = remember(([group, ...lost]: readonly [Group, ...string[]], warn): Group => {
  const others = new Set(lost);
  const owned = new Map<Group | Member | undefined, NetworkAlias[]>();
  for (const { key, owner, name, network } of claimsOf([group], warn)) {
    if (others.has(key)) continue;
    const known = owned.get(owner);
    if (known) known.push({ name, network });
    else owned.set(owner, [{ name, network }]);
  }
  return {
    ...group,
    aliases: [...group.aliases, ...(owned.get(group) ?? [])],
    members: group.members.map((member) => ({ ...member, aliases: owned.get(member) ?? [] })),
  };
});

/**
 * It is called as Docker has it with the network behind, `search.backend`, which nobody else is called; and `search`
 * on that network.
 */
const aliasGroup = remember((claims: readonly [Claim, ...Claim[]]): Group => {
  const [{ name, network, group: first }] = claims;
  const { namespace } = first;
  const long = readName(network);
  const whole = joinPrefix(joinPrefix(name, long ?? name), namespace);
  const shown = `alias ${formatPrefix(name)} on ${plain(network)}`;
  const members = claims.flatMap(({ members }) => members.map((member) => memberOn(network, member)));
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
});

function memberOn(network: string, member: Member): Member {
  return {
    ...member,
    places: member.places.filter((place) => place.network === network),
    addresses: member.addresses.filter((address) => address.network === network),
    names: [],
    aliases: [],
    isNamed: false,
    slot: undefined,
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
