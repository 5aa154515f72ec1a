import { createHash } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { messageOf, RotaError } from "../base/error.ts";
import {
  type Address,
  addressAt,
  type Family,
  familyOf,
  formatSubnet,
  isInside,
  sizeOf,
  type Subnet,
} from "../model/address.ts";
import type { Network } from "../model/declaration.ts";
import { formatPrefix } from "../model/name.ts";
import { ownName } from "./names.ts";
import type { Leased, Service, Vip } from "./service.ts";

/** An address given to a service on a network. */
export interface Lease {
  readonly service: string;
  readonly network: string;
  readonly address: Address;
}

/** Where leases outlive the process: what stands there at start, and the port to tell changes to. */
export interface LeaseStore {
  readonly restored: readonly Lease[];
  keep(lease: Lease): void;
  forget(lease: Lease): void;
}

/** Remembers nothing: VIPs last as long as the process. */
export const forgetfulStore: LeaseStore = { restored: [], keep: () => {}, forget: () => {} };

export interface VipLeases {
  /**
   * The service's address from this pool: the one it has, or a free one.
   *
   * @throws RotaError `ERR_ROTA_VIP`: every address is given, used by a task or was freed within the hour.
   */
  take(service: string, network: string, pool: Subnet): Address;
  /** Frees all that the service has but the leases in `kept`; they are its own again if it comes back in time. */
  free(service: string, kept?: ReadonlySet<Address>): void;
  /** Makes what one service has, or had, another's. */
  passOn(from: string, to: string): void;
  /** To be told of an address that a task used and does not any more. */
  released(address: Address): void;
  /** Whether a pool that was full may not be any more. */
  mayHaveRoom(): boolean;
  /** The service that has the address now. */
  holderOf(address: Address): string | undefined;
}

/**
 * The VIPs of a service: one from each pool of its networks, if it answers with VIPs. Those that it has from
 * elsewhere are freed; but a service that answers with its tasks for now keeps its own for when it is switched back.
 */
export function leaseVips(
  { id, declaration }: Service,
  networks: ReadonlyMap<string, Network>,
  leases: VipLeases,
): Leased {
  if (declaration.endpointMode !== "vip") return { vips: [], vipProblem: undefined };
  if (declaration.vips) {
    leases.free(id);
    return { vips: declaration.vips, vipProblem: undefined };
  }
  const vips: Vip[] = [];
  const problems: string[] = [];
  const name = formatPrefix(ownName(declaration));
  for (const network of declaration.networks) {
    const pools = networks.get(network)?.vips ?? [];
    if (pools.length === 0) problems.push(`service ${name} has no VIP on network ${network}: ${NO_POOL}`);
    for (const pool of pools) {
      try {
        vips.push({ network, address: leases.take(id, network, pool) });
      } catch (error) {
        problems.push(`service ${name} has no VIP on network ${network}: ${messageOf(error)}`);
      }
    }
  }
  leases.free(id, new Set(vips.map(({ address }) => address)));
  return { vips, vipProblem: problems.length > 0 ? problems.join("; ") : undefined };
}

const NO_POOL =
  "no services file gives the network vips to take one from; give it some, or say endpoint_mode dnsrr";

/** Long enough for every client's cache and connection to have ended. */
const QUARANTINE_MS = 3_600_000;

interface HeldLease extends Lease {
  /** When it was freed, by the monotonic clock. */
  freedAt: number | undefined;
}

/**
 * Gives VIPs. Where a service's search for an address begins is told by a hash of its id, so that most services
 * get the same one again even from an empty store, whatever was declared before them.
 *
 * @param isTaken whether a task uses the address: such a one is never given.
 */
