import { messageOf } from "../base/error.ts";
import { isLoopback } from "../model/address.ts";
import { type Namespace, type Namespaces, OWN_NAMESPACE, systemNamespaces } from "./namespace.ts";
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
  readonly namespace: Namespace;
  /** As it was asked for first, for people. */
  readonly at: string;
  sift: ReturnType<typeof createSift>;
  /** What its networks are, as text to compare. */
  key: string;
}

/** A namespace that is wanted, and the networks that are seen there; undefined: all. */
interface Wanted {
  readonly at: string;
  readonly networks: ReadonlySet<string> | undefined;
}

export function createPlacements(
  make: (netns: string) => Plane,
  namespaces: Namespaces = systemNamespaces,
): Placements {
  /** By what the namespace is, and not by its path: several may lead to one, as of containers that share theirs. */
  const placed = new Map<string, Placement>();
  let isClosed = false;

  return {
    async apply(state) {
      const troubles: Trouble[] = [];
      const wanted = await find(state.namespaces, troubles);
      for (const [id, placement] of placed) {
        if (wanted.has(id)) continue;
        placed.delete(id);
        // One that cannot be cleaned up must not keep the others from theirs.
        await end(placement).catch((error: unknown) => troubles.push(inNamespace(placement.at, told(error))));
      }
      for (const [id, { at, networks }] of wanted) await place(id, at, networks, troubles);
      let carried = 0;
      await inTurn([...placed.values()], async ({ plane, sift, at }) => {
        const services = sift(state.services, new Set());
        try {
          const report = await plane.apply({ ...state, services, peers: new Map() });
          carried += report.carried;
          troubles.push(...report.troubles.map((trouble) => inNamespace(at, trouble)));
        } catch (error) {
          troubles.push(inNamespace(at, told(error)));
        }
      });
      return { carried, troubles };
    },
    async look() {
      const sights: Sight[] = [];
      for (const { plane, at } of placed.values()) sights.push({ ...(await plane.look()), netns: at });
      return sights;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      const all = [...placed.values()];
      placed.clear();
      const failures: unknown[] = [];
      await inTurn(all, async (placement) => {
        await end(placement).catch((error: unknown) => failures.push(error));
      });
      if (failures.length > 0) throw failures[0];
    },
  };

  /** What is at the paths, by what it is. */
  async function find(
    paths: PlanesState["namespaces"],
    troubles: Trouble[],
  ): Promise<ReadonlyMap<string, Wanted>> {
    const wanted = new Map<string, Wanted>();
    if (paths.size === 0) return wanted;
    const own = await namespaces.idAt(OWN_NAMESPACE);
    for (const [at, networks] of paths) {
      const id = await namespaces.idAt(at);
      if (id === undefined) troubles.push(inNamespace(at, told("there is none")));
      else if (id === own) troubles.push(inNamespace(at, told(IS_OWN)));
      else {
        const known = wanted.get(id);
        wanted.set(id, { at: known?.at ?? at, networks: known ? both(known.networks, networks) : networks });
      }
    }
    return wanted;
  }

  async function place(
    id: string,
    at: string,
    networks: Wanted["networks"],
    troubles: Trouble[],
  ): Promise<void> {
    const key = keyOf(networks);
    const known = placed.get(id);
    if (known) {
      if (known.key !== key) [known.key, known.sift] = [key, siftOf(networks)];
      return;
    }
    try {
      const namespace = await namespaces.open(at);
      // The path may lead elsewhere by now, even here: the next state will tell.
      if (isClosed || namespace.id !== id) {
        await namespace[Symbol.asyncDispose]();
        troubles.push(inNamespace(at, told("it has just become another")));
        return;
      }
      placed.set(id, { plane: make(namespace.path), namespace, at, sift: siftOf(networks), key });
    } catch (error) {
      troubles.push(inNamespace(at, told(error)));
    }
  }
}

/** A second plane there would be at odds with the first about one table. */
const IS_OWN =
  "it is that of Rota itself, whose own plane carries there; it is not placed there a second time";

async function end({ plane, namespace }: Placement): Promise<void> {
  try {
    await plane[Symbol.asyncDispose]();
  } finally {
    await namespace[Symbol.asyncDispose]();
  }
}

async function inTurn<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = items.toReversed();
  const next = async (): Promise<void> => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

function siftOf(networks: Wanted["networks"]): Placement["sift"] {
  return createSift(
    (frontend) =>
      frontend.kind === "vip" &&
      !isLoopback(frontend.vip) &&
      (networks === undefined || networks.has(frontend.network)),
  );
}

function both(one: Wanted["networks"], other: Wanted["networks"]): Wanted["networks"] {
  return one === undefined || other === undefined ? undefined : new Set([...one, ...other]);
}

function keyOf(networks: Wanted["networks"]): string {
  return networks === undefined ? "all" : JSON.stringify([...networks].toSorted());
}

function told(error: unknown): Trouble {
  return { service: undefined, message: typeof error === "string" ? error : messageOf(error) };
}

function inNamespace(netns: string, { service, message }: Trouble): Trouble {
  return { service, message: `in the namespace ${netns}: ${message}` };
}
