import {
  type Address,
  type Family,
  familyOf,
  formatAddress,
  formatEndpoint,
  isInside,
  type Subnet,
} from "../../model/address.ts";
import type { Balance } from "../../model/declaration.ts";
import type { Frontend, PlaneService, PlaneState, Trouble } from "../plane.ts";
import { isStranded, obstacleTo, strandedIn } from "./obstacles.ts";
import { keyOf, type Table, type VirtualService } from "./table.ts";

/** What else the table depends on, besides the state. */
export interface Site {
  /** At which addresses published ports are. */
  readonly addresses: readonly Address[];
  /** Pools whose VIPs cannot be had here. */
  readonly lostPools: readonly Subnet[];
  /** The nodes that know the way back through this one. */
  readonly peers: ReadonlySet<string>;
  /** The kernel's scheduler for `source`. */
  readonly hash: HashScheduler;
}

/** `mh` moves few clients when tasks come and go; `sh` moves most, and every kernel has it. */
export type HashScheduler = "mh" | "sh";

export interface Rendered {
  readonly table: Table;
  /** The id of the service that a key is of. */
  readonly owners: ReadonlyMap<string, string>;
  readonly carried: number;
  /** The families in which tasks are reached at addresses that are not this machine's. */
  readonly forwarded: ReadonlySet<Family>;
  readonly troubles: readonly Trouble[];
}

/** One service's part of it. */
interface Part {
  readonly services: readonly VirtualService[];
  readonly carried: number;
  readonly forwarded: ReadonlySet<Family>;
  readonly troubles: readonly string[];
}

/**
 * Tells ours from others' at the same addresses. The kernel keeps three flags for schedulers, of which none knows the
 * third (`IP_VS_SVC_F_SCHED3`).
 */
export const MARK = "flag-3";

/** As much as ipvsadm takes: 31 days. */
const MAX_AFFINITY_SECONDS = 2_678_400;
/** As much as ipvsadm takes. */
const MAX_WEIGHT = 65_535;

/** Renders states for a site. What did not change from one to the next is the same object. */
export function createRenderer(site: Site): (services: PlaneState["services"]) => Rendered {
  const parts = new WeakMap<PlaneService, Part>();

  return (services) => {
    const table = new Map<string, VirtualService>();
    const owners = new Map<string, string>();
    const troubles: Trouble[] = [];
    const forwarded = new Set<Family>();
    let carried = 0;
    for (const [id, service] of services) {
      const part = parts.get(service) ?? renderService(service, site);
      parts.set(service, part);
      carried += part.carried;
      for (const family of part.forwarded) forwarded.add(family);
      for (const message of part.troubles) troubles.push({ service: id, message });
      for (const virtual of part.services) {
        if (table.has(virtual.key)) {
          troubles.push({
            service: id,
            message: `${service.name}: another service has ${virtual.key.slice(3)}`,
          });
          continue;
        }
        table.set(virtual.key, virtual);
        owners.set(virtual.key, id);
      }
    }
    return { table, owners, carried, forwarded, troubles };
  };
}

/** Where a frontend stands in IPVS. */
export function keysOf(frontend: Frontend, { addresses }: Site): { key: string; address: Address }[] {
  const { protocol, port } = frontend;
  if (protocol === "any" || port === undefined) return [];
  const at = frontend.kind === "vip" ? [frontend.vip] : addresses;
  return at.map((address) => ({ key: keyOf(protocol, address, port), address }));
}

function renderService({ name, frontends }: PlaneService, site: Site): Part {
  const services: VirtualService[] = [];
  const troubles: string[] = [];
  const forwarded = new Set<Family>();
  let carried = 0;
  for (const frontend of frontends) {
    if (frontend.kind === "vip" && site.lostPools.some((pool) => isInside(pool, frontend.vip))) continue;
    const obstacle = obstacleTo(frontend, name);
    if (obstacle !== undefined) {
      troubles.push(obstacle);
      continue;
    }
    carried += 1;
    troubles.push(...strandedIn(frontend, name, site.peers));
    services.push(...renderFrontend(frontend, site));
    for (const { address } of frontend.backends) {
      if (!site.addresses.includes(address)) forwarded.add(familyOf(address));
    }
  }
  return { services, carried, forwarded, troubles };
}

/**
 * One with nobody behind it is left out: the kernel then refuses by itself, and at once. IPVS would by ICMP, of which
 * the kernel sends a client one message a second.
 */
function renderFrontend(frontend: Frontend, site: Site): VirtualService[] {
  const affinitySeconds = Math.min(Math.ceil(frontend.affinityMs / 1_000), MAX_AFFINITY_SECONDS);
  const { scheduler, flags } = schedulingOf(frontend.balance, site.hash);
  return keysOf(frontend, site)
    .map(({ key, address }) => {
      const weights = weightsOf(frontend, address, site);
      return { key, address, scheduler, flags, affinitySeconds, weights };
    })
    .filter(({ weights }) => weights.size > 0);
}

function schedulingOf(balance: Balance, hash: HashScheduler): Pick<VirtualService, "scheduler" | "flags"> {
  switch (balance) {
    case "weighted":
    case "random": // there is no such scheduler; in turn is as even
      return { scheduler: "wrr", flags: MARK };
    case "rotate":
      return { scheduler: "rr", flags: MARK };
    case "leastconn":
      return { scheduler: "wlc", flags: MARK };
    case "source":
      // Without the fallback, a client whose task has no weight is refused. Beside it ipvsadm tells no mark.
      return { scheduler: hash, flags: `${hash}-fallback` };
  }
}

function weightsOf(frontend: Frontend, address: Address, { peers }: Site): Map<string, number> {
  const weights = new Map<string, number>();
  for (const backend of frontend.backends) {
    if (backend.port === undefined || backend.duty === "down") continue;
    if (familyOf(backend.address) !== familyOf(address)) continue;
    if (frontend.kind === "published" && isStranded(backend, peers)) continue;
    const endpoint = formatEndpoint(formatAddress(backend.address), backend.port);
    const weight = backend.duty === "serving" ? backend.weight : 0;
    // Two tasks may share an address and port: it gets what both would.
    weights.set(endpoint, Math.min((weights.get(endpoint) ?? 0) + weight, MAX_WEIGHT));
  }
  return weights;
}
