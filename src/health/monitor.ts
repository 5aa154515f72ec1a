import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemTimers, type Timers } from "../base/timers.ts";
import type { Prefix } from "../model/name.ts";
import type { Registry } from "../registry/registry.ts";
import { formatSpan } from "../model/duration.ts";
import { type CheckState, stateOfCheck } from "./check-state.ts";
import { addTiming, createHealthTally, type HealthCounters } from "./counters.ts";
import { createFifo } from "./fifo.ts";
import { startPeriodEnd, weigh } from "./gate.ts";
import { nextPoint } from "./grid.ts";
import { outcome, type Outcome } from "./outcome.ts";
import type { RunProbe } from "./probe.ts";
import { createProbing, type Probed } from "./probing.ts";
import { createRoll } from "./roll.ts";
import { createSchedule } from "./schedule.ts";
import { createStallWatch } from "./stall.ts";
import { excuse, keepResult, type TaskCheck } from "./task-check.ts";
import { createTeller } from "./tell.ts";
import { createVerdicts } from "./verdicts.ts";

/** All checks of all tasks, until the signal aborts that it was given. */
export interface Monitor {
  /** As they are at this moment. */
  readonly counters: HealthCounters;
  /** Takes what a task says of itself; false: no heartbeat is awaited of such a task. */
  beat(service: string, task: Prefix, result: "passing" | "failing"): boolean;
  /** How the check of a task stands; undefined: it has none. */
  look(service: string, task: Prefix): CheckState | undefined;
  /** Resolves when the signal has aborted and every probe has ended. */
  readonly closed: Promise<void>;
}

export interface MonitorOptions {
  readonly registry: Pick<Registry, "services" | "follow" | "report">;
  readonly clock: Clock;
  readonly probe: RunProbe;
  readonly log: Log;
  /**
   * How many probes are under way at once.
   *
   * @default 512
   */
  readonly concurrency?: number | undefined;
  /**
   * How long the registry is left without a word on a task that no result comes of.
   *
   * @default 3000
   */
  readonly startWaitMs?: number | undefined;
  /** @default Math.random */
  readonly random?: (() => number) | undefined;
  /** @default those of the system */
  readonly timers?: Timers | undefined;
}

/** How long the schedule sleeps at most while there are checks: so soon is seen that the process stood still. */
const TICK_MS = 250;

/**
 * Checks the tasks of the registry's services, and tells it the verdicts. Only the monotonic clock is asked:
 * whoever sets the system's clock fails nobody.
 */
