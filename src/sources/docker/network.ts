import { compareText } from "../../base/compare.ts";
import { at, fieldsOf, isTrue, listOf, plainAddress, textOf, textsOf } from "./fields.ts";
import type { EngineNetwork } from "./snapshot.ts";

/** By which those on overlay networks reach their node. */
export const GATEWAY_NETWORK = "docker_gwbridge";

/** Reads `/networks`, in an order that does not change by itself. */
export function parseNetworks(listed: unknown): readonly EngineNetwork[] {
  return listOf(listed)
    .flatMap(parseNetwork)
    .toSorted((one, other) => compareText(one.id, other.id));
}

function parseNetwork(listed: unknown): EngineNetwork[] {
  const id = textOf(at(listed, "Id"));
  const name = textOf(at(listed, "Name"));
  if (id === "" || name === "") return [];
  return [
    {
      id,
      name,
      driver: textOf(at(listed, "Driver")),
      isIngress: isTrue(at(listed, "Ingress")),
      subnets: textsOf(listOf(at(listed, "IPAM", "Config")).map((config) => at(config, "Subnet"))),
    },
  ];
}

/** Who has which addresses on a network, by the ids of containers. Reads `/networks/ID`. */
export function parseAttached(inspected: unknown): ReadonlyMap<string, readonly string[]> {
  return new Map(
    fieldsOf(at(inspected, "Containers")).map(([id, endpoint]) => [
      id,
      textsOf([plainAddress(at(endpoint, "IPv4Address")), plainAddress(at(endpoint, "IPv6Address"))]),
    ]),
  );
}
