import { readFileSync } from "node:fs";
import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Timers } from "../../base/timers.ts";
import { createHolders, type Holders } from "../holder.ts";
import { type Affinity, createAffinity } from "./affinity.ts";
import { type Aging, createAging } from "./aging.ts";
import type { Tally } from "./counters.ts";
import type { Flow, TcpFlow } from "./flow.ts";
import type { UserspaceLimits } from "./limits.ts";
import type { Carrier } from "./side.ts";
import type { Target } from "./target.ts";

/** What all flows of a plane have in common. */
export interface Shared extends Disposable {
  readonly limits: UserspaceLimits;
  readonly tally: Tally;
  readonly log: Log;
  /** How TCP flows get their sides. */
  readonly carrier: Carrier;
  /** Of each frontend's crew. */
  readonly affinity: Affinity<object, Target>;
  /** TCP flows whose task has not answered yet. */
  readonly connecting: Aging<TcpFlow>;
  /** Those that stand, to be ended when they are silent for too long. */
  readonly standing: Aging<TcpFlow>;
  /** Those that have not stood for long. */
  readonly young: Aging<TcpFlow>;
  readonly udp: Aging<Flow>;
  /** Who has the ports that could not be had, as of the state that is being brought about. */
  readonly holders: Holders;
  /** From here on the system takes ports for connections that do not ask for one. */
  readonly firstCallingPort: number;
}

/**
 * After so long a connection is kept alive by probes of the kernel. Most are over before, and do without the eight
 * system calls that it takes.
 */
const YOUNG_MS = 60_000;

export function createShared(
  limits: UserspaceLimits,
  tally: Tally,
  {
    log,
    clock,
    timers,
    carrier,
  }: Pick<Shared, "log" | "carrier"> & { readonly clock: Clock; readonly timers: Timers },
): Shared {
  const by = { clock, timers };
  const connecting = createAging<TcpFlow>({ ...by, ms: limits.connectMs, end: (flow) => flow.giveUp() });
  const standing = createAging<TcpFlow>({ ...by, ms: limits.idleMs, end: (flow) => flow.end() });
  const young = createAging<TcpFlow>({ ...by, ms: YOUNG_MS, end: (flow) => flow.keepAlive(YOUNG_MS) });
  const udp = createAging<Flow>({ ...by, ms: limits.udpIdleMs, end: (flow) => flow.end() });
  return {
    limits,
    tally,
    log,
    carrier,
    affinity: createAffinity(limits.maxClients, clock, tally),
    connecting,
    standing,
    young,
    udp,
    holders: createHolders(),
    firstCallingPort: readFirstCallingPort(),
    [Symbol.dispose]() {
      for (const one of [connecting, standing, young, udp]) one[Symbol.dispose]();
    },
  };
}

function readFirstCallingPort(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    return 1024; // not Linux: any that needs no right
  }
}
