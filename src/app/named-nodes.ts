import type { PlaneService, PlaneState, Trouble } from "../plane/plane.ts";

/** The nodes that services have tasks on, other than this one. */
export interface NamedNodes {
  take(id: string, before: PlaneService | undefined, after: PlaneService | undefined): void;
  /** Those that are not declared: tasks there would never be taken for those of any node, by a slip of the pen. */
  unknown(state: PlaneState): readonly Trouble[];
}

export function createNamedNodes(): NamedNodes {
  // By node: the names of services by their ids. There may be tens of thousands, and few nodes.
  const nodes = new Map<string, Map<string, string>>();
  return {
    take(id, before, after) {
      const [old, now] = [nodesOf(before), nodesOf(after)];
      for (const node of old) {
        if (now.has(node)) continue;
        const there = nodes.get(node);
        there?.delete(id);
        if (there?.size === 0) nodes.delete(node);
      }
      for (const node of now) {
        const there = nodes.get(node) ?? new Map<string, string>();
        // In its old place: who is told of is to be the same for as long as it can be.
        nodes.set(node, there.set(id, after?.name ?? ""));
      }
    },
    unknown({ peers }) {
      return [...nodes].flatMap(([node, there]) => {
        const [first] = there;
        if (peers.has(node) || first === undefined) return [];
        const [service, name] = first;
        const message = `tasks of ${name} are on node ${node}, which is not declared: give its address under nodes`;
        return [{ service, message }];
      });
    },
  };
}

function nodesOf(service: PlaneService | undefined): ReadonlySet<string> {
  const backends = service?.frontends.flatMap((frontend) => frontend.backends) ?? [];
  return new Set(backends.flatMap(({ node }) => node ?? []));
}
