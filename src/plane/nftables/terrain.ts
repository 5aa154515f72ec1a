import type { Subnet } from "../../model/address.ts";

/** What of the place that the plane is in decides what it can carry. A new object where anything of it differs. */
export interface Terrain {
  readonly hasIpv6: boolean;
  /** Pools that lead elsewhere, as the place's routes have it: none of their VIPs are carried. */
  readonly elsewhere: readonly Subnet[];
}

export const OPEN_TERRAIN: Terrain = { hasIpv6: true, elsewhere: [] };
