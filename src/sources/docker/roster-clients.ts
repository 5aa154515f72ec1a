import type { Address } from "../../model/address.ts";
import type { Client } from "../../model/declaration.ts";
import { EMPTY_PREFIX, type Prefix } from "../../model/name.ts";
import { type Networks, readAddress } from "./roster-networks.ts";
import { remember } from "./roster-remember.ts";
import { distinct, type Warn } from "./roster-text.ts";
import type { EngineContainer } from "./snapshot.ts";

/**
 * Who asks from where. Of two containers at one address (of networks that know nothing of each other) the first
 * counts.
 *
 * @param homes whose names each container asks for, by its id
 */
export function clientsOf(
  containers: readonly EngineContainer[],
  homes: ReadonlyMap<string, Prefix>,
  networks: Networks,
  warn: Warn,
): readonly Client[] {
  const clients = new Map<Address, Client>();
  for (const container of containers) {
    const home = homes.get(container.id) ?? EMPTY_PREFIX;
    for (const client of clientsIn([container, home, networks], warn))
      if (!clients.has(client.address)) clients.set(client.address, client);
  }
  return [...clients.values()];
}

const clientsIn = remember(
  ([{ state, endpoints, gatewayAddresses }, namespace, networks]: readonly [
    EngineContainer,
    Prefix,
    Networks,
  ]): readonly Client[] => {
    if (state !== "running" && state !== "paused") return [];
    const own = networks.addressesOf(endpoints).map(({ address }) => address);
    const places = networks.networksOf(endpoints);
    if (places.length === 0) return [];
    return distinct([...own, ...gatewayAddresses.map(readAddress)]).map((address) => ({
      address,
      networks: places,
      namespace,
    }));
  },
);
