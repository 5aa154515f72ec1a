import { isLoopback } from "../model/address.ts";
import { changedBetween, withChanges } from "./layers.ts";
import type { Frontend, PlaneService, PlaneState } from "./plane.ts";

/** What each of two planes that stand beside one another is to carry. */
export interface Split {
  /** What the kernel carries, without what is `kept` from it. */
  kernel(state: PlaneState, kept?: ReadonlySet<Frontend>): PlaneState;
  /** What a process carries. */
  process(state: PlaneState): PlaneState;
}

/**
 * Who carries what, where a plane of the kernel's stands beside `userspace`: the kernel whatever it can, and the
 * process what it cannot: VIPs of 127.0.0.0/8, which never leave loopback; PROXY headers; and published ports once
 * more. A listener there keeps others off the port, and answers for 127.0.0.1 and `::1`, which the kernel does
 * not forward.
 *
 * What is made of a service that is the same object, is the same object.
 */
export function createSplit(): Split {
  const forKernel = createSift(isForKernel);
  const forProcess = createSift((frontend) => frontend.kind === "published" || !isForKernel(frontend));

  return {
    kernel: (state, kept = NONE) => ({
      ...state,
      services: forKernel(state.services, kept),
      pools: state.pools.filter(({ base }) => !isLoopback(base)),
    }),
    process: (state) => ({ ...state, services: forProcess(state.services, NONE) }),
  };
}

const NONE: ReadonlySet<Frontend> = new Set();

function isForKernel(frontend: Frontend): boolean {
  if (frontend.kind === "vip") return !isLoopback(frontend.vip);
  return frontend.proxyProtocol === 0;
}

type Services = PlaneState["services"];

const EMPTY: Services = new Map();

/** Leaves out what is not wanted, and services of which nothing is left. */
export function createSift(
  isWanted: (frontend: Frontend) => boolean,
): (services: Services, without: ReadonlySet<Frontend>) => Services {
  const sifted = new WeakMap<PlaneService, PlaneService | undefined>();
  let last: { readonly services: Services; readonly left: Services } = { services: EMPTY, left: EMPTY };
  return (services, without) => {
    const left = amend(services) ?? siftAll(services);
    last = { services, left };
    return without.size === 0 ? left : leaveOut(left, without);
  };

  /** What was left last, with what changed since; undefined: somebody came, whose place among the others is to be found. */
  function amend(services: Services): Services | undefined {
    const changes = new Map<string, PlaneService | undefined>();
    for (const id of changedBetween(last.services, services)) {
      const service = services.get(id);
      const wanted = service && siftOf(service);
      const before = last.left.get(id);
      if (wanted && !before) return undefined;
      if (wanted !== before) changes.set(id, wanted);
    }
    return withChanges(last.left, changes);
  }

  function siftAll(services: Services): Services {
    const left = new Map<string, PlaneService>();
    for (const [id, service] of services) {
      const wanted = siftOf(service);
      if (wanted) left.set(id, wanted);
    }
    return left;
  }

  function siftOf(service: PlaneService): PlaneService | undefined {
    if (sifted.has(service)) return sifted.get(service);
    const part = partOf(service, isWanted);
    const wanted = part.frontends.length > 0 ? part : undefined;
    sifted.set(service, wanted);
    return wanted;
  }
}

function leaveOut(services: Services, without: ReadonlySet<Frontend>): Services {
  const changes = new Map<string, PlaneService>();
  for (const [id, service] of services) {
    if (service.frontends.some((frontend) => without.has(frontend)))
      changes.set(
        id,
        partOf(service, (frontend) => !without.has(frontend)),
      );
  }
  return withChanges(services, changes);
}

/** The service itself where nothing is left out. */
function partOf(service: PlaneService, isWanted: (frontend: Frontend) => boolean): PlaneService {
  if (service.frontends.every(isWanted)) return service;
  const frontends = service.frontends.filter(isWanted);
  const listening = new Set(frontends.map((frontend) => (frontend.kind === "vip" ? frontend.vip : "")));
  return { ...service, frontends, vips: service.vips.filter((vip) => listening.has(vip)) };
}
