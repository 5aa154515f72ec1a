import { formatAddress, formatEndpoint } from "../model/address.ts";
import type { Balance } from "../model/declaration.ts";
import type { BackendSight, Duty, Frontend, FrontendSight, PlaneKind, Sight } from "../plane/plane.ts";
import type { Carrying } from "./carrying.ts";

/** What carries the traffic to VIPs and published ports now, in text: for people, for JSON, and for who imports Rota. */
export interface Traffic {
  readonly planes: readonly PlaneTraffic[];
  /** What could not be carried, and why, a sentence each. */
  readonly troubles: readonly string[];
}

export interface PlaneTraffic {
  readonly kind: PlaneKind;
  /** The path of the network namespace that it is in; undefined: Rota's own. */
  readonly netns: string | undefined;
  readonly services: readonly {
    readonly name: string;
    readonly ports: readonly PortTraffic[];
  }[];
  /** What is programmed there and belongs to no service, a line each. */
  readonly strangers: readonly string[];
  /** What else it has counted, as `{ "connections open": 3 }`: what is over a limit, lost or in vain is here. */
  readonly counts: { readonly [what: string]: number };
}

/** A port of a VIP, or a published one. */
export interface PortTraffic {
  /** As `10.64.0.2:80/tcp`, `10.64.0.2 (every port)`, or `every address:80/tcp` for a published one. */
  readonly at: string;
  readonly balance: Balance;
  readonly tasks: readonly TaskTraffic[];
}

export interface TaskTraffic {
  readonly task: string;
  /** Where it is reached, as `10.0.1.11:8080`. */
  readonly at: string;
  /** Undefined: on this node. */
  readonly node: string | undefined;
  readonly duty: Duty;
  /** Its share of new flows. */
  readonly weight: number;
  /** Flows that it was given; undefined: that is not counted there. */
  readonly flows: number | undefined;
  /** Those that are open. */
  readonly active: number | undefined;
}

export async function trafficOf(carrying: Carrying): Promise<Traffic> {
  const sights = await carrying.look();
  return {
    planes: sights.map(planeTraffic),
    troubles: carrying.report.troubles.map(({ message }) => message),
  };
}

function planeTraffic({ kind, netns, services, strangers, counts }: Sight): PlaneTraffic {
  return {
    kind,
    netns,
    services: services.map(({ name, frontends }) => ({ name, ports: frontends.map(portTraffic) })),
    strangers,
    counts: Object.fromEntries(counts ?? []),
  };
}

function portTraffic({ frontend, backends }: FrontendSight): PortTraffic {
  return { at: placeOf(frontend), balance: frontend.balance, tasks: backends.map(taskTraffic) };
}

function placeOf(frontend: Frontend): string {
  if (frontend.kind === "published") return `every address:${frontend.port}/${frontend.protocol}`;
  const vip = formatAddress(frontend.vip);
  if (frontend.port === undefined) return `${vip} (every port)`;
  return `${formatEndpoint(vip, frontend.port)}/${frontend.protocol}`;
}

function taskTraffic({ backend, flows, active }: BackendSight): TaskTraffic {
  const { task, node, duty, weight } = backend;
  const address = formatAddress(backend.address);
  const at = backend.port === undefined ? address : formatEndpoint(address, backend.port);
  return { task, at, node, duty, weight, flows, active };
}
