// Runs the benchmarks that are named, or all: see README.md beside this file.

import { writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";
import { change } from "./change.mjs";
import { checks } from "./checks.mjs";
import { churn } from "./churn.mjs";
import { forward } from "./forward.mjs";
import { docker } from "./docker.mjs";
import { load } from "./load.mjs";
import { planes } from "./planes.mjs";
import { queries } from "./queries.mjs";
import { scale } from "./scale.mjs";

const PARTS = new Map([
  ["load", load],
  ["checks", checks],
  ["queries", queries],
  ["change", change],
  ["docker", docker],
  ["forward", forward],
  ["planes", planes],
  ["scale", scale],
  ["churn", churn],
]);
const RESULTS = new URL("../../bench.json", import.meta.url);

const names = process.argv.length > 2 ? process.argv.slice(2) : [...PARTS.keys()];
const unknown = names.filter((name) => !PARTS.has(name));
if (unknown.length > 0) {
  console.error(
    `there is no benchmark ${unknown.join(", ")}: write ${[...PARTS.keys()].join(", ")} or nothing`,
  );
  process.exit(2);
}

const machine = {
  cpu: cpus()[0]?.model ?? "unknown",
  cores: availableParallelism(),
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: `${type()} ${release()}`,
  node: process.version,
};
console.log(
  `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.kernel}; Node ${machine.node}`,
);

const parts = {};
for (const name of names) parts[name] = await PARTS.get(name)();
await writeFile(RESULTS, `${JSON.stringify({ at: new Date().toISOString(), machine, parts }, null, 2)}\n`);
