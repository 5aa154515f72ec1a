import { type Clock, systemClock } from "../../base/clock.ts";
import { count } from "../../base/count.ts";
import { messageOf } from "../../base/error.ts";
import { pause } from "../../base/pause.ts";
import { systemTimers, type Timers } from "../../base/timers.ts";
import type { SourceReport } from "../report.ts";
import type { EngineAddress } from "./endpoint.ts";
import { followEngine } from "./follow.ts";
import { openSession } from "./session.ts";
import { createSight } from "./sight.ts";
import type { EngineSnapshot } from "./snapshot.ts";

export interface WatchEngineOptions {
  readonly engine: EngineAddress;
  /** Takes what the engine shows, whole. What did not change is the same object again. */
  readonly publish: (snapshot: EngineSnapshot) => void;
  readonly report: (report: SourceReport) => void;
  /** @default the system's */
  readonly timers?: Timers;
  /** @default the system's */
  readonly clock?: Clock;
  /**
   * Milliseconds after which everything is looked at, whether it rang or not.
   * @default 60_000
   */
  readonly lookEveryMs?: number;
  /**
   * Milliseconds after which the manager of a Swarm is asked for its tasks: for those of other nodes nobody rings.
   * @default 1_000
   */
  readonly swarmLookEveryMs?: number;
}

/** An engine that is being watched, until the signal aborts. */
export interface EngineWatch {
  /** Resolves when it was looked at for the first time, or could not be. */
  readonly ready: Promise<void>;
  /** Resolves when the signal has aborted and nothing of the watch is left. */
  readonly closed: Promise<void>;
  /** Looks at everything now, as on SIGHUP; resolves when that was published, or could not be done. */
  look(): Promise<void>;
}

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

/**
 * Publishes what an engine shows, and again whenever it differs. While it cannot be asked, what it showed last stays,
 * and it is tried again and again; `report` hears of it once, and once it is back.
 */
export function watchEngine(options: WatchEngineOptions, signal: AbortSignal): EngineWatch {
  const { engine, publish, report, timers = systemTimers, clock = systemClock } = options;
  const { lookEveryMs = 60_000, swarmLookEveryMs = 1000 } = options;
  const sight = createSight(clock);
  let published: EngineSnapshot | undefined;
  let isTroubled = false;
  /** Those who asked for a look: at the one that goes on, and at the next. */
  let served: (() => void)[] = [];
  let waiting: (() => void)[] = [];
  let hurry: (() => void) | undefined;
  let beReady: (() => void) | undefined;
  const ready = new Promise<void>((resolve) => {
    beReady = resolve;
  });

  return {
    ready,
    closed: run(),
    look: async () => {
      if (signal.aborted) return;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        hurry?.();
      });
    },
  };

  async function run(): Promise<void> {
    let waitMs = FIRST_WAIT_MS;
    while (!signal.aborted) {
      const begunMs = clock.monotonic();
      const isGood = await watchOnce();
      serveAll();
      // One that always fails after the first look is not to be looked at ten times a second.
      const hasLasted = isGood && clock.monotonic() - begunMs > LONGEST_WAIT_MS;
      waitMs = hasLasted ? FIRST_WAIT_MS : waitMs;
      await wait(waitMs * (0.5 + Math.random() / 2));
      waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS);
    }
    serveAll();
    beReady?.();
  }

  /** Until it fails; says whether it could be looked at before. */
  async function watchOnce(): Promise<boolean> {
    let isGood = false;
    try {
      await using session = await openSession(engine, timers, signal);
      const looking = (isEverything: boolean): (() => void) => {
        if (isEverything) [served, waiting] = [waiting, []];
        return () => {
          isGood = true;
          take(session.version);
          if (isEverything) serve();
        };
      };
      const opened = (ring: () => void): void => {
        hurry = ring;
      };
      await followEngine(
        { session, sight, timers, clock, lookEveryMs, swarmLookEveryMs, looking, opened },
        signal,
      );
    } catch (error) {
      if (!signal.aborted) complain(error);
    } finally {
      hurry = undefined;
    }
    return isGood;
  }

  function take(version: string): void {
    const snapshot = sight.snapshot();
    if (isTroubled) tell("recovered", `the engine at ${engine.text} can be asked again`);
    isTroubled = false;
    if (published === undefined) {
      const { containers, networks, swarm } = snapshot;
      const all = `${count(containers.length, "container")} on ${count(networks.length, "network")}`;
      const services = swarm ? `, ${count(swarm.services.length, "service")} of a Swarm` : "";
      tell("read", `the engine at ${engine.text} is watched by its API ${version}: ${all}${services}`);
    }
    if (snapshot !== published) {
      published = snapshot;
      publish(snapshot);
    }
    beReady?.();
  }

  /** Once, however often it fails. */
  function complain(error: unknown): void {
    const stays = published === undefined ? "nothing is known from it yet" : "what it said before stays";
    if (!isTroubled) tell("problem", `${messageOf(error)}; ${stays}; trying again`);
    isTroubled = true;
    beReady?.();
  }

  function tell(kind: SourceReport["kind"], message: string): void {
    report({ kind, file: engine.text, message });
  }

  function serve(): void {
    for (const done of served) done();
    served = [];
  }

  /** There is no look to come. */
  function serveAll(): void {
    served.push(...waiting);
    waiting = [];
    serve();
  }

  /** Not as long if somebody asks for a look. */
  async function wait(ms: number): Promise<void> {
    const waking = new AbortController();
    const wake = (): void => waking.abort();
    hurry = wake;
    signal.addEventListener("abort", wake, { once: true });
    if (signal.aborted) waking.abort();
    await pause(timers, ms, waking.signal);
    signal.removeEventListener("abort", wake);
    hurry = undefined;
  }
}