export function createVipLeases(
  clock: Clock,
  store: LeaseStore,
  isTaken: (address: Address) => boolean,
): VipLeases {
  const byAddress = new Map<Address, HeldLease>();
  const byService = new Map<string, HeldLease[]>();
  /** The freed ones, oldest first. */
  const freed = new Set<HeldLease>();
  /** Pools in which nothing is to be had, and until when by the clock: thousands of services may ask in a row. */
  const full = new Map<string, { readonly pool: Subnet; until: number }>();
  for (const lease of store.restored) add({ ...lease, freedAt: undefined });

  return {
    take(service, network, pool) {
      const inPool = (byService.get(service) ?? []).filter(
        (lease) => lease.network === network && isInside(pool, lease.address),
      );
      const known = inPool.find((lease) => lease.freedAt === undefined) ?? inPool[0];
      if (known && !isTaken(known.address)) {
        known.freedAt = undefined;
        freed.delete(known);
        return known.address;
      }
      if (known) drop(known); // a task uses it now, and a task cannot be moved
      const address = search(service, pool);
      add({ service, network, address, freedAt: undefined });
      store.keep({ service, network, address });
      return address;
    },
    free(service, kept) {
      dropExpired();
      for (const lease of byService.get(service) ?? []) {
        if (kept?.has(lease.address) || lease.freedAt !== undefined) continue;
        lease.freedAt = clock.monotonic();
        freed.add(lease);
        searchAgain(lease.address, lease.freedAt + QUARANTINE_MS);
      }
    },
    passOn(from, to) {
      for (const lease of byService.get(from) ?? []) {
        drop(lease);
        const passed = { ...lease, service: to };
        add(passed);
        if (passed.freedAt !== undefined) freed.add(passed);
        store.keep({ service: to, network: lease.network, address: lease.address });
      }
    },
    released: (address) => searchAgain(address, clock.monotonic()),
    mayHaveRoom: () => [...full.values()].some(({ until }) => clock.monotonic() >= until),
    holderOf(address) {
      const lease = byAddress.get(address);
      return lease?.freedAt === undefined ? lease?.service : undefined;
    },
  };

  function search(service: string, pool: Subnet): Address {
    const { first, count } = usable(pool);
    const poolName = formatSubnet(pool);
    const now = clock.monotonic();
    if (now >= (full.get(poolName)?.until ?? -Infinity)) {
      let until = Infinity;
      for (const offset of probe(service, count)) {
        const address = addressAt(pool, first + offset);
        const lease = byAddress.get(address);
        if (lease?.freedAt !== undefined && now - lease.freedAt >= QUARANTINE_MS) drop(lease);
        if (!byAddress.has(address) && !isTaken(address)) return address;
        until = Math.min(until, (lease?.freedAt ?? Infinity) + QUARANTINE_MS);
      }
      full.set(poolName, { pool, until });
    }
    throw new RotaError(
      "ERR_ROTA_VIP",
      `no VIP is left in ${poolName}: all ${count} are given, used by tasks or were freed within the hour; widen vips`,
    );
  }

  function add(lease: HeldLease): void {
    byAddress.set(lease.address, lease);
    const leases = byService.get(lease.service);
    if (leases) leases.push(lease);
    else byService.set(lease.service, [lease]);
  }

  /** So that what comes and goes does not fill memory: no large pool is ever searched for it. */
  function dropExpired(): void {
    for (const lease of freed) {
      if (clock.monotonic() - (lease.freedAt ?? 0) < QUARANTINE_MS) return;
      drop(lease);
    }
  }

  function searchAgain(address: Address, from: number): void {
    for (const found of full.values()) {
      if (isInside(found.pool, address)) found.until = Math.min(found.until, from);
    }
  }

  function drop(lease: HeldLease): void {
    searchAgain(lease.address, clock.monotonic());
    byAddress.delete(lease.address);
    freed.delete(lease);
    store.forget(lease);
    const rest = (byService.get(lease.service) ?? []).filter((other) => other !== lease);
    if (rest.length === 0) byService.delete(lease.service);
    else byService.set(lease.service, rest);
  }
}

/**
 * Every number below `count` once, from where the service's hash says and by a stride of its own: a nearly full
 * pool has long runs of given addresses, which a walk from neighbour to neighbour would have to wade through.
 */
function* probe(service: string, count: bigint): Iterable<bigint> {
  const hash = createHash("sha1").update(service).digest();
  const start = hash.readBigUInt64BE(0) % count;
  let stride = 1n + (hash.readBigUInt64BE(8) % count);
  while (greatestCommonDivisor(stride, count) !== 1n) stride += 1n; // else it would come round too early
  for (let step = 0n; step < count; step++) yield (start + step * stride) % count;
}

function greatestCommonDivisor(one: bigint, other: bigint): bigint {
  return other === 0n ? one : greatestCommonDivisor(other, one % other);
}

/** All of the pool but its first address (the network's, or every router's) and, of IPv4, its last (the broadcast). */
function usable(pool: Subnet): { readonly first: bigint; readonly count: bigint } {
  const size = sizeOf(pool);
  if (size <= 2n) return { first: 0n, count: size };
  const family: Family = familyOf(pool.base);
  return { first: 1n, count: family === 4 ? size - 2n : size - 1n };
}
