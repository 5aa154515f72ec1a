import { type Address, mask, type Subnet } from "../model/address.ts";
import type { Network, Roster } from "../model/declaration.ts";
import { createDefaultNetwork } from "../model/network.ts";

/** The networks of all rosters: of two that declare one name, the first counts. */
export function mergeNetworks(rosters: Iterable<Roster>): ReadonlyMap<string, Network> {
  const merged = new Map<string, Network>();
  for (const roster of rosters) {
    for (const network of roster.networks) {
      if (!merged.has(network.name)) merged.set(network.name, network);
    }
  }
  const fallback = createDefaultNetwork();
  if (!merged.has(fallback.name)) merged.set(fallback.name, fallback);
  return merged;
}

/** The names of the networks that are not alike in both. */
export function changedNetworks(
  before: ReadonlyMap<string, Network>,
  after: ReadonlyMap<string, Network>,
): ReadonlySet<string> {
  const names = new Set([...before.keys(), ...after.keys()]);
  return new Set([...names].filter((name) => !isAlike(before.get(name), after.get(name))));
}

function isAlike(one: Network | undefined, other: Network | undefined): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** Finds the smallest subnet that all addresses beginning with `length` bits of `address` are in. */
export type FindSubnet = (address: Address, length: number) => Subnet | undefined;

/** One hash a prefix length in use, however many subnets there are. */
export function indexSubnets(networks: Iterable<Network>): FindSubnet {
  const byLength = new Map<number, Map<Address, Subnet>>();
  for (const network of networks) {
    for (const subnet of [...network.subnets, ...network.vips]) {
      const alike = byLength.get(subnet.length) ?? new Map<Address, Subnet>();
      byLength.set(subnet.length, alike.set(subnet.base, subnet));
    }
  }
  const longestFirst = [...byLength].toSorted(([one], [other]) => other - one);

  return (address, length) => {
    for (const [bits, subnets] of longestFirst) {
      const found = bits <= length ? subnets.get(mask(address, bits)) : undefined;
      if (found) return found;
    }
    return undefined;
  };
}

/** Which networks addresses are on. */
export interface NetworkIndex {
  /** Those that all addresses beginning with `length` bits of `address` are on, in their order. */
  find(address: Address, length: number): readonly string[];
  /** Whether some of these addresses are on one that not all are on. */
  isDivided(address: Address, length: number): boolean;
}

/** As {@link indexSubnets}, but only by what says who is inside. */
export function indexNetworks(networks: Iterable<Network>): NetworkIndex {
  const byLength = new Map<number, Map<Address, string[]>>();
  const ranks = new Map<string, number>();
  for (const network of networks) {
    ranks.set(network.name, ranks.size);
    for (const subnet of network.subnets) {
      const alike = byLength.get(subnet.length) ?? new Map<Address, string[]>();
      const names = alike.get(subnet.base) ?? [];
      if (!names.includes(network.name)) names.push(network.name);
      byLength.set(subnet.length, alike.set(subnet.base, names));
    }
  }

  return {
    find(address, length) {
      const found = new Set<string>();
      for (const [bits, subnets] of byLength) {
        const names = bits <= length ? subnets.get(mask(address, bits)) : undefined;
        for (const name of names ?? []) found.add(name);
      }
      if (found.size < 2) return [...found];
      return [...found].toSorted((one, other) => (ranks.get(one) ?? 0) - (ranks.get(other) ?? 0));
    },
    isDivided(address, length) {
      const all = mask(address, length);
      for (const [bits, subnets] of byLength) {
        if (bits <= length) continue;
        for (const base of subnets.keys()) {
          if (base.length === all.length && mask(base, length) === all) return true;
        }
      }
      return false;
    },
  };
}
