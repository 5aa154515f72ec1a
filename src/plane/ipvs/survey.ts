import { messageOf } from "../../base/error.ts";
import {
  type Address,
  familyOf,
  formatSubnet,
  isInside,
  isLoopback,
  type Subnet,
  toOctets,
} from "../../model/address.ts";
import type { Run } from "../command.ts";
import { makeLocal, readInterfaces, readRoutes, routedElsewhere } from "../routes.ts";
import { FORWARDING, IPVS_SETTINGS, otherwiseOf, sentenceOf, set, type Setting } from "./settings.ts";

/** What of the machine decides how a state is carried. */
export interface Survey {
  /** The addresses at which it is asked from elsewhere. */
  readonly addresses: readonly Address[];
  /** Pools whose VIPs cannot be had here. */
  readonly lostPools: readonly Subnet[];
  /** Settings without which what tasks of other machines and namespaces reply goes nowhere. */
  readonly unforwarded: readonly Setting[];
  /** A sentence each. */
  readonly troubles: readonly string[];
}

/**
 * Looks at the machine, and makes the pools its own.
 *
 * @param isOwn whether the kernel's settings are ours to change; else it is said what should be changed.
 */
export async function survey(pools: readonly Subnet[], isOwn: boolean, run: Run): Promise<Survey> {
  const [interfaces, routes] = await Promise.all([readInterfaces(run), readRoutes(run)]);
  const own = [...new Set(interfaces.map(({ address }) => address))];
  const hasIpv6 = own.some((address) => familyOf(address) === 6);
  const troubles: string[] = [];
  const lostPools: Subnet[] = [];
  for (const pool of pools) {
    const isLost = familyOf(pool.base) === 6 && !hasIpv6;
    const why = isLost
      ? `${formatSubnet(pool)} is of IPv6, which is off`
      : routedElsewhere(pool, routes, interfaces);
    if (why === undefined) continue;
    lostPools.push(pool);
    troubles.push(`${why}: its VIPs are not carried; choose other vips`);
  }
  const kept = pools.filter((pool) => !lostPools.includes(pool) && !isLoopback(pool.base));
  troubles.push(...(await makeLocal(run, kept)), ...(await settle(isOwn, run)));
  const addresses = own.filter(
    (address) => !isLoopback(address) && !isOfLink(address) && !pools.some((pool) => isInside(pool, address)),
  );
  // Within a namespace of its own, tasks answer its own processes: nothing is forwarded.
  const unforwarded = isOwn ? [] : await otherwiseOf([FORWARDING[4], FORWARDING[6]], run);
  return { addresses, lostPools, troubles, unforwarded };
}

async function settle(isOwn: boolean, run: Run): Promise<readonly string[]> {
  const wrong = await otherwiseOf(IPVS_SETTINGS, run);
  if (wrong.length === 0) return [];
  if (!isOwn) return wrong.map(sentenceOf);
  try {
    await set(wrong, run);
    return [];
  } catch (error) {
    return wrong.map((setting) => `${sentenceOf(setting)} (${messageOf(error)})`);
  }
}

/** `fe80::/10`: there is one on each link, and whoever asks it says on which. */
function isOfLink(address: Address): boolean {
  const [first = 0, second = 0] = toOctets(address);
  return familyOf(address) === 6 && first === 0xfe && (second & 0xc0) === 0x80;
}
