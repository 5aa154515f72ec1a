import { setMaxListeners } from "node:events";
import type { Log } from "../../base/log.ts";
import { createScope } from "../../base/scope.ts";
import type { Tally } from "../counters.ts";
import type { Mail } from "../ready/mail.ts";
import type { Shared } from "../ready/shared.ts";
import { createDetours, type Teach } from "./detours.ts";
import { openLane, type Lane } from "./open-lane.ts";
import type { Sockets } from "./sockets.ts";
import type { System } from "./system.ts";
import { createCounts } from "./words.ts";

/** Threads that answer what they were told, each by sockets of its own. */
export interface Lanes extends AsyncDisposable {
  /**
   * Resolves when no lane works on a batch any more that it began before: every reply that leaves from then on is
   * given by who has seen what was changed before the call.
   */
  caughtUp(): Promise<void>;
}

/** What it takes to have lanes. */
export interface LaneOptions {
  readonly system: System;
  /** How many. */
  readonly count: number;
  readonly shared: Shared;
  readonly teach: Teach;
  /**
   * What each thread runs.
   * @default the lane that answers by the book
   */
  readonly program?: URL | undefined;
}

/** shutdown(2). */
const SHUT_RDWR = 2;

/**
 * Starts a thread for each lane, with the lane's socket of each of `sockets`, and resolves when all answer. One that
 * dies is replaced; its sockets, and what waits in them, stay. The sockets must be closed after the lanes.
 *
 * @throws RotaError `ERR_ROTA_LISTEN`: a lane cannot be started
 */
export async function openLanes(
  sockets: readonly Sockets[],
  options: LaneOptions,
  counters: Tally,
  log: Log,
): Promise<Lanes> {
  await using scope = createScope();
  const { system, count, shared, teach, program = new URL("./worker.js", import.meta.url) } = options;
  const life = new AbortController();
  setMaxListeners(0, life.signal);
  const lanes: Lane[] = [];
  const post = (mail: readonly Mail[]): void => {
    for (const lane of lanes) lane.post(mail);
  };
  const detours = createDetours({ system, teach, post, counters, log }, life.signal);
  const leave = (): void => {
    for (const lane of lanes) lane.tellEnd();
    // On a socket of UDP it says ENOTCONN, and wakes all the same who waits there.
    for (const { fds } of sockets) for (const fd of fds) system.shutdown(fd, SHUT_RDWR);
  };
  scope.defer(atExit(leave));
  scope.defer(async () => {
    life.abort();
    leave();
    await Promise.all(lanes.map(async ({ closed }) => closed));
  });
  for (let number = 0; number < count; number++) {
    const fds = sockets.map((each) => each.fds[number] ?? -1);
    const counts = createCounts();
    counters.lanes.counts.push(counts);
    lanes.push(openLane({ number, fds, counts, shared, program, detours, counters, log }, life.signal));
  }
  await Promise.all(lanes.map(async ({ ready }) => ready));
  const open = scope.move();
  return {
    async caughtUp() {
      await Promise.all(lanes.map(async (lane) => lane.caughtUp()));
    },
    [Symbol.asyncDispose]: async () => open[Symbol.asyncDispose](),
  };
}

/** One listener of the process's for all, however many there are. */
const leaving = new Set<() => void>();

/**
 * Has `leave` called if the process ends before what is returned was called: `process.exit` waits for all threads, and
 * lanes wait for queries.
 */
function atExit(leave: () => void): () => void {
  if (leaving.size === 0) process.on("exit", leaveAll);
  leaving.add(leave);
  return () => {
    leaving.delete(leave);
    if (leaving.size === 0) process.off("exit", leaveAll);
  };
}

function leaveAll(): void {
  for (const leave of leaving) leave();
}
