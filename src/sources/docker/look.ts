import { isDeepStrictEqual } from "node:util";
import { type Inspected, isContainerId, parseContainer } from "./container.ts";
import { at, textOf } from "./fields.ts";
import { GATEWAY_NETWORK, parseAttached, parseNetworks } from "./network.ts";
import type { Session } from "./session.ts";
import type { EngineNetwork, SwarmSnapshot } from "./snapshot.ts";
import { isSwarmManaged, parseSwarm } from "./swarm.ts";

/** All that an engine shows. */
export interface Seen extends SeenNetworks {
  readonly containers: readonly Inspected[];
  readonly swarm: SeenSwarm | undefined;
}

export interface SeenNetworks {
  readonly networks: readonly EngineNetwork[];
  /** Addresses on `docker_gwbridge`, by the ids of containers. */
  readonly gateways: ReadonlyMap<string, readonly string[]>;
}

export interface SeenSwarm {
  readonly snapshot: SwarmSnapshot;
  /** What it was read from: the same octets say the same. */
  readonly services: Buffer;
  readonly tasks: Buffer;
}

/** So many containers are asked of at a time. */
const AT_A_TIME = 8;
/** Those that run or are about to: the Swarm keeps five times as many that are over. */
const TASKS = `/tasks?filters=${encodeURIComponent('{"desired-state":["running","ready"]}')}`;

/** Looks at everything. What fails makes it all fail: half a look would take names away. */
export async function lookAtAll(
  session: Session,
  before: SeenSwarm | undefined,
  signal: AbortSignal,
): Promise<Seen> {
  const seen = await lookAtNetworks(session, signal);
  const listed = await askForList(session, "/containers/json?all=true", signal);
  const ids = listed.map((container) => textOf(at(container, "Id")));
  const containers = await lookAtContainers(session, ids, seen.networks, signal);
  const swarm = await lookAtSwarm(session, before, signal);
  return { ...seen, containers: [...containers.values()].filter((found) => found !== undefined), swarm };
}

/** Undefined for each container that is gone, or makes no sense. */
export async function lookAtContainers(
  session: Session,
  ids: readonly string[],
  networks: readonly EngineNetwork[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Inspected | undefined>> {
  const networkIds = new Map(networks.map(({ id, name }) => [name, id]));
  const found = new Map<string, Inspected | undefined>();
  const left = ids.filter(isContainerId).values();
  const lookAtThose = async (): Promise<void> => {
    for (const id of left) {
      const inspected = await session.find(`/containers/${id}/json`, signal);
      found.set(id, parseContainer(inspected, networkIds));
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, lookAtThose));
  return found;
}

export async function lookAtNetworks(session: Session, signal: AbortSignal): Promise<SeenNetworks> {
  const networks = parseNetworks(await askForList(session, "/networks", signal));
  const gateway = networks.find(({ name, driver }) => name === GATEWAY_NETWORK && driver === "bridge");
  const inspected = gateway && (await session.find(`/networks/${encodeURIComponent(gateway.id)}`, signal));
  return { networks, gateways: parseAttached(inspected) };
}

/** @param before what was seen last, and is given back if it is still so */
export async function lookAtSwarm(
  session: Session,
  before: SeenSwarm | undefined,
  signal: AbortSignal,
): Promise<SeenSwarm | undefined> {
  const info = session.parse("/info", await session.octets("/info", signal));
  return isSwarmManaged(info) ? lookAtTasks(session, before, signal) : undefined;
}

/** As {@link lookAtSwarm}, of an engine that is known to manage a Swarm. */
export async function lookAtTasks(
  session: Session,
  before: SeenSwarm | undefined,
  signal: AbortSignal,
): Promise<SeenSwarm> {
  const [services, tasks] = await Promise.all([
    session.octets("/services", signal),
    session.octets(TASKS, signal),
  ]);
  if (before?.services.equals(services) === true && before.tasks.equals(tasks)) return before;
  const parsed = parseSwarm(session.list("/services", services), session.list("/tasks", tasks));
  const snapshot = {
    services: keepSame(before?.snapshot.services ?? [], parsed.services),
    tasks: keepSame(before?.snapshot.tasks ?? [], parsed.tasks),
  };
  return { snapshot, services, tasks };
}

/** What says the same as before is the same object again. */
function keepSame<Item extends { readonly id: string }>(
  before: readonly Item[],
  after: readonly Item[],
): readonly Item[] {
  const known = new Map(before.map((item) => [item.id, item]));
  return after.map((item) => {
    const same = known.get(item.id);
    return same !== undefined && isDeepStrictEqual(same, item) ? same : item;
  });
}

async function askForList(session: Session, path: string, signal: AbortSignal): Promise<readonly unknown[]> {
  return session.list(path, await session.octets(path, signal));
}
