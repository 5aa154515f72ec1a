// A monitor in a process of its own: node monitoring.mjs PORT TASKS INTERVAL-MS TIMEOUT-MS
// Its tasks stand at one port of 127.0.0.1, say "hello", and are out with the first failure. It prints how many
// serve and how many fail whenever that changes, and its counters when its input ends.

import { once } from "node:events";
import { systemClock } from "../../dist/base/clock.js";
import { silentLog } from "../../dist/base/log.js";
import { runMonitor } from "../../dist/health/monitor.js";
import { createProbes } from "../../dist/health/probe.js";
import { parseAddress } from "../../dist/model/address.js";
import { EMPTY_ROSTER } from "../../dist/model/declaration.js";
import { EMPTY_PREFIX, parsePrefix } from "../../dist/model/name.js";
import { createRegistry } from "../../dist/registry/registry.js";
import { forgetfulStore } from "../../dist/registry/vips.js";

const [port, tasks, intervalMs, timeoutMs] = process.argv.slice(2).map(Number);
const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
const probe = {
  kind: "tcp",
  port: { name: undefined, number: port },
  send: "",
  expect: { kind: "text", text: "hello" },
};
// Declared without `schema`: the packages that it reads words with are more files than a process may have open here.
const web = {
  name: parsePrefix("web"),
  namespace: EMPTY_PREFIX,
  endpointMode: "dnsrr",
  aliases: [],
  networkAliases: [],
  networks: ["default"],
  ttl: undefined,
  ports: [],
  labels: [],
  order: "rotate",
  balance: "weighted",
  affinityMs: 0,
  maxAnswers: Infinity,
  whenEmpty: "nodata",
  panicThreshold: 0,
  check: {
    probe,
    intervalMs,
    timeoutMs,
    rise: 1,
    fall: 1,
    startPeriodMs: 0,
    startIntervalMs: intervalMs,
    hold: undefined,
  },
  publishNotReady: false,
  vips: undefined,
  publishes: true,
  isOutline: false,
  tasks: Array.from({ length: tasks }, (_, task) => ({
    id: parsePrefix(`t${task}`),
    isNamed: false,
    slot: undefined,
    networkAliases: [],
    addresses: [{ network: "default", address: parseAddress("127.0.0.1") }],
    weight: 1,
    ports: new Map(),
    isChecked: true,
    isDown: false,
    node: undefined,
    netns: undefined,
  })),
  origin: "test",
};
registry.open("file").publish({ ...EMPTY_ROSTER, services: [web] });

const life = new AbortController();
registry.follow(({ touched }) => {
  for (const { after } of touched.values()) {
    const failing = [...after.verdicts.values()].filter((verdict) => verdict === "failing").length;
    console.log(JSON.stringify({ serving: after.serving.length, failing }));
  }
}, life.signal);
const monitor = runMonitor(
  { registry, clock: systemClock, probe: createProbes(), log: silentLog },
  life.signal,
);

await once(process.stdin.resume(), "end");
console.log(JSON.stringify(monitor.counters));
life.abort();
await monitor.closed;
