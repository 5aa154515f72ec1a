import type { Run } from "../command.ts";
import { chainOf } from "./classes.ts";
import { diff, isNothing } from "./diff.ts";
import type { Monitor } from "./monitor.ts";
import type { Ruleset } from "./ruleset.ts";
import { changeText, replaceSteps } from "./text.ts";
import { inTurns } from "./turns.ts";

/** The table in the kernel. */
export interface Kernel {
  /** Makes it that ruleset, whatever is there. */
  replace(ruleset: Ruleset): Promise<void>;
  /**
   * Makes it that ruleset from the one that it was made last.
   *
   * @throws RotaError `ERR_ROTA_PLANE`: also where it is not what it was left any more; nothing has changed then.
   */
  change(from: Ruleset, to: Ruleset): Promise<void>;
  /** Rejects where the table is not the one that was left, as far as a serial tells. */
  touch(): Promise<void>;
}

/** What a transaction of everything may take: 100,000 services take 20 s. */
const LIMIT_MS = 120_000;
/** A set's elements have 32 bits, and 0 is none. */
const MAX_SERIAL = 0x7fff_fff0;

export function createKernel(run: Run, monitor: Monitor): Kernel {
  // Nobody else's, nor one of a process before.
  let serial = 2 * Math.floor(1 + Math.random() * (MAX_SERIAL / 4));
  let chains: ReadonlySet<string> = new Set();

  return {
    async replace(ruleset) {
      const next = following();
      const parts: string[] = [];
      await inTurns(replaceSteps(ruleset, next), (part) => parts.push(part));
      const text = parts.join("");
      monitor.expectReplace(next + 2);
      await commit(text);
      serial = next;
      chains = new Set(ruleset.classes.keys());
    },
    async change(from, to) {
      const change = diff(from, to, chains);
      if (isNothing(change)) return;
      const next = following();
      const text = changeText(change, serial, next);
      monitor.expectChange(serial, serial + 1);
      await commit(text);
      serial = next;
      const old = new Set(change.oldChains);
      chains = new Set([
        ...[...chains].filter((chain) => !old.has(chain)),
        ...change.newClasses.map(chainOf),
      ]);
    },
    async touch() {
      const next = following();
      const text = changeText({ deleted: [], added: [], newClasses: [], oldChains: [] }, serial, next);
      monitor.expectChange(serial, serial + 1);
      await commit(text);
      serial = next;
    },
  };

  function following(): number {
    return serial >= MAX_SERIAL ? 2 : serial + 4;
  }

  async function commit(text: string): Promise<void> {
    try {
      await run("nft", ["-f", "-"], { input: text, limitMs: LIMIT_MS });
    } catch (error) {
      monitor.expectNothing();
      throw error;
    }
  }
}
