import { messageOf, RotaError } from "../../base/error.ts";
import { FAMILIES, type Family } from "../../model/address.ts";
import type { Run } from "../command.ts";
import { ROUTE_PROTOCOL } from "../routes.ts";
import { parseRows } from "../rows.ts";
import type { Path } from "./paths.ts";
import { type Present, presentOf, renderRoutes, TABLE } from "./ruleset.ts";

/** As far as it goes: a link that is gone meanwhile is no other's. What failed is tried again with the next look. */
export async function programRoutes(
  paths: readonly Path[],
  present: Readonly<Record<Family, Present>>,
  run: Run,
): Promise<string[]> {
  const failures: string[] = [];
  for (const family of FAMILIES) {
    const lines = renderRoutes(paths, present[family], family);
    if (lines.length === 0) continue;
    try {
      await run("ip", [`-${family}`, "-force", "-batch", "-"], { input: `${lines.join("\n")}\n` });
    } catch (error) {
      if (!(error instanceof RotaError) || error.code !== "ERR_ROTA_PLANE") throw error;
      failures.push(`replies may go past the nodes that they belong to (IPv${family}): ${messageOf(error)}`);
    }
  }
  return failures;
}

export async function listTable(run: Run): Promise<string> {
  // None, where somebody took it away; or where there are no paths.
  return run("nft", ["list", "table", "inet", TABLE]).catch(() => "");
}

export async function readPresent(family: Family, run: Run): Promise<Present> {
  const ours = ["route", "show", "table", "all", "protocol", ROUTE_PROTOCOL];
  const rules = await run("ip", [`-${family}`, "-json", "rule", "show"]);
  const routes = await run("ip", [`-${family}`, "-json", ...ours]);
  return presentOf(parseRows(rules), parseRows(routes));
}