export function runMonitor(options: MonitorOptions, signal: AbortSignal): Monitor {
  const { registry, clock, log, probe, concurrency = 512, startWaitMs = 3000 } = options;
  const { random = Math.random, timers = systemTimers } = options;
  const tally = createHealthTally();
  const teller = createTeller(log);
  const verdicts = createVerdicts({ registry, clock, tally, teller });
  const stalls = createStallWatch((ms) => {
    tally.stalls += 1;
    teller.stalled(ms);
  });
  const schedule = createSchedule<TaskCheck>({ clock, timers, stalls, due, tick }, signal);
  const probing = createProbing({ clock, probe, concurrency, started, ended }, signal);
  const roll = createRoll({ began, ended: left, forgotten });

  /** The oldest first, until a result of theirs must have come. */
  const newcomers = createFifo<TaskCheck>();
  /** What came since the last turn of the event loop, and is decided in the next. */
  let probed: Probed[] = [];
  let silent: TaskCheck[] = [];
  let isTurnAsked = false;
  let cancelComingBack: (() => void) | undefined;
  signal.addEventListener("abort", () => cancelComingBack?.(), { once: true });

  if (!signal.aborted) {
    for (const service of registry.services()) roll.take(service.id, service, clock.monotonic());
    registry.follow(({ touched }) => {
      for (const [id, { after }] of touched) roll.take(id, after, clock.monotonic());
    }, signal);
  }

  return {
    get counters() {
      return { ...tally, checks: roll.size, running: probing.running, waiting: probing.waiting };
    },
    closed: probing.closed,
    beat(service, task, result) {
      const check = roll.find(service, task);
      if (!check || !isHeartbeat(check) || signal.aborted) return false;
      const now = clock.monotonic();
      check.heardMs = now;
      const said = outcome(result === "passing" ? "pass" : "fail", `it says that it is ${result}`);
      ended({ check, outcome: said, startedMs: now, endedMs: now });
      return true;
    },
    look(service, task) {
      const check = roll.find(service, task);
      if (!check) return undefined;
      const now = clock.monotonic();
      return stateOfCheck(check, isHeartbeat(check) ? silentAt(check) : check.dueMs, now);
    },
  };

  // A check's way: it begins, is due, is probed, the probe ends; in the next turn it is decided and due again.

  function began(check: TaskCheck): void {
    if (isHeartbeat(check)) check.dueMs = silentAt(check);
    plan(check);
    newcomers.push(check);
  }

  function plan(check: TaskCheck): void {
    check.isScheduled = true;
    schedule.add(check);
  }

  function due(check: TaskCheck): void {
    check.isScheduled = false;
    if (isHeartbeat(check)) silent.push(check);
    else probing.add(check);
    askTurn();
  }

  function started(check: TaskCheck, nowMs: number): void {
    const lateMs = nowMs - check.dueMs;
    addTiming(tally.lateness, lateMs);
    if (lateMs > intervalOf(check, nowMs)) countLate(1);
  }

  function ended(result: Probed): void {
    probed.push(result);
    askTurn();
  }

  function askTurn(): void {
    if (isTurnAsked) return;
    isTurnAsked = true;
    timers.soon(turn);
  }

  /** A turn later than things came, so that whatever had come in by then has been read, in whichever order. */
  function turn(): void {
    isTurnAsked = false;
    if (signal.aborted) return;
    const now = clock.monotonic();
    stalls.look(now);
    decideProbed(now);
    decideSilent(now);
    comeBack(verdicts.flush());
    if (probing.start()) askTurn();
  }

  function comeBack(inMs: number): void {
    if (inMs === 0 || cancelComingBack) return;
    cancelComingBack = timers.after(Math.ceil(inMs), () => {
      cancelComingBack = undefined;
      askTurn();
    });
  }

  function decideProbed(nowMs: number): void {
    const results = probed;
    probed = [];
    for (const { check, outcome: came, startedMs, endedMs } of results) {
      if (check.isGone) continue;
      // What a task says of itself is true, whenever it was read.
      const isExcused = excuse(check, came.kind, !isHeartbeat(check) && stalls.endedMs > startedMs);
      const fair = isExcused ? outcome("unknown", `while this process stood still: ${came.detail}`) : came;
      decide(check, fair, endedMs, endedMs - startedMs);
      if (isHeartbeat(check)) continue; // it is in the schedule all the time
      if (isExcused) {
        check.dueMs = nowMs; // at once, and on its grid again after that
        probing.add(check);
        continue;
      }
      const { grid, dueMs, missed } = nextPoint(check.grid, intervalOf(check, nowMs), nowMs, random);
      check.grid = grid;
      check.dueMs = dueMs;
      if (missed > 0) countLate(missed);
      plan(check);
    }
  }

  function decideSilent(nowMs: number): void {
    const checks = silent;
    silent = [];
    for (const check of checks) {
      if (check.isGone) continue;
      const isOver = silentAt(check) <= nowMs;
      // While this process stood still it heard nobody: who was silent has all the time anew.
      if (isOver && excuse(check, "fail", stalls.endedMs > check.heardMs)) {
        check.heardMs = stalls.endedMs;
      } else if (isOver) {
        const missed = outcome("fail", `no heartbeat for ${formatSpan(check.service.check.intervalMs)}`);
        decide(check, missed, nowMs, 0);
        check.heardMs = nowMs; // for the next time to be missed
      }
      check.dueMs = silentAt(check);
      plan(check);
    }
  }

  function decide(check: TaskCheck, { kind, detail }: Outcome, atMs: number, durationMs: number): void {
    const before = check.health;
    tally.probes[kind] += 1;
    keepResult(check, { kind, detail, atMs, durationMs });
    check.health = weigh(before, kind, check.service.check, atMs);
    if (check.health.verdict !== before.verdict) verdicts.turned(check, atMs);
    if (kind === "unknown") teller.unknown(check);
    else if (check.reported === undefined) verdicts.owe(check); // a first result, though it may decide nothing
  }

  function tick(nowMs: number): number {
    for (let first = newcomers.peek(); first; first = newcomers.peek()) {
      if (first.createdMs + startWaitMs > nowMs) break;
      newcomers.shift();
      if (first.reported === undefined) owe(first);
    }
    teller.look(nowMs);
    if (roll.size === 0) return Infinity;
    return Math.min(nowMs + TICK_MS, (newcomers.peek()?.createdMs ?? Infinity) + startWaitMs);
  }

  function left(check: TaskCheck): void {
    check.life?.abort();
    if (check.isScheduled) schedule.leave();
  }

  function forgotten(check: TaskCheck): void {
    check.reported = undefined;
    owe(check);
  }

  function owe(check: TaskCheck): void {
    verdicts.owe(check);
    askTurn();
  }

  function countLate(probes: number): void {
    tally.late += probes;
    teller.late(probes);
  }
}

/** When a task that says nothing has been silent for too long. */
function silentAt({ heardMs, service }: TaskCheck): number {
  return heardMs + service.check.intervalMs;
}

function isHeartbeat({ service }: TaskCheck): boolean {
  return service.check.probe.kind === "heartbeat";
}

function intervalOf({ health, service }: TaskCheck, nowMs: number): number {
  const { intervalMs, startIntervalMs } = service.check;
  const isStarting =
    health.verdict === "starting" && nowMs < (startPeriodEnd(health, service.check) ?? -Infinity);
  return isStarting ? startIntervalMs : intervalMs;
}
