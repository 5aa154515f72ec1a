// A Rota in a process of its own, which scale.mjs starts: node --expose-gc scale-server.mjs TASKS

import { startRota } from "../../dist/index.js";
import { addressesOf } from "./addresses.mjs";
import { memory } from "./memory.mjs";
import { createService, createServices, nameOf, TASKS } from "./scale-services.mjs";
import { quantile } from "./table.mjs";

/** Before what counts, so that the code is compiled. */
const WARM_UP = 2000;

const tasks = Number(process.argv[2]);
const count = Math.ceil(tasks / TASKS);
let said = createServices(tasks);
const before = memory();
const started = performance.now();
const rota = await startRota({ ...said, listen: ["127.0.0.1:0"] });
const [{ port }] = rota.addresses;
await addressesOf(nameOf(count - 1), port);
const startMs = performance.now() - started;
said = undefined; // it was there before, and its memory is not Rota's
const after = memory();
process.send({
  port,
  startMs,
  residentOctets: after.rss - before.rss,
  heapOctets: after.heapUsed - before.heapUsed,
});

/** How many times each service was declared anew, so that it always says something else. */
let round = 0;
let used = process.cpuUsage();

process.on("message", (told) => void answer(told));
process.on("disconnect", () => void rota.close());

async function answer({ changes, isCounting }) {
  if (changes !== undefined) process.send(await timeChanges(changes));
  if (isCounting === undefined) return;
  const { user, system } = process.cpuUsage(used);
  used = process.cpuUsage();
  process.send({ cpuUs: user + system });
}

/** One after the other, each to a service somewhere else. */
async function timeChanges(changes) {
  await time(WARM_UP, declare);
  const declares = await time(changes, declare);
  await time(WARM_UP, report);
  return { declares, verdicts: await time(changes, report) };
}

async function time(times, step) {
  const elapsedUs = [];
  for (let change = 0; change < times; change++) {
    round += 1;
    const service = (round * 7919) % count;
    elapsedUs.push(await step(service));
  }
  return { p50: quantile(elapsedUs, 0.5), p99: quantile(elapsedUs, 0.99) };
}

async function declare(service) {
  const declaration = createService(service, `10.127.${(round >> 8) & 127}.${round & 255}`);
  const began = performance.now();
  await rota.declare(nameOf(service), declaration);
  return (performance.now() - began) * 1000;
}

async function report(service) {
  const verdict = Math.floor(round / count) % 2 === 0 ? "failing" : "passing";
  const task = `10-${[16, 8, 0].map((bits) => ((service * TASKS + 1) >> bits) & 255).join("-")}`;
  const began = performance.now();
  await rota.report(nameOf(service), task, verdict);
  return (performance.now() - began) * 1000;
}
