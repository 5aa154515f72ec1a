// A Rota in a process of its own that changes all the time, which churn.mjs starts: node churn-server.mjs TASKS

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { startRota } from "../../dist/index.js";
import { addressNumbered, createService, createServices, nameOf, TASKS } from "./scale-services.mjs";
import { clockUs } from "./shared-clock.mjs";

const count = Math.ceil(Number(process.argv[2]) / TASKS);
const rota = await startRota({ ...createServices(count * TASKS), listen: ["127.0.0.1:0"] });
process.send({ port: rota.addresses[0].port });

process.on("message", (told) => void churn(told));
process.on("disconnect", () => void rota.close());

/**
 * Gives the services in turn a new address, which tells how many changes there were.
 *
 * @param services which ones
 */
async function churn({ services, rate, seconds }) {
  const changes = [];
  const begunUs = clockUs();
  const { user, system } = process.cpuUsage();
  const waitedUs = waitedForCoreUs();
  while (clockUs() - begunUs < seconds * 1e6) {
    const due = Math.floor(((clockUs() - begunUs) / 1e6) * rate);
    while (changes.length < due)
      changes.push(await change(services[changes.length % services.length], changes.length + 1));
    await setTimeout(1);
  }
  const used = process.cpuUsage();
  process.send({
    changes,
    cpuUs: used.user - user + used.system - system,
    waitedUs: waitedForCoreUs() - waitedUs,
  });
}

/** How long the main thread could have run so far, and something else did: proc_pid_schedstat(5), in nanoseconds. */
function waitedForCoreUs() {
  const [, waitedNs] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ");
  return Number(waitedNs) / 1e3;
}

/** From before it is declared until the promise of it has resolved. */
async function change(service, number) {
  const declaration = createService(service, addressNumbered(11, number));
  const declaredUs = clockUs();
  await rota.declare(nameOf(service), declaration);
  return { service, number, declaredUs, resolvedUs: clockUs() };
}
