import { messageOf, RotaError } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { systemTimers, type Timers } from "../../base/timers.ts";
import { runnerIn } from "../command.ts";
import { createLatest } from "../latest.ts";
import { EMPTY_STATE, type Plane, type PlaneState, type Report } from "../plane.ts";
import { type Carried, carry } from "./carry.ts";
import { countFlows } from "./ipvsadm.ts";
import { sightOf } from "./sight.ts";

export interface IpvsOptions {
  readonly log: Log;
  /** Whether what was programmed goes with the plane; else it stays, and goes on carrying. */
  readonly isCleanup: boolean;
  /**
   * The network namespace that it is programmed in, as `/run/netns/a`. There the kernel's settings are changed to what
   * IPVS needs; of the machine's own it is only said what should be changed.
   * @default the process's own
   */
  readonly netns?: string;
  /** @default systemTimers */
  readonly timers?: Timers;
}

/** IPVS tells nobody what others do to it, nor what addresses and routes come and go: so often it is looked at. */
const LOOK_AFTER_MS = 10_000;

/** Carries flows by the kernel's IPVS, as a router does: a task sees who asks, and replies through this machine. */
export function createIpvsPlane({ log, isCleanup, netns, timers = systemTimers }: IpvsOptions): Plane {
  const ending = new AbortController();
  const { signal } = ending;
  const isOwn = netns !== undefined;
  const run = runnerIn(isOwn ? ["nsenter", `--net=${netns}`] : [], { signal });

  let wanted: PlaneState | undefined;
  let carried: Carried | undefined;
  let isTrusted = false;
  let running: Promise<unknown> = Promise.resolve();
  let cancel: (() => void) | undefined;

  const bring = createLatest(async (state: PlaneState): Promise<Report> => {
    const [before, options] = [carried, { isTrusted, isOwn }];
    isTrusted = false; // whatever fails, all is looked at again
    carried = await carry(state, before, options, run);
    isTrusted = carried.held !== undefined;
    tellMended(carried, before);
    return carried.report;
  });

  function apply(state: PlaneState): Promise<Report> {
    cancel?.();
    wanted = state;
    const report = bring(state);
    running = Promise.allSettled([report]).then(lookLater);
    return report;
  }

  function lookLater(): void {
    cancel?.();
    if (signal.aborted) return;
    cancel = timers.after(LOOK_AFTER_MS, () => {
      isTrusted = false;
      if (wanted) apply(wanted).catch((error: unknown) => log.warn({}, messageOf(error)));
    });
  }

  /** Of what was done without anybody having asked for it. */
  function tellMended({ state, changes, report }: Carried, before: Carried | undefined): void {
    if (before?.state !== state) return;
    if (changes > 0) log.warn({ changes }, "IPVS was changed by others, and is again as it should be");
    const known = new Set(before.report.troubles.map(({ message }) => message));
    for (const { message } of report.troubles) if (!known.has(message)) log.warn({}, message);
  }

  return {
    kind: "ipvs",
    apply,
    async look() {
      await running;
      if (carried === undefined) return { kind: "ipvs", services: [], strangers: [] };
      return sightOf(carried, await countFlows(run));
    },
    async [Symbol.asyncDispose]() {
      await running;
      // Of the empty state nothing is left, neither services nor routes.
      if (isCleanup && wanted !== undefined) await Promise.allSettled([bring(EMPTY_STATE)]);
      ending.abort(new RotaError("ERR_ROTA_CLOSED", "the ipvs plane is closed"));
      cancel?.();
    },
  };
}
