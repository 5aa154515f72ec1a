import { attempt, messageOf } from "../base/error.ts";
import {
  type Address,
  familyOf,
  formatAddress,
  formatSubnet,
  isInside,
  mask,
  parseAddress,
  type Subnet,
} from "../model/address.ts";
import type { Run } from "./command.ts";
import type { PlaneState } from "./plane.ts";
import { parseRows, rowsOf, textOf } from "./rows.ts";

/** What our routes and rules are found by: nobody has taken that number (iproute2's rt_protos). */
export const ROUTE_PROTOCOL = "76";

export interface Route {
  readonly destination: Subnet;
  readonly device: string;
  /** Whether another router is to know the way. */
  readonly isVia: boolean;
  /** As `ip route` has it, for people. */
  readonly text: string;
}

/** An address that the machine has. */
export interface Interface {
  readonly device: string;
  readonly isBridge: boolean;
  readonly address: Address;
  /** What is on the same link. */
  readonly subnet: Subnet;
}

/** Whether two states have VIPs of the same pools, in the same order. */
export function isSamePools(one: PlaneState, other: PlaneState | undefined): boolean {
  if (one.pools === other?.pools) return true;
  return one.pools.map(formatSubnet).join() === other?.pools.map(formatSubnet).join();
}

/**
 * Makes the pools local: what goes there is delivered here, so that it can be answered or refused. What of ours is there
 * and in none of them is taken away.
 *
 * @returns what could not be done, a sentence a pool.
 */
export async function makeLocal(run: Run, pools: readonly Subnet[]): Promise<readonly string[]> {
  const there = new Set((await localRoutes(run)).map(formatSubnet));
  const wanted = new Set(pools.map(formatSubnet));
  const failures: string[] = [];
  for (const pool of wanted) {
    if (there.has(pool)) continue;
    await run("ip", routeWords("replace", pool)).catch((error: unknown) => {
      failures.push(`could not make ${pool} local: ${messageOf(error)}; set lo up, or choose other vips`);
    });
  }
  for (const pool of there) {
    if (wanted.has(pool)) continue;
    await run("ip", routeWords("del", pool)).catch((error: unknown) => {
      failures.push(`could not give ${pool} back, which was local: ${messageOf(error)}`);
    });
  }
  return failures;
}

/** Why VIPs of the pool cannot be taken for this machine's; undefined: they can. */
export function routedElsewhere(
  pool: Subnet,
  routes: readonly Route[],
  interfaces: readonly Interface[],
): string | undefined {
  const owner = interfaces.find(({ address }) => isInside(pool, address));
  if (owner !== undefined) {
    return `${formatSubnet(pool)} has ${formatAddress(owner.address)} of ${owner.device} in it`;
  }
  const route = routes.find(({ destination, isVia }) => {
    if (destination.length === 0) return false;
    if (destination.length >= pool.length) return isInside(pool, destination.base);
    return isVia && isInside(destination, pool.base);
  });
  return route && `${formatSubnet(pool)} is routed elsewhere (${route.text})`;
}

/** The routes of the main table, without those that lead nowhere. */
export async function readRoutes(run: Run): Promise<readonly Route[]> {
  const texts = await Promise.all(
    ["-4", "-6"].map((family) => run("ip", ["-j", family, "route", "show", "table", "main"])),
  );
  return texts.flatMap((text, at) =>
    parseRows(text).flatMap((row) => {
      const to = textOf(row["dst"]);
      const destination = subnetOf(to, at === 0 ? 4 : 6);
      if (destination === undefined || !["", "unicast"].includes(textOf(row["type"]))) return [];
      const [next = row] = rowsOf(row["nexthops"]);
      const gateway = textOf(next["gateway"]) || textOf(rowsOf([next["via"]])[0]?.["host"]);
      const device = textOf(next["dev"]);
      const told = `${to}${gateway === "" ? "" : ` via ${gateway}`} dev ${device}`;
      return [{ destination, device, isVia: gateway !== "", text: told }];
    }),
  );
}

export async function readInterfaces(run: Run): Promise<readonly Interface[]> {
  return parseRows(await run("ip", ["-j", "-d", "address", "show"])).flatMap((link) => {
    const device = textOf(link["ifname"]);
    const [kind] = rowsOf([link["linkinfo"]]);
    return rowsOf(link["addr_info"]).flatMap((row) => {
      const address = attempt(() => parseAddress(textOf(row["local"])));
      if (address === undefined) return [];
      const length = Number(row["prefixlen"]);
      const subnet = { base: mask(address, length), length };
      return [{ device, isBridge: kind?.["info_kind"] === "bridge", address, subnet }];
    });
  });
}

async function localRoutes(run: Run): Promise<readonly Subnet[]> {
  const texts = await Promise.all(
    ["-4", "-6"].map((family) =>
      run("ip", ["-j", family, "route", "show", "table", "local", "proto", ROUTE_PROTOCOL]),
    ),
  );
  return texts.flatMap((text, at) =>
    parseRows(text).flatMap((row) => subnetOf(textOf(row["dst"]), at === 0 ? 4 : 6) ?? []),
  );
}

function routeWords(verb: "replace" | "del", pool: string): string[] {
  return [
    pool.includes(":") ? "-6" : "-4",
    "route",
    verb,
    "local",
    pool,
    "dev",
    "lo",
    "proto",
    ROUTE_PROTOCOL,
  ];
}

/** As `ip` writes a destination: a single address without its length. */
function subnetOf(text: string, family: 4 | 6): Subnet | undefined {
  if (text === "default") return subnetOf(family === 4 ? "0.0.0.0/0" : "::/0", family);
  const [first = "", length] = text.split("/");
  const base = attempt(() => parseAddress(first));
  if (base === undefined || familyOf(base) !== family) return undefined;
  return { base, length: length === undefined ? base.length * 8 : Number(length) };
}
