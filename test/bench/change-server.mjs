// A Rota in a process of its own, which change.mjs starts: node change-server.mjs TASKS FILE

import { TIMING_BOUNDS_MS } from "../../dist/health/counters.js";
import { startRota } from "../../dist/index.js";

const TASKS = 10;
/** The service of which a task turns, and the task. */
const SERVICE = "service-0";
const TASK = "task-0";
const DECLARED = "declared";
/** Of a heartbeat each report is a verdict; nobody is missed meanwhile. */
const HEALTHCHECK = { heartbeat: "24h" };

const [count, file] = process.argv.slice(2);
const services = createServices(Number(count) / TASKS);
const rota = await startRota({ services, files: [file], listen: ["udp://127.0.0.1:0"] });
for (const [name, { tasks }] of Object.entries(services))
  for (const { id } of tasks) await rota.report(name, id, "passing");
await declare(TASKS);
let before;

/** What is called so that so many tasks are in the answer. */
const CALLS = {
  verdict: (answers) => rota.report(SERVICE, TASK, answers === TASKS ? "passing" : "failing"),
  declare,
};

process.on("disconnect", () => process.exit());
process.on("message", ({ change, answers, isOver }) => {
  if (change !== undefined) void call(CALLS[change], answers);
  else if (isOver) tellDelay();
  else before = delay();
});
process.send({ port: rota.addresses[0].port, names: { verdict: SERVICE, declare: DECLARED } });

async function call(change, answers) {
  const began = process.hrtime.bigint();
  await change(answers);
  const returned = process.hrtime.bigint();
  process.send({ began: String(began), returned: String(returned) });
}

async function declare(answers) {
  const tasks = Array.from({ length: answers }, (_, task) => `10.250.0.${task}`);
  await rota.declare(DECLARED, { endpoint_mode: "dnsrr", ports: [8080], tasks });
}

/** How long the server itself found that verdicts took to be in the registry. */
function tellDelay() {
  const { count, sumMs, buckets } = delay();
  const turns = count - before.count;
  let left = turns * 0.99;
  const p99 = buckets.findIndex((took, at) => (left -= took - before.buckets[at]) <= 0);
  process.send({ meanMs: (sumMs - before.sumMs) / turns, p99WithinMs: TIMING_BOUNDS_MS[p99] });
}

/** Copied, since the counters go on. */
function delay() {
  return structuredClone(rota.healthCounters.delay);
}

function createServices(count) {
  return Object.fromEntries(
    Array.from({ length: count }, (_, service) => {
      const tasks = Array.from({ length: TASKS }, (_, task) => {
        const number = service * TASKS + task;
        return { id: `task-${task}`, address: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}` };
      });
      const declaration = { endpoint_mode: "dnsrr", ports: [8080], healthcheck: HEALTHCHECK, tasks };
      return [`service-${service}`, declaration];
    }),
  );
}
