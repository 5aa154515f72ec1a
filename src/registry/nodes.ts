import type { Node, Roster } from "../model/declaration.ts";

/** The nodes of all rosters: of two that declare one name, the first counts. */
export function mergeNodes(rosters: Iterable<Roster>): ReadonlyMap<string, Node> {
  const merged = new Map<string, Node>();
  for (const { nodes } of rosters) {
    for (const node of nodes) if (!merged.has(node.name)) merged.set(node.name, node);
  }
  return merged;
}
