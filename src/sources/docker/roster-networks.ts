import { compareText } from "../../base/compare.ts";
import { attempt } from "../../base/error.ts";
import { type Address, isUnreachable, parseAddress, parseSubnet, type Subnet } from "../../model/address.ts";
import type { Network, TaskAddress } from "../../model/declaration.ts";
import { createDefaultNetwork } from "../../model/network.ts";
import type { Prefix } from "../../model/name.ts";
import { remember } from "./roster-remember.ts";
import { distinct, plain, readName, shortId, type Warn } from "./roster-text.ts";
import type { EngineEndpoint, EngineNetwork } from "./snapshot.ts";

/** A network that somebody is on, with the aliases there. */
export interface Place {
  readonly network: string;
  readonly aliases: readonly Prefix[];
}

/** An engine's networks as far as names are seen on them. */
export interface Networks {
  readonly declared: readonly Network[];
  /** Where one is that all of them lead to, at least one. */
  readonly everywhere: readonly string[];
  /** The networks of endpoints, in the order of all. */
  networksOf(endpoints: readonly EngineEndpoint[]): readonly string[];
  /** The same with the aliases there; it warns when they are too many. */
  placesOf(endpoints: readonly EngineEndpoint[], about: string, warn: Warn): readonly Place[];
  addressesOf(endpoints: readonly EngineEndpoint[]): readonly TaskAddress[];
}

/** Docker's resolver bounds none of it; each alias makes names for each port. */
const MAX_ALIASES = 32;
/** Docker's, of which there is one each: they are no networks that anybody meets on. */
const DRIVERS_WITHOUT = new Set(["host", "null"]);
const NAMES_WITHOUT = new Set(["host", "none"]);

export const networksIn = remember(([networks]: readonly [readonly EngineNetwork[]], warn) =>
  createNetworks(networks, warn),
);

function createNetworks(networks: readonly EngineNetwork[], warn: Warn): Networks {
  const unasked = createDefaultNetwork().name;
  // The one that is there unasked has VIPs to give: an engine's must not stand in its place.
  const taken = new Set([unasked]);
  const byId = new Map<string, Network>();
  // Docker allows two of one name: their ids decide whose it is, so that a restart decides the same.
  for (const network of networks.toSorted(compareNetworks)) {
    if (byId.has(network.id) || !isMeetingPlace(network)) continue;
    const long = `${network.name}-${shortId(network.id)}`;
    const name = taken.has(network.name) ? long : network.name;
    if (taken.has(name)) continue;
    taken.add(name);
    byId.set(network.id, { name, subnets: readSubnets(network, warn), vips: [] });
  }
  const declared = [...byId.values()];
  const ranks = new Map(declared.map(({ name }, at) => [name, at]));

  return {
    declared,
    everywhere: declared.length > 0 ? declared.map(({ name }) => name) : [unasked],
    networksOf: (endpoints) =>
      distinct(endpoints.map(({ networkId }) => byId.get(networkId)?.name)).toSorted(
        (one, other) => (ranks.get(one) ?? 0) - (ranks.get(other) ?? 0),
      ),
    placesOf(endpoints, about, warn) {
      const aliases = new Map<string, string[]>();
      for (const endpoint of endpoints) {
        const name = byId.get(endpoint.networkId)?.name;
        if (name !== undefined) aliases.set(name, [...(aliases.get(name) ?? []), ...endpoint.aliases]);
      }
      return [...aliases]
        .toSorted(([one], [other]) => (ranks.get(one) ?? 0) - (ranks.get(other) ?? 0))
        .map(([network, written]) => ({ network, aliases: readAliases(network, written, about, warn) }));
    },
    addressesOf(endpoints) {
      const found = endpoints.flatMap(({ networkId, addresses }) => {
        const network = byId.get(networkId)?.name;
        if (network === undefined) return [];
        return distinct(addresses.map(readAddress)).map((address) => ({ network, address }));
      });
      const byText = new Map(found.map((entry) => [`${entry.address} ${entry.network}`, entry]));
      return [...byText.values()].toSorted(
        (one, other) => (ranks.get(one.network) ?? 0) - (ranks.get(other.network) ?? 0),
      );
    },
  };
}

/** An address that somebody may be at. */
export function readAddress(text: string): Address | undefined {
  const address = attempt(() => parseAddress(text));
  return address === undefined || isUnreachable(address) ? undefined : address;
}

function readAliases(network: string, written: readonly string[], about: string, warn: Warn): Prefix[] {
  const aliases = distinct(written.map((alias) => readName(alias)));
  if (aliases.length <= MAX_ALIASES) return aliases;
  warn(about, `it has ${aliases.length} aliases on ${network}: the first ${MAX_ALIASES} are names`);
  return aliases.slice(0, MAX_ALIASES);
}

function readSubnets({ name, subnets }: EngineNetwork, warn: Warn): Subnet[] {
  return subnets.flatMap((text) => {
    const subnet = attempt(() => parseSubnet(text));
    if (subnet === undefined)
      warn(`network ${name}`, `its subnet "${plain(text)}" cannot be read, and is left out`);
    return subnet ?? [];
  });
}

function isMeetingPlace({ name, driver, isIngress }: EngineNetwork): boolean {
  return !isIngress && name !== "" && !DRIVERS_WITHOUT.has(driver) && !NAMES_WITHOUT.has(name);
}

function compareNetworks(one: EngineNetwork, other: EngineNetwork): number {
  return compareText(one.name, other.name) || compareText(one.id, other.id);
}
