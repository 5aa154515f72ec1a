// A monitor in a process of its own, which checks.mjs starts: node --expose-gc checks-monitor.mjs KIND CHECKS PORT

import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { silentLog } from "../../dist/base/log.js";
import { systemClock } from "../../dist/base/clock.js";
import { runMonitor } from "../../dist/health/monitor.js";
import { createProbes } from "../../dist/health/probe.js";
import { parsePrefix } from "../../dist/model/name.js";
import { createRegistry } from "../../dist/registry/registry.js";
import { forgetfulStore } from "../../dist/registry/vips.js";
import { parseServicesFile } from "../../dist/schema/schema.js";
import { memory } from "./memory.mjs";
import { createSampler } from "./sampler.mjs";
import { quantile } from "./table.mjs";

const SOURCE = "bench";
const TASKS = 10;
const INTERVAL_MS = 10_000;
const WINDOW_MS = 20_000;
/** As many a second as of 50,000 checks, so that what is compiled and what is pooled is there before. */
const WARM_UP = { checks: 1000, intervalMs: 200, forMs: 3000 };
const POLL_MS = 50;

const [kind, checks, port] = process.argv.slice(2);
process.on("disconnect", () => process.exit());
process.send(await measure(Number(checks)));

async function measure(checks) {
  const registry = createChecked(checks, INTERVAL_MS);
  await warmUp();
  const before = memory();

  const life = new AbortController();
  const started = performance.now();
  const sampler = createSampler(createProbes(), (target) =>
    monitor.look(`${SOURCE}:${target.service}`, parsePrefix(target.task)),
  );
  const monitor = run(registry, sampler.probe, life.signal);
  while (countProbes(monitor.counters.probes) < checks) await setTimeout(POLL_MS);
  const firstRoundMs = performance.now() - started;
  await setTimeout(INTERVAL_MS * 1.5); // by then the last of the second probes was due, which spread all evenly

  const closeWindow = openWindow(monitor);
  sampler.clear();
  await setTimeout(WINDOW_MS);
  const figures = closeWindow();
  const { latenessMs, durationsMs, failures } = sampler.sampled();
  const after = memory();
  life.abort();
  await monitor.closed;
  return {
    kind,
    checks,
    firstRoundMs,
    ...figures,
    lateP50Ms: quantile(latenessMs, 0.5),
    lateP99Ms: quantile(latenessMs, 0.99),
    lateMaxMs: quantile(latenessMs, 1),
    tookP50Ms: quantile(durationsMs, 0.5),
    tookP99Ms: quantile(durationsMs, 0.99),
    residentOctets: after.rss - before.rss,
    heapOctets: after.heapUsed - before.heapUsed,
    failures,
  };
}

function createChecked(checks, intervalMs) {
  const healthcheck = { [kind]: kind === "http" ? "/healthz" : true, interval: `${intervalMs}ms` };
  const services = {};
  for (let first = 0; first < checks; first += TASKS) {
    const tasks = Array.from({ length: TASKS }, (_, task) => addressOf(first + task));
    services[`service-${first}`] = { endpoint_mode: "dnsrr", ports: [Number(port)], healthcheck, tasks };
  }
  const { ok, roster, problems } = parseServicesFile({ services }, () => SOURCE, { allowExec: false });
  if (!ok) throw new Error(`could not declare what is to be checked: ${problems[0].message}`);
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  registry.open(SOURCE).publish(roster);
  return registry;
}

function addressOf(number) {
  return `127.${1 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
}

function run(registry, probe, signal) {
  return runMonitor({ registry, clock: systemClock, probe, log: silentLog }, signal);
}

async function warmUp() {
  const life = new AbortController();
  const monitor = run(createChecked(WARM_UP.checks, WARM_UP.intervalMs), createProbes(), life.signal);
  await setTimeout(WARM_UP.forMs);
  life.abort();
  await monitor.closed;
}

/** What the monitor does from now on until it is closed. */
function openWindow(monitor) {
  const before = {
    atMs: performance.now(),
    waitedMs: waitedMs(),
    cpu: process.cpuUsage(),
    counters: monitor.counters,
  };
  before.probes = { ...before.counters.probes };

  return () => {
    const { user, system } = process.cpuUsage(before.cpu);
    const windowMs = performance.now() - before.atMs;
    const { probes, late, stalls } = monitor.counters;
    const made = countProbes(probes) - countProbes(before.probes);
    return {
      perSecond: (made / windowMs) * 1000,
      userUs: user / made,
      systemUs: system / made,
      coreShare: (user + system) / 1000 / windowMs,
      results: Object.fromEntries(
        Object.entries(probes).map(([kind, count]) => [kind, count - before.probes[kind]]),
      ),
      waitedShare: (waitedMs() - before.waitedMs) / windowMs,
      late: late - before.counters.late,
      stalls: stalls - before.counters.stalls,
    };
  };
}

/**
 * How long this thread could have run and did not, as the core was another's (Linux's sched-stats.rst); NaN: nobody
 * tells.
 */
function waitedMs() {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[1]) / 1e6;
  } catch {
    return NaN;
  }
}

function countProbes(probes) {
  return Object.values(probes).reduce((sum, count) => sum + count);
}
