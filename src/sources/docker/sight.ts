import type { Clock } from "../../base/clock.ts";
import { compareText, isSameList } from "../../base/compare.ts";
import type { Inspected } from "./container.ts";
import type { Seen, SeenNetworks, SeenSwarm } from "./look.ts";
import { SIGKILL } from "./signal.ts";
import type { EngineContainer, EngineNetwork, EngineSnapshot } from "./snapshot.ts";

/** What was last seen of an engine, put together of looks at parts of it. */
export interface Sight {
  readonly networks: readonly EngineNetwork[];
  readonly swarm: SeenSwarm | undefined;
  /** Whether somebody is on a network that is not among the networks. */
  hasUnknownNetwork(): boolean;
  /** Whether one of these reaches its node by `docker_gwbridge`: no event tells who joins and leaves that. */
  isOnOverlay(containerIds: readonly string[]): boolean;
  takeAll(seen: Seen): void;
  takeNetworks(seen: SeenNetworks): void;
  /** @param inspected undefined: it is gone */
  takeContainer(id: string, inspected: Inspected | undefined): void;
  takeSwarm(seen: SeenSwarm | undefined): void;
  /**
   * A container was sent a signal. If it is to stop by that, it is shown as stopping until its run has ended, or
   * it should long have, or somebody says `goesOn`. Gives milliseconds in which it should have stopped; undefined: it is not to stop.
   */
  signalled(id: string, signal: number): number | undefined;
  goesOn(id: string): void;
  /** What does not differ from what was there before is the same object again, up to the whole. */
  snapshot(): EngineSnapshot;
}

/** What the engine itself takes to end a container that has not stopped by itself. */
const KILL_MS = 5000;

/** A container was asked to stop: in which run, and until when that is believed. */
interface Stop {
  readonly startedAt: string;
  readonly untilMs: number;
}

const NONE: readonly string[] = [];

interface Shown {
  readonly inspected: Inspected;
  readonly container: EngineContainer;
  /** The same text: the same container. */
  readonly print: string;
}

export function createSight(clock: Clock): Sight {
  let networks: readonly EngineNetwork[] = [];
  let gateways: SeenNetworks["gateways"] = new Map();
  let swarm: SeenSwarm | undefined;
  let inspections = new Map<string, Inspected>();
  const stops = new Map<string, Stop>();
  let shown = new Map<string, Shown>();
  let last: EngineSnapshot = { networks, containers: [], swarm: undefined };

  return {
    get networks() {
      return networks;
    },
    get swarm() {
      return swarm;
    },
    hasUnknownNetwork() {
      const known = new Set(networks.map(({ id }) => id));
      const { services = [], tasks = [] } = swarm?.snapshot ?? {};
      const all = [...[...inspections.values()].map(({ container }) => container), ...services, ...tasks];
      return all.some(({ endpoints }) => endpoints.some(({ networkId }) => !known.has(networkId)));
    },
    isOnOverlay(containerIds) {
      const overlays = new Set(networks.filter(({ driver }) => driver === "overlay").map(({ id }) => id));
      const endpoints = containerIds.flatMap((id) => inspections.get(id)?.container.endpoints ?? []);
      return endpoints.some(({ networkId }) => overlays.has(networkId));
    },
    takeAll(seen) {
      takeNetworks(seen);
      swarm = seen.swarm;
      inspections = new Map(seen.containers.map((inspected) => [inspected.container.id, inspected]));
    },
    takeNetworks,
    takeContainer(id, inspected) {
      if (inspected === undefined) inspections.delete(id);
      else inspections.set(id, inspected);
    },
    takeSwarm(seen) {
      swarm = seen;
    },
    signalled(id, signal) {
      const inspected = inspections.get(id);
      if (inspected === undefined || !isAlive(inspected)) return undefined;
      if (signal !== inspected.stopSignal && signal !== SIGKILL) return undefined;
      const ms = inspected.stopTimeoutMs + KILL_MS;
      stops.set(id, { startedAt: inspected.startedAt, untilMs: clock.monotonic() + ms });
      return ms;
    },
    goesOn: (id) => void stops.delete(id),
    snapshot() {
      const now = new Map([...inspections].map(([id, inspected]) => [id, show(id, inspected)]));
      for (const id of stops.keys()) if (!now.has(id)) stops.delete(id);
      shown = now;
      const containers = [...now.values()].map(({ container }) => container).toSorted(byAge);
      const next: EngineSnapshot = { networks, containers, swarm: swarm?.snapshot };
      if (!isSame(last, next)) last = next;
      return last;
    },
  };

  function takeNetworks(seen: SeenNetworks): void {
    ({ gateways } = seen);
    if (JSON.stringify(seen.networks) !== JSON.stringify(networks)) ({ networks } = seen);
  }

  function show(id: string, inspected: Inspected): Shown {
    const isStopping = stops.has(id) && isToStop(id, inspected);
    if (!isStopping) stops.delete(id);
    const gatewayAddresses = gateways.get(id) ?? NONE;
    const before = shown.get(id);
    const isAsBefore = before?.inspected === inspected && before.container.isStopping === isStopping;
    if (isAsBefore && before.container.gatewayAddresses === gatewayAddresses) return before;
    const container: EngineContainer = { ...inspected.container, isStopping, gatewayAddresses };
    const print = JSON.stringify({ ...container, labels: [...container.labels] });
    return { inspected, print, container: before?.print === print ? before.container : container };
  }

  function isToStop(id: string, inspected: Inspected): boolean {
    const stop = stops.get(id);
    if (stop === undefined || stop.startedAt !== inspected.startedAt) return false;
    return isAlive(inspected) && clock.monotonic() < stop.untilMs;
  }
}

function isAlive({ container: { state } }: Inspected): boolean {
  return state === "running" || state === "paused";
}

function isSame(one: EngineSnapshot, other: EngineSnapshot): boolean {
  return (
    one.networks === other.networks &&
    one.swarm === other.swarm &&
    isSameList(one.containers, other.containers)
  );
}

/** The oldest first, whatever the engine's order. */
function byAge(one: EngineContainer, other: EngineContainer): number {
  return one.createdAt - other.createdAt || compareText(one.id, other.id);
}
