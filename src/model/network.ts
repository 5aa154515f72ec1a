import { parseSubnet } from "./address.ts";
import type { Network } from "./declaration.ts";

/**
 * What a service is on that names no network. Linux answers all of 127.0.0.0/8 on loopback without any set-up,
 * so a newcomer's VIP works at once, and without root.
 */
export function createDefaultNetwork(): Network {
  return { name: "default", subnets: [], vips: [parseSubnet("127.64.0.0/16")] };
}
