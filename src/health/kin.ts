import { readdir, readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";

/** In the environment of a command and so of what it starts, with a value of its own for each run. No option is called so. */
export const MARK = "ROTA_PROBE_ID";

/** How often kin is looked for: who is found may have forked since. */
const ROUNDS = 10;
const ROUND_MS = 10;
/** From a SIGKILL to looking whether it is done: a process that is killed is gone in microseconds, if it gets a core. */
const PAUSES_MS = [1, 2, 4, 8, 16];

/**
 * Kills what left the command's process group, and resolves when it is gone: found by {@link MARK}, on Linux only.
 *
 * Not found is who dropped the variable (`env -i`, `sudo`), wrote over its own environment as servers do that set
 * their title, or runs as another user while we are not root. Only a cgroup would hold those, and making one takes
 * rights that we need not have.
 */
export async function killKin(mark: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const kin = (await lookAround()).get(mark);
    if (!kin) return;
    for (const pid of kin) kill(pid, "SIGKILL");
    await pause(ROUND_MS);
  }
}

/** Kills a process group, and resolves when nobody is in it any more. */
export async function killGroup(group: number): Promise<void> {
  if (!signalGroup(group, "SIGKILL")) return;
  // Not for ever, since zombies count: where nobody reaps orphans, as in a container without an init, they stay.
  for (const ms of PAUSES_MS) {
    await pause(ms);
    if (!kill(-group, 0)) return;
  }
}

/** Whether anybody was there to hear it. */
export function signalGroup(group: number, signal: NodeJS.Signals): boolean {
  return kill(-group, signal);
}

/** Who runs, by the mark of the run that started it. */
type Kin = ReadonlyMap<string, readonly number[]>;

/** Between two looks, in so many times as long as one took: they take a third of the time, and not all of it. */
const REST = 2;

let lastLook: Promise<unknown> = Promise.resolve();
let nextLook: Promise<Kin> | undefined;
let restsUntilMs = -Infinity;

/**
 * One look for all who ask while the one before goes on: hundreds of commands may have to be ended at once, and each
 * look opens a file of every process of the machine. It begins after it was asked for, so it misses nobody.
 */
function lookAround(): Promise<Kin> {
  nextLook ??= lookAfter(lastLook);
  return nextLook;
}

async function lookAfter(before: Promise<unknown>): Promise<Kin> {
  await before;
  const restMs = restsUntilMs - performance.now();
  if (restMs > 0) await pause(restMs);
  nextLook = undefined;
  const look = findKin();
  lastLook = look;
  return look;
}

async function findKin(): Promise<Kin> {
  const kin = new Map<string, number[]>();
  const beganMs = performance.now();
  for (const pid of await readdir("/proc").catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue;
    // Gone since, or another user's.
    const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
    const mark = environment.split("\0").find((entry) => entry.startsWith(`${MARK}=`));
    if (mark !== undefined) add(kin, mark.slice(MARK.length + 1), Number(pid));
  }
  const now = performance.now();
  restsUntilMs = now + REST * (now - beganMs);
  return kin;
}

function add(kin: Map<string, number[]>, mark: string, pid: number): void {
  const pids = kin.get(mark);
  if (pids) pids.push(pid);
  else kin.set(mark, [pid]);
}

function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false; // ESRCH: nobody is there; EPERM: a setuid program, which is out of our reach
  }
}
