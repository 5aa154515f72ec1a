import { messageOf } from "../base/error.ts";
import { createScope } from "../base/scope.ts";
import { isLoopback } from "../model/address.ts";
import type { Plane, Report, Sight, Trouble } from "./plane.ts";
import type { PlanesState } from "./planes.ts";
import { createSift } from "./split.ts";

/** Planes inside network namespaces: what is sent from within goes to a task before it leaves. */
export interface Placements extends AsyncDisposable {
  apply(state: PlanesState): Promise<Report>;
  look(): Promise<readonly Sight[]>;
}

/** So that thousands of namespaces do not start a process each at once. */
const AT_ONCE = 4;

interface Placement {
  readonly plane: Plane;
  readonly sift: ReturnType<typeof createSift>;
  /** What its networks are, as text to compare. */
  readonly key: string;
}

export function createPlacements(make: (netns: string) => Plane): Placements {
  const placed = new Map<string, Placement>();

  return {
    async apply(state) {
      const { namespaces } = state;
      const troubles: Trouble[] = [];
      const failed = (netns: string, error: unknown): void =>
        void troubles.push(inNamespace(netns, { service: undefined, message: messageOf(error) }));
      for (const [netns, { key, plane }] of placed) {
        if (namespaces.has(netns) && keyOf(namespaces.get(netns)) === key) continue;
        placed.delete(netns);
        try {
          await plane[Symbol.asyncDispose]();
        } catch (error) {
          failed(netns, error); // with its container, the namespace may be gone already
        }
      }
      for (const [netns, networks] of namespaces) {
        if (placed.has(netns)) continue;
        const sift = createSift(
          (frontend) =>
            frontend.kind === "vip" &&
            !isLoopback(frontend.vip) &&
            (networks === undefined || networks.has(frontend.network)),
        );
        placed.set(netns, { plane: make(netns), sift, key: keyOf(networks) });
      }
      let carried = 0;
      const waiting = [...placed];
      const work = async (): Promise<void> => {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const [netns, { plane, sift }] = next;
          const services = sift(state.services, new Set());
          try {
            const report = await plane.apply({ ...state, services, peers: new Map() });
            carried += report.carried;
            troubles.push(...report.troubles.map((trouble) => inNamespace(netns, trouble)));
          } catch (error) {
            failed(netns, error);
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return { carried, troubles };
    },
    async look() {
      const sights: Sight[] = [];
      for (const { plane } of placed.values()) sights.push(await plane.look());
      return sights;
    },
    async [Symbol.asyncDispose]() {
      await using scope = createScope();
      for (const { plane } of placed.values()) scope.use(plane);
      placed.clear();
    },
  };
}

function keyOf(networks: ReadonlySet<string> | undefined): string {
  return networks === undefined ? "all" : JSON.stringify([...networks].toSorted());
}

function inNamespace(netns: string, { service, message }: Trouble): Trouble {
  return { service, message: `in the namespace ${netns}: ${message}` };
}
