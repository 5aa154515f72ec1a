import { formatAddress, formatSubnet, type Subnet } from "../../model/address.ts";
import type { PlaneState, Report, Trouble } from "../plane.ts";
import type { Run } from "../command.ts";
import { isSamePools } from "../routes.ts";
import { program } from "./program.ts";
import { createRenderer, type HashScheduler, type Rendered, type Site } from "./render.ts";
import { FORWARDING, sentenceOf } from "./settings.ts";
import { survey, type Survey } from "./survey.ts";
import type { Table } from "./table.ts";

/** A state as it was carried, and all that the next may be compared with. */
export interface Carried {
  readonly state: PlaneState;
  readonly around: Survey;
  readonly site: Site;
  readonly render: (services: PlaneState["services"]) => Rendered;
  /** What IPVS should hold for it. */
  readonly table: Table;
  /** What it holds of ours; undefined: that is to be looked at. */
  readonly held: Table | undefined;
  /** How many lines of ipvsadm it took. */
  readonly changes: number;
  readonly report: Report;
}

export interface CarryOptions {
  /** Whether what was carried before is believed still to be there. */
  readonly isTrusted: boolean;
  /** Whether the kernel's settings here are ours to change. */
  readonly isOwn: boolean;
}

/** Brings IPVS to a state, from what the same plane carried before or from whatever is there. */
export async function carry(
  state: PlaneState,
  before: Carried | undefined,
  { isTrusted, isOwn }: CarryOptions,
  run: Run,
): Promise<Carried> {
  const isAround = isTrusted && before !== undefined && isSamePools(before.state, state);
  const around = isAround ? before.around : await survey(state.pools, isOwn, run);
  const { addresses, lostPools } = around;
  const site: Site = {
    addresses,
    lostPools,
    peers: new Set(state.peers.keys()),
    hash: before?.site.hash ?? "mh",
  };
  const pools = [...state.pools, ...(before?.state.pools ?? [])].filter((pool) => !isIn(lostPools, pool));

  const carryBy = async (site: Site, held: Table | undefined): Promise<Carried> => {
    // For the same site, what did not change is rendered as the same objects.
    const render = before && textOf(before.site) === textOf(site) ? before.render : createRenderer(site);
    const rendered = render(state.services);
    const done = await program(rendered, held, pools, run);
    if (site.hash === "mh" && done.lacking.has("mh")) return carryBy({ ...site, hash: "sh" }, undefined);
    const troubles = [
      ...[
        ...around.troubles,
        ...forwardingTroubles(rendered, around),
        ...hashTroubles(rendered, site.hash),
      ].map(ofAll),
      ...rendered.troubles,
      ...done.troubles,
    ];
    const report = { carried: rendered.carried, troubles };
    const { held: holds, changes } = done;
    return { state, around, site, render, table: rendered.table, held: holds, changes, report };
  };
  return carryBy(site, isTrusted ? before?.held : undefined);
}

function forwardingTroubles({ forwarded }: Rendered, { unforwarded }: Survey): string[] {
  return [...forwarded]
    .map((family) => FORWARDING[family])
    .filter((setting) => unforwarded.includes(setting))
    .map(sentenceOf);
}

function hashTroubles({ table }: Rendered, hash: HashScheduler): string[] {
  if (hash === "mh" || ![...table.values()].some(({ scheduler }) => scheduler === hash)) return [];
  return [
    "the kernel has no ip_vs_mh: clients are kept at their tasks by ip_vs_sh, which moves most of them when a task " +
      "comes or goes; modprobe ip_vs_mh, and start anew",
  ];
}

function ofAll(message: string): Trouble {
  return { service: undefined, message };
}

function isIn(pools: readonly Subnet[], pool: Subnet): boolean {
  return pools.some(({ base, length }) => base === pool.base && length === pool.length);
}

function textOf({ addresses, lostPools, peers, hash }: Site): string {
  const parts = [addresses.map(formatAddress), lostPools.map(formatSubnet), [...peers], hash];
  return JSON.stringify(parts);
}
