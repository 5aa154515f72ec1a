import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Log } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import type { Timers } from "../../base/timers.ts";
import { SERIAL_SET, TABLE } from "./skeleton.ts";

/** What others take away from the table, told from what we do. */
export interface Monitor {
  /**
   * Until this one is deleted, whatever is taken away is our doing: it stands in a transaction that leaves nothing of
   * what was there before.
   */
  expectReplace(end: number): void;
  /** What is taken away from the one deletion to the other is our doing: they enclose a transaction. */
  expectChange(start: number, end: number): void;
  /** What was expected last did not come about. */
  expectNothing(): void;
  /** Whether the last that was expected has been heard of. */
  readonly isHeard: boolean;
  /** Runs `nft monitor` until the signal aborts, again and again if it ends. */
  run(signal: AbortSignal): Promise<void>;
}

export interface MonitorOptions {
  readonly log: Log;
  readonly timers: Timers;
  /** In front of `nft`. */
  readonly wrapper: readonly string[];
  /** Somebody took away something of the table. */
  touched(): void;
  /** What happened for a while was not heard: whether all is there is to be looked after. */
  missed(): void;
}

const LEAST_PAUSE_MS = 500;
const MOST_PAUSE_MS = 30_000;

export function createMonitor(options: MonitorOptions): Monitor {
  const { log, timers, wrapper, touched, missed } = options;
  let start: number | undefined;
  let end: number | undefined;
  let isOurs = false;
  let pauseMs = LEAST_PAUSE_MS;

  return {
    expectReplace(last) {
      [isOurs, start, end] = [true, undefined, last];
    },
    expectChange(first, last) {
      [start, end] = [first, last];
    },
    expectNothing() {
      [isOurs, start, end] = [false, undefined, undefined];
    },
    get isHeard() {
      return end === undefined;
    },
    async run(signal) {
      let told: string | undefined;
      while (!signal.aborted) {
        const why = await listen(wrapper, hear, signal);
        if (signal.aborted) return;
        // Where it cannot run it ends each time, for one reason.
        log[why === told ? "debug" : "warn"](
          { why, pauseMs },
          `nft monitor ended${why === "" ? "" : ` (${why})`}: what others take away is not noticed until it runs again`,
        );
        told = why;
        await pause(timers, pauseMs, signal);
        pauseMs = Math.min(pauseMs * 2, MOST_PAUSE_MS);
        if (!signal.aborted) missed();
      }
    },
  };

  function hear(line: string): void {
    pauseMs = LEAST_PAUSE_MS; // it works
    // A large transaction of ours is more than its buffer holds.
    if (line.includes("lost some netlink events")) return isOurs ? missed() : touched();
    const change = readDeletion(line);
    if (change === undefined) return;
    if (change.serial !== undefined && change.serial === start) {
      [isOurs, start] = [true, undefined];
      return;
    }
    if (change.serial !== undefined && change.serial === end) {
      [isOurs, start, end] = [false, undefined, undefined];
      return;
    }
    if (!isOurs) touched();
  }
}

/** What a line of `nft monitor` says of our table; undefined: nothing that anybody took away. */
export function readDeletion(line: string): { readonly serial: number | undefined } | undefined {
  if (!/^delete \S+ /.test(line) || !`${line} `.includes(` ${TABLE} `)) return undefined;
  const serial = new RegExp(`^delete element ${TABLE} ${SERIAL_SET} \\{ (0x[0-9a-f]+)`).exec(line)?.[1];
  return { serial: serial === undefined ? undefined : Number(serial) };
}

/** Ends `nft` when its own input ends, as it does with this process, however that ends: `nft` would notice only at its next line. */
const SCRIPT = 'nft monitor destroy & nft=$!; exec >&-; read -r _; kill "$nft"';

/** Resolves with why it ended. */
function listen(
  wrapper: readonly string[],
  hear: (line: string) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve) => {
    const [first, ...rest] = [...wrapper, "sh", "-c", SCRIPT];
    const child = spawn(first, rest, { stdio: ["pipe", "pipe", "pipe"] });
    let complaint = "";
    const end = (): void => void child.stdin.end();
    if (signal.aborted) end();
    signal.addEventListener("abort", end, { once: true });
    child.stdin.on("error", () => {}); // it has ended
    createInterface(child.stdout).on("line", hear);
    child.stdout.once("end", end);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-1_000);
    });
    child.once("error", (error) => {
      complaint = error.message;
    });
    child.once("close", () => {
      signal.removeEventListener("abort", end);
      resolve(complaint.trim());
    });
  });
}
