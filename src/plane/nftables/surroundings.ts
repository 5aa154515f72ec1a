import type { Run } from "../command.ts";
import { familyOf, formatAddress, isInside, type Address } from "../../model/address.ts";
import { changedBetween } from "../layers.ts";
import type { Backend, PlaneService, PlaneState, Trouble } from "../plane.ts";
import { type Interface, readInterfaces, readRoutes, type Route, routedElsewhere } from "../routes.ts";
import { readSysctls } from "../sysctls.ts";
import type { Terrain } from "./terrain.ts";

/** What is around the plane that is not its to change. */
export interface Surroundings {
  readonly routes: readonly Route[];
  readonly interfaces: readonly Interface[];
  /** By its name, as `net.ipv4.ip_forward`; one that is missing is not there. */
  readonly sysctls: ReadonlyMap<string, string>;
}

const FORWARDING = { 4: "net.ipv4.ip_forward", 6: "net.ipv6.conf.all.forwarding" } as const;
const BRIDGED = {
  4: "net.bridge.bridge-nf-call-iptables",
  6: "net.bridge.bridge-nf-call-ip6tables",
} as const;
const NO_IPV6 = "net.ipv6.conf.lo.disable_ipv6";

export async function lookAround(run: Run): Promise<Surroundings> {
  const names = [...Object.values(FORWARDING), ...Object.values(BRIDGED), NO_IPV6];
  const [routes, interfaces, sysctls] = await Promise.all([
    readRoutes(run),
    readInterfaces(run),
    readSysctls(run, names),
  ]);
  return { routes, interfaces, sysctls };
}

/** What can be carried there; and what stands in the way. */
export function judge(
  { pools }: PlaneState,
  { routes, interfaces, sysctls }: Surroundings,
): { readonly terrain: Terrain; readonly troubles: readonly string[] } {
  const hasIpv6 = sysctls.get(NO_IPV6) === "0";
  const told = pools.map((pool) => ({ pool, why: routedElsewhere(pool, routes, interfaces) }));
  const lost = told.flatMap(({ pool, why }) => (why === undefined ? [] : [{ pool, why }]));
  return {
    terrain: { hasIpv6, elsewhere: lost.map(({ pool }) => pool) },
    troubles: lost.map(({ why }) => `${why}: its VIPs are not carried; choose other vips, or take that away`),
  };
}

/** What keeps flows from these services' tasks, though it is all carried. */
export function troublesOf(services: readonly PlaneService[], surroundings: Surroundings): readonly string[] {
  const { interfaces, sysctls } = surroundings;
  const own = new Set(interfaces.map(({ address }) => address));
  const links = interfaces.filter(({ isBridge }) => isBridge);
  const troubles: string[] = [];
  if (sysctls.get(NO_IPV6) !== "0" && hasBackend(services, ({ address }) => familyOf(address) === 6)) {
    troubles.push(
      `IPv6 is off here: nothing of it is carried; sysctl -w ${NO_IPV6}=0 if tasks are to be reached by it`,
    );
  }
  for (const family of [4, 6] as const) {
    const isOf = (address: Address): boolean => familyOf(address) === family;
    const forwarding = FORWARDING[family];
    if (
      sysctls.get(forwarding) === "0" &&
      hasBackend(services, ({ address }) => isOf(address) && !own.has(address))
    ) {
      troubles.push(
        `the kernel forwards nothing, so that only what this machine itself sends reaches tasks: sysctl -w ${forwarding}=1`,
      );
    }
    const bridged = BRIDGED[family];
    if (sysctls.get(bridged) === "1") continue;
    const link = links.find(
      ({ subnet, address }) =>
        isOf(address) &&
        hasBackend(services, (one) => one.node === undefined && isInside(subnet, one.address)),
    );
    if (link !== undefined) {
      troubles.push(
        `what tasks on the bridge ${link.device} (${formatAddress(link.address)}) answer each other goes past VIPs: modprobe br_netfilter, and sysctl -w ${bridged}=1`,
      );
    }
  }
  return troubles;
}

/** Services that are others than they were; without a state before, all. */
export function changedSince(old: PlaneState | undefined, { services }: PlaneState): readonly PlaneService[] {
  if (old === undefined) return [...services.values()];
  return changedBetween(old.services, services).flatMap((id) => services.get(id) ?? []);
}

export function isSameTerrain(one: Terrain, other: Terrain): boolean {
  return (
    one.hasIpv6 === other.hasIpv6 &&
    one.elsewhere.length === other.elsewhere.length &&
    one.elsewhere.every((pool, at) => {
      const twin = other.elsewhere[at];
      return pool.base === twin?.base && pool.length === twin.length;
    })
  );
}

export function asTroubles(messages: readonly string[]): readonly Trouble[] {
  return messages.map((message) => ({ service: undefined, message }));
}

function hasBackend(services: readonly PlaneService[], test: (backend: Backend) => boolean): boolean {
  return services.some(({ frontends }) =>
    frontends.some(({ backends }) => backends.some((one) => test(one))),
  );
}
