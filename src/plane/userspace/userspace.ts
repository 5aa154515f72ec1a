import { type Clock, systemClock } from "../../base/clock.ts";
import { attempt, messageOf, RotaError } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { machineAddresses } from "../../base/machine-addresses.ts";
import { systemTimers, type Timers } from "../../base/timers.ts";
import { formatAddress, isInside, parseAddress, type Subnet } from "../../model/address.ts";
import { createLatest } from "../latest.ts";
import {
  EMPTY_STATE,
  type Frontend,
  type Plane,
  type PlaneState,
  type Report,
  type Trouble,
} from "../plane.ts";
import { createCarrier } from "./carrier.ts";
import { countsOf, createTally, type UserspaceCounters } from "./counters.ts";
import { USERSPACE_LIMITS, type UserspaceLimits } from "./limits.ts";
import { createServiceFront, type ServiceFront } from "./service-front.ts";
import { createShared } from "./shared.ts";
import type { Carrier } from "./side.ts";

export interface UserspaceOptions {
  readonly log: Log;
  /** @default the system's */
  readonly timers?: Timers;
  /** @default the system's */
  readonly clock?: Clock;
  readonly limits?: Partial<UserspaceLimits>;
  /** How TCP flows get their sides. @default the fastest that this Node has */
  readonly carrier?: Carrier;
}

export interface UserspacePlane extends Plane {
  readonly counters: UserspaceCounters;
}

/** How often what could not be had is tried again, and whether the machine has other addresses is looked at. */
const LOOK_EVERY_MS = 5000;

/**
 * Carries flows through sockets of this process: needs no right but that to ports below 1024, tries another task
 * where one does not take a connection, and has tasks see this machine's address in place of the client's.
 */
export function createUserspacePlane({
  log,
  timers = systemTimers,
  clock = systemClock,
  limits = {},
  carrier = createCarrier(),
}: UserspaceOptions): UserspacePlane {
  const tally = createTally();
  const shared = createShared({ ...USERSPACE_LIMITS, ...limits }, tally, { log, clock, timers, carrier });
  const fronts = new Map<string, ServiceFront>();
  /** Who of ours listens where. */
  const places = new Map<string, string>();
  const enqueue = createLatest(bring);
  let asked = EMPTY_STATE;
  let addresses: readonly string[] = [];
  let cancel: (() => void) | undefined;
  let isClosed = false;

  return {
    kind: "userspace",
    counters: tally,
    async apply(state) {
      if (isClosed) throw new RotaError("ERR_ROTA_CLOSED", "the userspace plane is closed");
      asked = state;
      return enqueue(state);
    },
    async look() {
      const services = [...fronts].map(([id, front]) => front.look(id));
      return { kind: "userspace", services, strangers: [], counts: countsOf(tally) };
    },
    async [Symbol.asyncDispose]() {
      if (isClosed) return;
      isClosed = true;
      await enqueue(EMPTY_STATE);
      shared[Symbol.dispose]();
    },
  };

  async function bring(state: PlaneState): Promise<Report> {
    cancel?.();
    cancel = undefined;
    lookAtAddresses(state.pools);
    shared.holders.forget();
    for (const [id, front] of fronts) {
      if (state.services.has(id)) continue;
      front.end();
      fronts.delete(id);
    }
    const others = [...state.services].filter(([id, service]) => fronts.get(id)?.service !== service);
    // What is given up first, for what another service takes over.
    for (const [id, service] of others) fronts.get(id)?.giveUp(service);
    for (const [id, service] of others) {
      const front = fronts.get(id) ?? createServiceFront(shared, places);
      fronts.set(id, front);
      await front.bring(service, addressesFor);
    }
    const done = new Set(others.map(([id]) => id));
    const restless = [...fronts].filter(([, front]) => front.isRestless);
    for (const [id, front] of restless) if (!done.has(id)) await front.bring(front.service, addressesFor);
    if (restless.length > 0 && !isClosed) cancel = timers.after(LOOK_EVERY_MS, again);
    return report();
  }

  function again(): void {
    cancel = undefined;
    if (!isClosed) void enqueue(asked);
  }

  function report(): Report {
    let carried = 0;
    const troubles: Trouble[] = [];
    for (const [id, front] of fronts) {
      carried += front.carried;
      for (const trouble of front.troubles) troubles.push({ service: id, ...trouble });
    }
    return { carried, troubles };
  }

  function addressesFor(frontend: Frontend): readonly string[] {
    return frontend.kind === "vip" ? [formatAddress(frontend.vip)] : addresses;
  }

  /**
   * A published port is listened to at each address, and not at all of them at once: that would keep VIPs, and tasks
   * on 127.0.0.1, from the same port; and Node does not tell which address a datagram was sent to, from which the
   * reply must leave.
   */
  function lookAtAddresses(pools: readonly Subnet[]): void {
    try {
      const all = [...machineAddresses("IPv4"), ...machineAddresses("IPv6")];
      // A link-local address is one only together with its interface, which tasks do not see.
      addresses = all.filter((text) => !text.includes("%") && !isVip(text, pools));
    } catch (error) {
      // Under a shortage of descriptors not even the addresses can be had; that passes.
      log.warn(
        { err: error },
        `could not look at the machine's addresses: ${messageOf(error)}; trying again`,
      );
    }
  }
}

/** VIPs that somebody gave to an interface are no addresses of the node. */
function isVip(text: string, pools: readonly Subnet[]): boolean {
  const address = attempt(() => parseAddress(text));
  return address !== undefined && pools.some((pool) => isInside(pool, address));
}
