import { formatAddress, formatEndpoint } from "../../model/address.ts";
import type { Backend, BackendSight, Frontend, Sight } from "../plane.ts";
import type { Carried } from "./carry.ts";
import type { CountedTable, Counters } from "./counters.ts";
import { keysOf, type Site } from "./render.ts";

/** A state as it is carried: with the counters of IPVS at each task. */
export function sightOf({ state, table, site }: Carried, counted: CountedTable): Sight {
  return {
    kind: "ipvs",
    services: [...state.services].map(([id, { name, frontends }]) => ({
      id,
      name,
      frontends: frontends.map((frontend) => ({
        frontend,
        backends: frontend.backends.map((backend) => backendSight(frontend, backend, site, counted)),
      })),
    })),
    strangers: [...counted.keys()].filter((key) => !table.has(key)),
  };
}

/** A published port is carried at each address: the sum of them. */
function backendSight(frontend: Frontend, backend: Backend, site: Site, counted: CountedTable): BackendSight {
  const endpoint = formatEndpoint(formatAddress(backend.address), backend.port ?? 0);
  const each = keysOf(frontend, site).flatMap(({ key }) => counted.get(key)?.get(endpoint) ?? []);
  return { backend, flows: sumOf(each, "flows"), active: sumOf(each, "active") };
}

function sumOf(counters: readonly Counters[], what: keyof Counters): number | undefined {
  if (counters.length === 0) return undefined;
  return counters.reduce((sum, counter) => sum + counter[what], 0);
}
