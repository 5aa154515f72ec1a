import { type Address, formatAddress } from "../model/address.ts";
import { type Scope, scoped, type View, WHOLE_VIEW } from "../model/view.ts";
import type { Registry } from "../registry/registry.ts";
import { listOf } from "../schema/problem.ts";

/** What somebody sees who asks, and who that is, for people. */
export interface Sight {
  readonly view: View;
  /** `everyone`, `10.0.1.11, on frontend and backend`, `those on no network`. */
  readonly clients: string;
}

/** @param from the address of who asks; undefined: somebody on no network */
export function sightOf(registry: Registry, from: Address | undefined, scope: Scope): Sight {
  if (from === undefined) {
    const isDivided =
      scope === "strict" || [...registry.networks.values()].some(({ subnets }) => subnets.length > 0);
    return { view: scoped(WHOLE_VIEW, scope), clients: isDivided ? "those on no network" : "everyone" };
  }
  const view = registry.viewOf(from, from.length * 8);
  const networks = [...(view.networks ?? [])];
  const on = networks.length > 0 ? listOf(networks, "and") : "no network";
  return { view: scoped(view, scope), clients: `${formatAddress(from)}, on ${on}` };
}
