import { normalEndpoint } from "./table.ts";

export interface Counters {
  /** Connections that a task was given since it came. */
  readonly flows: number;
  /** Those that are open. */
  readonly active: number;
}

/** By the service's key as `-t 10.64.0.1:80`, then by the task's address and port. */
export type CountedTable = ReadonlyMap<string, ReadonlyMap<string, Counters>>;

/**
 * What `ipvsadm --list --numeric --exact` tells, without and with `--stats`. Services that are no address and port, as
 * those by firewall mark, have the line's own words for a key.
 */
export function readCounters(list: string, stats: string): CountedTable {
  const flows = readColumns(stats);
  return new Map(
    [...readColumns(list)].map(([key, tasks]) => [
      key,
      new Map(
        [...tasks].map(([endpoint, [, , active = 0, inactive = 0]]) => {
          const [given = 0] = flows.get(key)?.get(endpoint) ?? [];
          // A flow of datagrams is never "active", and is forgotten when it was idle for long.
          return [endpoint, { flows: given, active: key.startsWith("-u") ? inactive : active }];
        }),
      ),
    ]),
  );
}

/** The columns behind each task. A word among them, as `Masq`, is NaN. */
function readColumns(text: string): Map<string, Map<string, readonly number[]>> {
  const table = new Map<string, Map<string, readonly number[]>>();
  let tasks: Map<string, readonly number[]> | undefined;
  for (const line of text.split("\n")) {
    const [first = "", second = "", ...columns] = line.trim().split(/\s+/);
    if (/^(?:TCP|UDP|SCTP|FWM)$/.test(first)) {
      tasks = new Map();
      table.set(keyOfLine(first, second), tasks);
    }
    if (first === "->" && !second.startsWith("RemoteAddress")) {
      tasks?.set(normalEndpoint(second), columns.map(Number));
    }
  }
  return table;
}

function keyOfLine(protocol: string, endpoint: string): string {
  if (protocol === "TCP") return `-t ${normalEndpoint(endpoint)}`;
  if (protocol === "UDP") return `-u ${normalEndpoint(endpoint)}`;
  return `${protocol} ${endpoint}`;
}
