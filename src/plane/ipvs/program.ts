import { isInside, type Subnet } from "../../model/address.ts";
import type { Trouble } from "../plane.ts";
import type { Run } from "../command.ts";
import { linesBetween } from "./diff.ts";
import { restore, save } from "./ipvsadm.ts";
import { MARK, type Rendered } from "./render.ts";
import type { Table, VirtualService } from "./table.ts";

export interface Programmed {
  /** What is there of ours now; undefined: not all that was wanted, and so it is to be looked at again. */
  readonly held: Table | undefined;
  readonly troubles: readonly Trouble[];
  /** How many lines it took. */
  readonly changes: number;
  /** Schedulers that services could not be given. */
  readonly lacking: ReadonlySet<string>;
}

/** Once for what was seen, and once more for what changed meanwhile. */
const TRIES = 2;

/**
 * Makes IPVS hold what was rendered, and leaves services of others as they are.
 *
 * @param held what is there of ours, if it is known; else it is read.
 * @param pools where services are ours, whoever made them.
 */
export async function program(
  rendered: Rendered,
  held: Table | undefined,
  pools: readonly Subnet[],
  run: Run,
): Promise<Programmed> {
  if (held !== undefined) {
    const lines = linesBetween(held, rendered.table);
    if ((await restore(lines, run)).length === 0) {
      return { held: rendered.table, troubles: [], changes: lines.length, lacking: new Set() };
    }
  }
  let changes = 0;
  let complaint = "";
  for (let tries = 0; ; tries++) {
    const { ours, wanted, troubles } = sortOut(await save(run), rendered, pools);
    const lines = linesBetween(ours, wanted);
    if (lines.length === 0) return { held: wanted, troubles, changes, lacking: new Set() };
    if (tries === TRIES) {
      const keys = new Set(lines.map((line) => line.split(" ").slice(1, 3).join(" ")));
      return {
        held: undefined,
        troubles: [...troubles, ...[...keys].map((key) => failedAt(key, complaint, rendered))],
        changes,
        lacking: new Set([...keys].flatMap((key) => wanted.get(key)?.scheduler ?? [])),
      };
    }
    changes += lines.length;
    const [first = ""] = await restore(lines, run);
    if (first !== "") complaint = first;
  }
}

/** What of `there` is ours, and what may be wanted beside what is not. */
function sortOut(
  there: Table,
  { table, owners }: Rendered,
  pools: readonly Subnet[],
): { ours: Table; wanted: Table; troubles: readonly Trouble[] } {
  const ours = new Map([...there].filter(([key, service]) => isOurs(service, table.get(key), pools)));
  const taken = [...there.keys()].filter((key) => table.has(key) && !ours.has(key));
  // Only then a copy: what is the same object is known to be the same.
  const wanted = taken.length === 0 ? table : new Map([...table].filter(([key]) => !taken.includes(key)));
  const troubles = taken.map((key) => ({
    service: owners.get(key),
    message: `${endpointOf(key)} is another program's in IPVS: remove it by ipvsadm -D ${key}, or take another port`,
  }));
  return { ours, wanted, troubles };
}

/** Services by a hash show no mark: those that are as we would make them are taken for ours. */
function isOurs(
  service: VirtualService,
  wanted: VirtualService | undefined,
  pools: readonly Subnet[],
): boolean {
  if (pools.some((pool) => isInside(pool, service.address))) return true;
  if (service.flags.split(",").includes(MARK)) return true;
  return service.scheduler === wanted?.scheduler && service.flags === wanted.flags;
}

function failedAt(key: string, complaint: string, { owners }: Rendered): Trouble {
  return {
    service: owners.get(key),
    message: `IPVS could not be told of ${endpointOf(key)}: ${complaint || "another program changes it as well"}`,
  };
}

function endpointOf(key: string): string {
  const [kind, endpoint] = key.split(" ");
  return `${endpoint}/${kind === "-t" ? "tcp" : "udp"}`;
}
