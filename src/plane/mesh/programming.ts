import { messageOf } from "../../base/error.ts";
import type { Family } from "../../model/address.ts";
import { run } from "../command.ts";
import { FAMILIES, type Path } from "./paths.ts";
import { type Present, presentOf, PROTOCOL, renderRoutes, TABLE } from "./ruleset.ts";
import type { Commands } from "./surroundings.ts";

/** As far as it goes: a link that is gone meanwhile is no other's. What failed is tried again with the next look. */
export async function programRoutes(
  paths: readonly Path[],
  present: Readonly<Record<Family, Present>>,
  using: Commands,
): Promise<string[]> {
  const failures: string[] = [];
  for (const family of FAMILIES) {
    const lines = renderRoutes(paths, present[family], family);
    if (lines.length === 0) continue;
    try {
      await run("ip", [`-${family}`, "-force", "-batch", "-"], { ...using, input: `${lines.join("\n")}\n` });
    } catch (error) {
      using.signal.throwIfAborted();
      failures.push(`replies may go past the nodes that they belong to (IPv${family}): ${messageOf(error)}`);
    }
  }
  return failures;
}

export async function listTable(using: Commands): Promise<string> {
  // None, where somebody took it away; or where there are no paths.
  return run("nft", ["list", "table", "inet", TABLE], using).catch(() => "");
}

export async function readPresent(family: Family, using: Commands): Promise<Present> {
  const ours = ["route", "show", "table", "all", "protocol", `${PROTOCOL}`];
  const rules = await run("ip", [`-${family}`, "-json", "rule", "show"], using);
  const routes = await run("ip", [`-${family}`, "-json", ...ours], using);
  return presentOf(parse(rules), parse(routes));
}

/** Nothing is printed where there is nothing, as with IPv6 off. */
function parse(text: string): unknown {
  return text.trim() === "" ? [] : JSON.parse(text);
}
