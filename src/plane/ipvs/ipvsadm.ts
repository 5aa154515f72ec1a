import type { Run } from "../command.ts";
import { type CountedTable, readCounters } from "./counters.ts";
import { readTable, type Table } from "./table.ts";

/** A line each; one that is slow to load 40,000 is not ended for it. */
const LIMIT_MS = 60_000;

export async function save(run: Run): Promise<Table> {
  return readTable(await run("ipvsadm", ["--save", "--numeric"]));
}

/**
 * Carries out lines of `ipvsadm --restore`, each by itself: those that fail keep none behind them from being carried
 * out. How it ends tells of the last line alone, so what it complains of is to be read.
 *
 * @returns its complaints, a line each; none: all was done.
 */
export async function restore(lines: readonly string[], run: Run): Promise<readonly string[]> {
  if (lines.length === 0) return [];
  const options = { input: `${lines.join("\n")}\n`, limitMs: LIMIT_MS };
  const told = await run("sh", ["-c", "ipvsadm --restore 2>&1 || true"], options);
  return told.split("\n").filter((line) => line !== "");
}

export async function countFlows(run: Run): Promise<CountedTable> {
  const list = ["--list", "--numeric", "--exact"];
  const [told, stats] = await Promise.all([run("ipvsadm", list), run("ipvsadm", [...list, "--stats"])]);
  return readCounters(told, stats);
}
