// How long the plane nftables takes to be brought to a state: node planes-apply.mjs SERVICES, in a namespace of its own.

import { setTimeout } from "node:timers/promises";
import { silentLog } from "../../dist/base/log.js";
import { parseAddress, parseSubnet } from "../../dist/model/address.js";
import { createNftablesPlane } from "../../dist/plane/nftables/nftables.js";

const CHANGES = 25;
const TASKS = 4;
const [count] = process.argv.slice(2).map(Number);

const backend = (address) => ({
  task: address,
  address: parseAddress(address),
  port: 8080,
  weight: 1,
  duty: "serving",
  node: undefined,
});

function service(at, first = 0) {
  const [high, low] = [at >> 8, at & 255];
  const vip = parseAddress(`10.64.${high}.${low}`);
  const backends = Array.from({ length: TASKS }, (_, task) =>
    backend(`10.${100 + ((first + task) % 100)}.${high}.${low}`),
  );
  const common = { balance: "weighted", affinityMs: 0, proxyProtocol: 0, backends };
  const frontend = { kind: "vip", vip, network: "front", protocol: "tcp", port: 80, ...common };
  return { name: `s${at}`, vips: [vip], frontends: [frontend] };
}

const services = new Map(Array.from({ length: count }, (_, at) => [`s${at}`, service(at + 1)]));
const stateOf = (services) => ({ services, pools: [parseSubnet("10.64.0.0/16")], peers: new Map() });
const plane = createNftablesPlane({ log: silentLog, isCleanup: true });

// What the event loop could not do meanwhile: a question that came would have waited as long.
let longestGapMs = 0;
let last = performance.now();
const ticking = new AbortController();
const ticks = (async () => {
  while (!ticking.signal.aborted) {
    await setTimeout(1);
    longestGapMs = Math.max(longestGapMs, performance.now() - last);
    last = performance.now();
  }
})();
const fullMs = await timed(stateOf(services));
const fullGapMs = longestGapMs;
longestGapMs = 0;
const changesMs = [];
let now = services;
for (let change = 1; change <= CHANGES; change++) {
  now = new Map(now).set("s7", service(8, change % 2));
  changesMs.push(await timed(stateOf(now)));
}
ticking.abort();
await ticks;
await plane[Symbol.asyncDispose]();
process.send({ fullMs, fullGapMs, changesMs, changeGapMs: longestGapMs });
process.disconnect();

async function timed(state) {
  const before = performance.now();
  const { troubles } = await plane.apply(state);
  const tookMs = performance.now() - before;
  if (troubles.length > 0) throw new Error(troubles[0].message);
  return tookMs;
}
