import { readdirSync, readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";

/** The sockets, pipes and processes that this process holds, by kind; without those that libuv is closing already. */
export async function handles(): Promise<string[]> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kind.endsWith("Wrap"))
    .toSorted();
}

/** The processes that have this entry in the environment that they were started with, as `ROTA_TASK=b`. */
export function processesWith(entry: string): string[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && environmentOf(pid).includes(entry))
    .map((pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim());
}

function environmentOf(pid: string): string[] {
  return read(`/proc/${pid}/environ`).split("\0");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it is gone, or another user's
  }
}
