import * as fc from "fast-check";
import { expect, test } from "vitest";
import { linesBetween } from "../../../src/plane/ipvs/diff.ts";
import { readTable, type Table } from "../../../src/plane/ipvs/table.ts";

/** A table from what `ipvsadm --save --numeric` prints. */
function tableOf(...lines: string[]): Table {
  return readTable(lines.join("\n"));
}

const WEB = "-A -t 10.64.0.1:80 -s wrr -b flag-3";
const A = "-a -t 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 1";
const B = "-a -t 10.64.0.1:80 -r 10.61.1.12:8080 -m -w 1";

test.each<[string, Table, Table, string[]]>([
  ["nothing", tableOf(WEB, A), tableOf(WEB, A), []],
  ["a service comes", tableOf(), tableOf(WEB, A), [WEB, A]],
  ["a service goes", tableOf(WEB, A), tableOf(), ["-D -t 10.64.0.1:80"]],
  ["a task comes", tableOf(WEB, A), tableOf(WEB, A, B), [B]],
  [
    "a task is replaced: the new one first",
    tableOf(WEB, A),
    tableOf(WEB, B),
    [B, "-d -t 10.64.0.1:80 -r 10.61.1.11:8080"],
  ],
  [
    "a task takes over from one that drains: more first, then less",
    tableOf(WEB, A, B.replace("-w 1", "-w 0")),
    tableOf(WEB, A.replace("-w 1", "-w 0"), B),
    ["-e -t 10.64.0.1:80 -r 10.61.1.12:8080 -m -w 1", "-e -t 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 0"],
  ],
  [
    "another scheduler",
    tableOf(WEB, A),
    tableOf(WEB.replace("wrr", "wlc"), A),
    ["-E -t 10.64.0.1:80 -s wlc -b flag-3"],
  ],
  [
    "no affinity any more",
    tableOf(WEB.replace("-b", "-p 60 -b"), A),
    tableOf(WEB, A),
    ["-E -t 10.64.0.1:80 -s wrr -b flag-3"],
  ],
  [
    "another program had it routed",
    tableOf(WEB, A.replace("-m", "-g")),
    tableOf(WEB, A),
    ["-e -t 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 1"],
  ],
])("%s", (_, from, to, expected) => {
  expect(linesBetween(from, to)).toEqual(expected);
});

test("what ipvsadm tells is read as we would write it", () => {
  const table = tableOf(
    "-A -f 7 -s rr",
    "-a -f 7 -r 10.61.1.11:0 -m -w 1",
    "-A -u [fd64::a00:1]:53 -s mh -p 60 -b mh-fallback",
    "-a -u [fd64::a00:1]:53 -r [fd61::11]:5353 -m -w 65535",
    "-A -t 10.64.0.2:80 -s sh -b ",
  );
  expect(linesBetween(new Map(), table)).toEqual([
    "-A -u [fd64::a00:1]:53 -s mh -p 60 -b mh-fallback",
    "-a -u [fd64::a00:1]:53 -r [fd61::11]:5353 -m -w 65535",
    "-A -t 10.64.0.2:80 -s sh -b ",
  ]);
});

test("whatever there is becomes what is wanted, and nobody is without a task on the way who had one", () => {
  fc.assert(
    fc.property(TABLE, TABLE, (from, to) => {
      const model = createModel(from);
      for (const line of linesBetween(from, to)) {
        model.carryOut(line);
        for (const key of to.keys()) {
          if (isServing(from, key) && isServing(to, key))
            expect(isServing(model.table(), key), line).toBe(true);
        }
      }
      expect(linesBetween(model.table(), to)).toEqual([]);
      expect(linesBetween(to, model.table())).toEqual([]);
    }),
    { numRuns: 200 },
  );
});

const TABLE = fc
  .dictionary(
    fc.constantFrom("-t 10.64.0.1:80", "-u 10.64.0.1:80", "-t [fd64::1]:80"),
    fc.record({
      head: fc.constantFrom("-s wrr -b flag-3", "-s rr -p 9 -b flag-3", "-s mh -b mh-fallback"),
      weights: fc.dictionary(
        fc.constantFrom("10.61.1.1:1", "10.61.1.2:1", "10.61.1.2:2"),
        fc.nat({ max: 2 }),
      ),
    }),
  )
  .map((services) => {
    const lines: string[] = [];
    for (const [key, { head, weights }] of Object.entries(services)) {
      lines.push(`-A ${key} ${head}`);
      for (const [task, weight] of Object.entries(weights))
        lines.push(`-a ${key} -r ${task} -m -w ${weight}`);
    }
    return tableOf(...lines);
  });

function isServing(table: Table, key: string): boolean {
  return [...(table.get(key)?.weights.values() ?? [])].some((weight) => weight > 0);
}

/** IPVS as ipvsadm sees it: what it would complain of is thrown. */
function createModel(from: Table): { carryOut(line: string): void; table(): Table } {
  const heads = new Map<string, string>();
  const tasks = new Map<string, string>();
  const expectThere = (map: ReadonlyMap<string, string>, key: string, isThere: boolean): void => {
    expect(map.has(key), key).toBe(isThere);
  };
  const carryOut = (line: string): void => {
    const [, command, key = "", rest = ""] = /^(-\w) (-\w \S+) ?(.*)$/.exec(line) ?? [];
    const task = `${key} ${/^-r \S+/.exec(rest)?.[0]}`;
    if (command === "-A" || command === "-E") {
      expectThere(heads, key, command === "-E");
      heads.set(key, rest);
    } else if (command === "-a" || command === "-e") {
      expectThere(heads, key, true);
      expectThere(tasks, task, command === "-e");
      tasks.set(task, rest);
    } else if (command === "-d") {
      expectThere(tasks, task, true);
      tasks.delete(task);
    } else {
      expect(command).toBe("-D");
      expectThere(heads, key, true);
      heads.delete(key);
      for (const one of tasks.keys()) if (one.startsWith(`${key} `)) tasks.delete(one);
    }
  };
  for (const line of linesBetween(new Map(), from)) carryOut(line);
  const table = (): Table =>
    tableOf(
      ...[...heads].map(([key, head]) => `-A ${key} ${head}`),
      ...[...tasks].map(([task, rest]) => `-a ${task.split(" ").slice(0, 2).join(" ")} ${rest}`),
    );
  return { carryOut, table };
}
