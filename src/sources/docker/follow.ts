import { setMaxListeners } from "node:events";
import type { Clock } from "../../base/clock.ts";
import { pause } from "../../base/pause.ts";
import type { Timers } from "../../base/timers.ts";
import { createBell } from "../bell.ts";
import { parseRing, type Ring } from "./events.ts";
import { createGathering, type Gathered } from "./gathering.ts";
import {
  lookAtAll,
  lookAtContainers,
  lookAtNetworks,
  lookAtSwarm,
  lookAtTasks,
  type SeenSwarm,
} from "./look.ts";
import type { Session } from "./session.ts";
import type { Sight } from "./sight.ts";

export interface FollowEngineOptions {
  readonly session: Session;
  readonly sight: Sight;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly lookEveryMs: number;
  readonly swarmLookEveryMs: number;
  /** Hears of each look before it begins, with whether it is one at everything; what it gives hears of its end. */
  readonly looking: (isEverything: boolean) => () => void;
  /** Is given what rings for a look at everything, as long as there is somebody to look. */
  readonly opened: (ring: () => void) => void;
}

/** A stream of events may be dead without anybody knowing. */
const PING_EVERY_MS = 10_000;
/** What a bell tells of, a Swarm takes its time to act on: when its tasks are asked for again. */
const ECHOES_MS = [100, 300];
/** A rest between two looks is no longer, however long it took to take in the first. */
const LONGEST_REST_MS = 1000;
/** A timer may be early by the grain of its clock. */
const LATER_MS = 10;

/**
 * Looks at an engine, and again at what it rings for, until something fails or the signal aborts. There are never two
 * looks at once, and what rings during one is looked at after it: after a rest as long as it took to take in what was
 * seen, so that one container that restarts all the time among thousands does not keep the process busy. What rings
 * after that is looked at at once.
 *
 * @throws RotaError `ERR_ROTA_DOCKER` with what failed
 */
export async function followEngine(options: FollowEngineOptions, signal: AbortSignal): Promise<void> {
  const { session, sight, timers, clock, lookEveryMs, swarmLookEveryMs, looking, opened } = options;
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // one for each that is waited for
  const end = (): void => ending.abort();
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  const bell = createBell(ending.signal);
  const gathering = createGathering();
  const echoes = new Map<number, () => void>();
  const deadlines = new Map<string, () => void>();
  const failures: unknown[] = [];

  try {
    // Opened before anything is looked at: what changes in between rings.
    const lines = await session.listen("/events", ending.signal);
    opened(() => ring({ kind: "everything" }));
    ring({ kind: "everything" });
    const parts = [
      hear(lines),
      look(),
      ping(),
      every(lookEveryMs, () => ring({ kind: "everything" })),
      poll(),
    ];
    await Promise.all(parts.map((part) => part.catch(fail)));
  } finally {
    end();
    signal.removeEventListener("abort", end);
    for (const cancel of [...echoes.values(), ...deadlines.values()]) cancel();
  }
  if (failures.length > 0 && !signal.aborted) throw failures[0];

  function fail(error: unknown): void {
    failures.push(error); // those after the first come of it
    end();
  }

  function ring(ring: Ring): void {
    gathering.add(ring);
    if (ring.kind !== "nothing") bell.ring();
  }

  async function hear(lines: AsyncIterable<string>): Promise<void> {
    for await (const line of lines) {
      const heard = parseRing(line);
      ring(heard);
      if (heard.kind !== "nothing" && sight.swarm !== undefined) echo();
    }
  }

  function echo(): void {
    for (const ms of ECHOES_MS) {
      echoes.get(ms)?.();
      echoes.set(ms, timers.after(ms, askForTasks));
    }
  }

  function askForTasks(): void {
    if (sight.swarm === undefined) return;
    gathering.poll();
    bell.ring();
  }

  async function ping(): Promise<void> {
    while (await pause(timers, PING_EVERY_MS, ending.signal)) await session.ping(ending.signal);
  }

  async function every(ms: number, call: () => void): Promise<void> {
    while (await pause(timers, ms, ending.signal)) call();
  }

  async function poll(): Promise<void> {
    await every(swarmLookEveryMs, askForTasks);
  }

  async function look(): Promise<void> {
    while (await bell.heard()) {
      const gathered = gathering.take();
      const done = looking(gathered.isEverything);
      for (const id of gathered.ended) goesOn(id);
      const left = [...gathered.signals].filter(([id, numbers]) => !isMarked(id, numbers));
      // An engine tells nothing of a container that it is ending, and clients need not wait for that.
      if (left.length < gathered.signals.size) done();
      await (gathered.isEverything ? lookAround() : lookAtParts(gathered));
      for (const [id, numbers] of left) isMarked(id, numbers); // it was not known before
      const seenMs = clock.monotonic();
      done();
      // What was waited for the engine cost nobody anything.
      const restMs = Math.min(clock.monotonic() - seenMs, LONGEST_REST_MS);
      if (restMs > 0) await pause(timers, restMs, ending.signal);
    }
  }

  async function lookAround(): Promise<void> {
    sight.takeAll(await lookAtAll(session, sight.swarm, ending.signal));
  }

  async function lookAtParts({ isNetworks, containers, swarm }: Gathered): Promise<void> {
    if (isNetworks) sight.takeNetworks(await lookAtNetworks(session, ending.signal));
    const found = await lookAtContainers(session, [...containers], sight.networks, ending.signal);
    for (const [id, inspected] of found) sight.takeContainer(id, inspected);
    const before = sight.swarm;
    if (swarm === "whole") sight.takeSwarm(await lookAtSwarm(session, before, ending.signal));
    if (swarm === "tasks" && before) sight.takeSwarm(await lookAtTasksOf(before));
    const isNew = found.size > 0 || sight.swarm !== before;
    if ((isNew && sight.hasUnknownNetwork()) || sight.isOnOverlay([...found.keys()]))
      sight.takeNetworks(await lookAtNetworks(session, ending.signal));
  }

  async function lookAtTasksOf(before: SeenSwarm): Promise<SeenSwarm | undefined> {
    try {
      return await lookAtTasks(session, before, ending.signal);
    } catch {
      return lookAtSwarm(session, before, ending.signal); // it may have left the Swarm
    }
  }

  /** Whether one of these signals is what the container stops by: then it is stopping from now on. */
  function isMarked(id: string, numbers: Iterable<number>): boolean {
    const [ms] = [...numbers].flatMap((number) => sight.signalled(id, number) ?? []);
    if (ms === undefined) return false;
    deadlines.get(id)?.();
    deadlines.set(
      id,
      timers.after(ms + LATER_MS, () => ring({ kind: "container", id })),
    );
    return true;
  }

  function goesOn(id: string): void {
    deadlines.get(id)?.();
    deadlines.delete(id);
    sight.goesOn(id);
  }
}
