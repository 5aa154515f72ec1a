import type { Address } from "../../model/address.ts";
import type { Client } from "../../model/declaration.ts";
import { EMPTY_PREFIX, type Prefix } from "../../model/name.ts";
import { type Networks, readAddress } from "./roster-networks.ts";
import { distinct } from "./roster-text.ts";
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
): readonly Client[] {
  const clients = new Map<Address, Client>();
  for (const { id, state, endpoints, gatewayAddresses } of containers) {
    if (state !== "running" && state !== "paused") continue;
    const own = networks.addressesOf(endpoints).map(({ address }) => address);
    const places = networks.networksOf(endpoints);
    if (places.length === 0) continue;
    for (const address of distinct([...own, ...gatewayAddresses.map(readAddress)])) {
      if (clients.has(address)) continue;
      clients.set(address, { address, networks: places, namespace: homes.get(id) ?? EMPTY_PREFIX });
    }
  }
  return [...clients.values()];
}
