import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Log } from "../../base/log.ts";
import type { Timers } from "../../base/timers.ts";
import { formatAddress } from "../../model/address.ts";
import type { Neighbour } from "./surroundings.ts";

/** Rings when the kernel learns that a peer has another network card, or a peer that was silent answers. */
export interface Neighbours extends AsyncDisposable {
  /** From now on, what differs from these rings. */
  expect(neighbours: readonly Neighbour[]): void;
}

interface NeighboursOptions {
  /** In front of `ip`. */
  readonly wrapper: readonly string[];
  readonly signal: AbortSignal;
  readonly timers: Timers;
  readonly log: Log;
  readonly changed: () => void;
}

/** What comes together is one change: a switch that comes back tells of all nodes at once. */
const GATHER_MS = 100;

/** Without `ip monitor`, or when it ends, only the looks from time to time are left: it is begun again with those. */
export function followNeighbours({ wrapper, signal, timers, log, changed }: NeighboursOptions): Neighbours {
  let expected: ReadonlyMap<string, string | undefined> = new Map();
  let monitor: Promise<void> | undefined;
  let isGathering = false;

  function read(line: string): void {
    const [, place = "", mac] = /^(\S+ dev \S+) lladdr (\S+)/.exec(line) ?? [];
    if (mac === undefined || !expected.has(place) || expected.get(place) === mac || isGathering) return;
    isGathering = true;
    timers.after(GATHER_MS, () => {
      isGathering = false;
      if (!signal.aborted) changed();
    });
  }

  function follow(): Promise<void> {
    const [program, ...args] = [...wrapper, "ip", "monitor", "neigh"];
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "ignore"] });
    const end = (): void => void child.kill("SIGKILL");
    signal.addEventListener("abort", end, { once: true });
    createInterface(child.stdout).on("line", read);
    return new Promise((resolve) => {
      const finish = (why: string): void => {
        signal.removeEventListener("abort", end);
        monitor = undefined;
        if (!signal.aborted) log.debug({}, `no longer hear of neighbours: ip monitor ${why}`);
        resolve();
      };
      child.once("error", ({ message }) => finish(message));
      child.once("close", (code) => finish(`exited with ${code}`));
    });
  }

  return {
    expect(neighbours) {
      expected = new Map(
        neighbours.map(({ address, link, mac }) => [`${formatAddress(address)} dev ${link}`, mac]),
      );
      if (expected.size > 0 && !signal.aborted) monitor ??= follow();
    },
    async [Symbol.asyncDispose]() {
      await monitor;
    },
  };
}
