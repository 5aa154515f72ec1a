import { at, countOf, isTrue, labelsOf, listOf, plainAddress, secondsOf, textOf, textsOf } from "./fields.ts";
import { parsePort } from "./port.ts";
import type { EngineEndpoint, SwarmService, SwarmSnapshot, SwarmTask } from "./snapshot.ts";

/** Whether an engine can tell of a Swarm's services, from its `/info`. */
export function isSwarmManaged(info: unknown): boolean {
  return (
    textOf(at(info, "Swarm", "LocalNodeState")) === "active" && isTrue(at(info, "Swarm", "ControlAvailable"))
  );
}

/** Reads `/services` and `/tasks`. */
export function parseSwarm(services: unknown, tasks: unknown): SwarmSnapshot {
  return {
    services: listOf(services).flatMap(parseService),
    tasks: listOf(tasks).flatMap(parseTask),
  };
}

function parseService(listed: unknown): SwarmService[] {
  const id = textOf(at(listed, "ID"));
  const spec = at(listed, "Spec");
  const name = textOf(at(spec, "Name"));
  if (id === "" || name === "") return [];
  const endpoint = at(listed, "Endpoint");
  return [
    {
      id,
      name,
      createdAt: secondsOf(at(listed, "CreatedAt")),
      labels: labelsOf(at(spec, "Labels")),
      // As it is now, not as somebody wants it to be: after a change, the VIPs come and go later.
      endpointMode: textOf(at(endpoint, "Spec", "Mode")) === "dnsrr" ? "dnsrr" : "vip",
      ports: listOf(at(endpoint, "Ports")).flatMap((port) =>
        parsePort(at(port, "TargetPort"), at(port, "Protocol") ?? "tcp", at(port, "PublishedPort")),
      ),
      endpoints: parseServiceEndpoints(spec, listOf(at(endpoint, "VirtualIPs"))),
    },
  ];
}

/** Its networks with their aliases, as its declaration has them, and the VIPs that it was given. */
function parseServiceEndpoints(spec: unknown, vips: readonly unknown[]): readonly EngineEndpoint[] {
  const inTemplate = listOf(at(spec, "TaskTemplate", "Networks"));
  // Where API 1.24 had them.
  const attached = inTemplate.length > 0 ? inTemplate : listOf(at(spec, "Networks"));
  const aliases = new Map(
    attached.map((network) => [textOf(at(network, "Target")), textsOf(at(network, "Aliases"))]),
  );
  const addresses = new Map(
    vips.map((vip) => [textOf(at(vip, "NetworkID")), textsOf([plainAddress(at(vip, "Addr"))])]),
  );
  const ids = new Set([...aliases.keys(), ...addresses.keys()]);
  ids.delete("");
  return [...ids].map((networkId) => ({
    networkId,
    addresses: addresses.get(networkId) ?? [],
    aliases: aliases.get(networkId) ?? [],
  }));
}

function parseTask(listed: unknown): SwarmTask[] {
  const id = textOf(at(listed, "ID"));
  const serviceId = textOf(at(listed, "ServiceID"));
  if (id === "" || serviceId === "") return [];
  return [
    {
      id,
      serviceId,
      nodeId: textOf(at(listed, "NodeID")),
      // Of a global service it is left out, or 0.
      slot: countOf(at(listed, "Slot")) || undefined,
      state: textOf(at(listed, "Status", "State")),
      desiredState: textOf(at(listed, "DesiredState")),
      containerId: textOf(at(listed, "Status", "ContainerStatus", "ContainerID")),
      endpoints: listOf(at(listed, "NetworksAttachments")).flatMap(parseAttachment),
    },
  ];
}

function parseAttachment(attached: unknown): EngineEndpoint[] {
  const networkId = textOf(at(attached, "Network", "ID"));
  if (networkId === "") return [];
  const addresses = textsOf(listOf(at(attached, "Addresses")).map(plainAddress));
  return [{ networkId, addresses, aliases: textsOf(at(attached, "Aliases")) }];
}
