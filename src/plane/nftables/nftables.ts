import { messageOf, RotaError } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { systemTimers, type Timers } from "../../base/timers.ts";
import { type Run, runnerIn } from "../command.ts";
import { createLatest } from "../latest.ts";
import { changedBetween } from "../layers.ts";
import { EMPTY_STATE, type Plane, type PlaneState, type Report } from "../plane.ts";
import { isSamePools, makeLocal } from "../routes.ts";
import { createFlowEnder } from "./endings.ts";
import { createKernel } from "./kernel.ts";
import { look } from "./look.ts";
import { createMender } from "./mender.ts";
import { createMonitor } from "./monitor.ts";
import { carriedPools, renderSteps, type Ruleset } from "./ruleset.ts";
import { TABLE } from "./skeleton.ts";
import {
  asTroubles,
  changedSince,
  isSameTerrain,
  judge,
  lookAround,
  type Surroundings,
  troublesOf,
} from "./surroundings.ts";
import { OPEN_TERRAIN } from "./terrain.ts";
import { inTurns } from "./turns.ts";

export interface NftablesOptions {
  readonly log: Log;
  /** Whether what was programmed is taken away in the end; else it goes on to carry what it carried last. */
  readonly isCleanup: boolean;
  /**
   * The path of a network namespace, as `/proc/42/ns/net`, in which it carries what is sent from there or comes there. In a
   * task's own, a state should have no published frontends: they would be the task's ports.
   * @default where this process is
   */
  readonly netns?: string;
  /** @default the system's */
  readonly timers?: Timers;
}

/** What changed around the plane is seen after so long, with the next state. */
const LOOK_AROUND_MS = 30_000;
/** How soon `nft monitor` should tell of what we did. */
const HEAR_MS = 1_000;
/** Beyond so many services, a transaction of everything costs less than one of what changed. */
const MANY = 2_000;

const nothing = (): void => {};

/** Carries VIPs and published ports in the kernel, by one table of its own. */
export function createNftablesPlane(options: NftablesOptions): Plane {
  const { log, isCleanup, netns, timers = systemTimers } = options;
  const wrapper = netns === undefined ? [] : ["nsenter", `--net=${netns}`];
  const closing = new AbortController();
  const { signal } = closing;
  const run = runnerIn(wrapper, { signal });

  let wanted = EMPTY_STATE;
  let applied: PlaneState | undefined;
  // As it is in the kernel; and as it was worked out last.
  let ruleset: Ruleset | undefined;
  let rendered: Ruleset | undefined;
  let terrain = OPEN_TERRAIN;
  let around: Surroundings | undefined;
  let unrouted: readonly string[] = [];
  const inTheWay = new Set<string>();
  // What is there is not what was left, or may not be.
  let [isBroken, isDoubted] = [true, false];
  let under = Promise.resolve();
  let [cancelHearing, cancelLooking] = [nothing, nothing];

  const endFlows = createFlowEnder(run);
  const mender = createMender({ log, timers, mend: async () => void (await bring(wanted)) }, signal);
  const monitor = createMonitor({
    log,
    timers,
    wrapper,
    touched() {
      if (!isBroken) log.warn({}, "somebody took away what Rota had in nftables: it is put back");
      isBroken = true;
      mender.call();
    },
    missed() {
      isDoubted = true;
      mender.call();
    },
  });
  const kernel = createKernel(run, monitor);
  let listening: Promise<void> | undefined;
  const bring = createLatest((state: PlaneState) => {
    const result = program(state);
    under = result.then(nothing, nothing);
    return result;
  });

  return {
    kind: "nftables",
    async apply(state) {
      signal.throwIfAborted();
      wanted = state;
      return bring(state);
    },
    look: async () => look(run, applied ?? EMPTY_STATE, ruleset),
    async [Symbol.asyncDispose]() {
      closing.abort(new RotaError("ERR_ROTA_CLOSED", "the plane was closed"));
      await Promise.all([under, listening]);
      cancelHearing();
      cancelLooking();
      if (isCleanup) await cleanUp(runnerIn(wrapper));
    },
  };

  async function program(state: PlaneState): Promise<Report> {
    const seen = await surroundingsFor(state);
    const isNew = seen !== around;
    const verdict = judge(state, seen);
    if (!isSameTerrain(verdict.terrain, terrain)) terrain = verdict.terrain;
    const next = await inTurns(renderSteps(state, terrain, rendered));
    rendered = next;
    const own = new Set(seen.interfaces.map(({ address }) => address));
    const programmed = programTable(next);
    const ending = endFlows(applied, state, own, programmed);
    ending.catch(nothing); // who awaits the table hears of it
    await programmed;
    // Not before the first: what it has to hear of ten thousand services makes that one take a tenth longer.
    listening ??= monitor.run(signal);
    // VIPs are made local once there is somebody who leads them on.
    if (isNew) {
      unrouted = await makeLocal(run, carriedPools(state, terrain));
      around = seen;
      cancelLooking = timers.after(LOOK_AROUND_MS, () => {
        around = undefined;
      });
    }
    const kept = await ending;
    // All services are gone through where something else stands around them; else those that changed.
    if (isNew) inTheWay.clear();
    for (const message of troublesOf(changedSince(isNew ? undefined : applied, state), seen))
      inTheWay.add(message);
    applied = state;
    return {
      carried: next.carried,
      troubles: [
        ...asTroubles([...verdict.troubles, ...unrouted, ...inTheWay, ...kept]),
        ...[...next.troubles.values()].flat(),
      ],
    };
  }

  async function surroundingsFor(state: PlaneState): Promise<Surroundings> {
    if (around !== undefined && isSamePools(state, applied) && !isBroken) return around;
    cancelLooking();
    around = undefined;
    return lookAround(run);
  }

  /** By what changed, if that is known; else, and if that fails, by everything. */
  async function programTable(next: Ruleset): Promise<void> {
    const from = ruleset;
    if (from !== undefined && !isBroken && changedBetween(from.services, next.services).length <= MANY) {
      try {
        if (isDoubted) await kernel.touch();
        await kernel.change(from, next);
        [ruleset, isDoubted] = [next, false];
        return hear();
      } catch (error) {
        signal.throwIfAborted();
        log.warn(
          { err: error },
          `nftables is programmed anew, as it could not be changed: ${messageOf(error)}`,
        );
      }
    }
    const isMending = isBroken && applied !== undefined;
    // From here on it is known only if all goes well. What breaks it meanwhile is noticed, and breaks it again.
    [ruleset, isBroken, isDoubted] = [undefined, false, false];
    try {
      await kernel.replace(next);
    } catch (error) {
      isBroken = true;
      throw error;
    }
    ruleset = next;
    if (isMending) log.info({}, "what was taken away in nftables is there again");
    hear();
  }

  /** Sees to it that `nft monitor` tells of what is done: it may have begun to listen later, or have missed it. */
  function hear(): void {
    cancelHearing();
    cancelHearing = timers.after(HEAR_MS, () => {
      if (monitor.isHeard) return;
      isDoubted = true;
      mender.call();
    });
  }
}

async function cleanUp(run: Run): Promise<void> {
  await run("nft", ["-f", "-"], { input: `table ${TABLE}\ndelete table ${TABLE}\n` });
  await makeLocal(run, []);
}
