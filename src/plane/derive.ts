import { isDeepStrictEqual } from "node:util";
import { type Address, FAMILIES, type Family, familyOf } from "../model/address.ts";
import type { Port, TaskDeclaration } from "../model/declaration.ts";
import { formatPrefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { PublishedPort } from "../registry/published.ts";
import type { Service, Vip } from "../registry/service.ts";
import type { Backend, Duty, PlaneService, PublishedFrontend, VipFrontend } from "./plane.ts";

/**
 * What a service leads to, derived whole from what it is: a pure function, kept by the service's identity.
 *
 * @param node the name of this one: tasks of it, and those of which nobody says where they are, are here
 * @param before what was derived of it last: where nothing differs, the same object
 */
export function derivePlaneService(
  service: Service,
  node: string,
  before: PlaneService | undefined,
): PlaneService {
  const { declaration } = service;
  // What an engine has given its services, it carries itself.
  const vips = declaration.vips === undefined ? service.vips : [];
  const reach = createReach(service, node);
  const derived: PlaneService = {
    name: formatPrefix(ownName(declaration)),
    vips: vips.map(({ address }) => address),
    frontends: [
      ...vips.flatMap((vip) => vipFrontends(service, vip, reach)),
      ...service.published.flatMap((published) => publishedFrontends(service, published, reach)),
    ],
  };
  return before !== undefined && isDeepStrictEqual(before, derived) ? before : derived;
}

/** How the service's tasks are reached on a network, all of one family: at a port, or at whichever is asked for. */
type Reach = (
  addressOf: (task: TaskDeclaration) => Address | undefined,
  port: Port | undefined,
) => readonly Backend[];

function createReach({ declaration, answering, verdicts }: Service, node: string): Reach {
  const shown = new Set(answering);
  // Weights of nothing but 0 say nothing: then all are alike, as in SRV records (RFC 2782).
  const isWeighted = answering.some(({ weight }) => weight > 0);
  const dutyOf = (task: TaskDeclaration): Duty => {
    if (shown.has(task)) return "serving";
    return verdicts.get(task.id) === "failing" ? "down" : "draining";
  };
  return (addressOf, port) =>
    declaration.tasks.flatMap((task): Backend[] => {
      const address = addressOf(task);
      if (address === undefined) return [];
      const duty = dutyOf(task);
      return [
        {
          task: formatPrefix(task.id),
          address,
          port: port && (task.ports.get(port.name) ?? port.target),
          weight: duty !== "serving" ? 0 : isWeighted ? task.weight : 1,
          duty,
          node: task.node === node ? undefined : task.node,
        },
      ];
    });
}

function vipFrontends({ declaration }: Service, vip: Vip, reach: Reach): VipFrontend[] {
  const { balance, affinityMs } = declaration;
  const family = familyOf(vip.address);
  const addressOf = (task: TaskDeclaration): Address | undefined =>
    task.addresses.find(({ network, address }) => network === vip.network && familyOf(address) === family)
      ?.address;
  const common = { kind: "vip", vip: vip.address, network: vip.network, balance, affinityMs } as const;
  if (declaration.ports.length === 0) {
    const backends = reach(addressOf, undefined);
    return [{ ...common, protocol: "any", port: undefined, proxyProtocol: 0, backends }];
  }
  // Of two of one number, as an old and a new name of it, the first counts.
  const byPlace = new Map(
    declaration.ports.toReversed().map((port) => [`${port.port}/${port.protocol}`, port]),
  );
  return [...byPlace.values()].toReversed().flatMap((port): VipFrontend[] => {
    const { protocol, proxyProtocol } = port;
    if (protocol === "sctp") return [];
    return [{ ...common, protocol, port: port.port, proxyProtocol, backends: reach(addressOf, port) }];
  });
}

function publishedFrontends(
  { declaration }: Service,
  { port, published }: PublishedPort,
  reach: Reach,
): PublishedFrontend[] {
  const { protocol, proxyProtocol, mode, policy } = port;
  if (protocol === "sctp") return [];
  const { balance, affinityMs } = declaration;
  const all = FAMILIES.flatMap((family) => reach((task) => firstAddress(task, family), port));
  const backends = policy === "local" || mode === "host" ? all.filter(({ node }) => node === undefined) : all;
  if (mode === "host" && backends.length === 0) return [];
  return [{ kind: "published", port: published, protocol, balance, affinityMs, proxyProtocol, backends }];
}

function firstAddress({ addresses }: TaskDeclaration, family: Family): Address | undefined {
  return addresses.find(({ address }) => familyOf(address) === family)?.address;
}
