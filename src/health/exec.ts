import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { Readable } from "node:stream";
import { systemCodeOf } from "../base/error.ts";
import { formatAddress } from "../model/address.ts";
import type { ExecProbe } from "../model/check.ts";
import type { Attempt } from "./attempt.ts";
import { killGroup, killKin, MARK, signalGroup } from "./kin.ts";
import { type Outcome, outcome, type Target } from "./outcome.ts";

/** What is kept of the end of what a command prints, stdout and stderr together: its last line says why it failed. */
const KEPT_OCTETS = 4096;
/** What a command may print; what is not kept is read as well, as a full pipe would make the command wait. */
const MAX_OCTETS = 1024 * 1024;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 500;
/** From a process's end to that of its pipes, which come together unless somebody else holds them. */
const PIPES_MS = 100;
/** What starting a command takes: two for each of three pipes, and two by which libuv hears whether it could be run. */
const FILES = 8;

/** Runs a command, without a shell. When this has resolved, nothing runs any more that the command started. */
export const attemptExec: Attempt<ExecProbe> = async (probe, target, signal, stage) => {
  const [program] = probe.command;
  signal.throwIfAborted();
  stage(`running ${program}`);
  const mark = randomUUID();
  const child = start(probe, target, mark);
  const group = child.pid;
  if (group === undefined) return failedStart(program, child);
  const release = holdGroup(group);

  const closed = closing(child);
  const printed = listen(child, () => {
    closePipes(child);
    // Of one that has exited, the number may be another's group soon.
    if (isRunning(child)) signalGroup(group, "SIGKILL");
  });
  try {
    await once(child, "exit", { signal });
  } catch {
    signalGroup(group, "SIGTERM");
    await within(GRACE_MS, closed);
  }
  // What it left running when it exited is ended as well: a `sleep 1000 &` at each probe would fill the machine.
  await killGroup(group);
  release();
  // Pipes that nobody holds any more tell that nobody is left, unless it was us who closed them. Of who had to be
  // ended that is not enough: somebody may have left, with files of its own as daemons have, one more at each probe.
  if (signal.aborted || isTooMuch(printed) || !(await within(PIPES_MS, closed))) await killKin(mark);
  closePipes(child);
  await within(PIPES_MS, closed);
  child.unref(); // for one that not even SIGKILL ends, as it waits for a disk
  signal.throwIfAborted();
  return judge(child, printed);
};

/** Groups are of their own, so nobody but us ends them, also when this process is told to exit at once. */
const running = new Set<number>();

function holdGroup(group: number): () => void {
  if (running.size === 0) process.on("exit", killRunning);
  running.add(group);
  return () => {
    running.delete(group);
    if (running.size === 0) process.off("exit", killRunning);
  };
}

function killRunning(): void {
  for (const group of running) signalGroup(group, "SIGKILL");
}

function start(probe: ExecProbe, target: Target, mark: string): ChildProcess {
  const [program, ...words] = probe.command;
  requireFiles(FILES);
  return spawn(program, words, {
    // The last is written to by nobody: its end tells that none is left of those who got it from the command, also
    // when they left the group and have their stdout and stderr elsewhere. It misses who closes all files, as daemons do.
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true, // a process group of its own
    env: {
      ...process.env,
      ROTA_SERVICE: target.service,
      ROTA_TASK: target.task,
      ROTA_ADDRESS: formatAddress(target.address),
      ROTA_PORT: target.port === undefined ? "" : String(target.port),
      [MARK]: mark,
    },
  });
}

/** A program that is not there is the task's fault, or its declaration's; whatever else keeps one from starting is ours. */
async function failedStart(program: string, child: ChildProcess): Promise<Outcome> {
  let error: unknown;
  child.once("error", (why) => {
    error = why;
  });
  await closing(child);
  const why = REFUSALS.get(systemCodeOf(error) ?? "");
  if (why === undefined) throw error;
  return outcome("fail", `could not run ${program}: ${why}`);
}

const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "no such program, or its interpreter is missing; write its whole path"],
  ["EACCES", "it is no file that may be executed; chmod +x it, or name the program that reads it"],
]);

/**
 * Throws EMFILE if so many files cannot be opened now. Node 20 can be told so by `spawn` itself, but then it never
 * frees what it made for the pipes.
 */
function requireFiles(count: number): void {
  const files: number[] = [];
  try {
    while (files.length < count) files.push(openSync(devNull, "r"));
  } finally {
    for (const file of files) closeSync(file);
  }
}

interface Printed {
  octets: number;
  /** Its end. */
  kept: Buffer;
}

/** Reads what is printed; calls `tooMuch` when it is. */
function listen(child: ChildProcess, tooMuch: () => void): Readonly<Printed> {
  const printed: Printed = { octets: 0, kept: Buffer.alloc(0) };
  for (const pipe of pipesOf(child)) {
    pipe.on("error", () => {}); // its end says enough
    pipe.on("data", (chunk: Buffer) => {
      printed.kept = Buffer.concat([printed.kept, chunk.subarray(-KEPT_OCTETS)]).subarray(-KEPT_OCTETS);
      printed.octets += chunk.length;
      if (isTooMuch(printed)) tooMuch();
    });
  }
  return printed;
}

function judge({ exitCode, signalCode }: ChildProcess, printed: Printed): Outcome {
  if (isTooMuch(printed)) return outcome("fail", "printed over 1 MiB");
  const end = exitCode === null ? `ended by ${signalCode ?? "nobody knows what"}` : `exit ${exitCode}`;
  // What comes before may be progress, as curl prints it; of who passes nobody asks why.
  const line =
    printed.kept
      .toString()
      .trim()
      .split(/[\r\n]/)
      .at(-1) ?? "";
  if (exitCode === 0) return outcome("pass", end);
  return outcome("fail", line === "" ? end : `${end}: ${line}`);
}

function isTooMuch({ octets }: Printed): boolean {
  return octets > MAX_OCTETS;
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}

/** Resolves when it has exited, or could not be started, and nobody holds one of its pipes any more. */
function closing(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => {
    child.once("close", resolve);
  });
}

function closePipes(child: ChildProcess): void {
  for (const pipe of pipesOf(child)) pipe.destroy();
}

function pipesOf(child: ChildProcess): Readable[] {
  return child.stdio.filter((pipe) => pipe instanceof Readable);
}

/** Whether `done` came before the time was up. */
async function within(ms: number, done: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const isDone = await Promise.race([late, done.then(() => true)]);
  clearTimeout(timer);
  return isDone;
}
