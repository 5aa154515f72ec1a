import { startChild } from "./child.mjs";
import { askAll } from "./forward-client.mjs";
import { slowestOfClients } from "./forward-container.mjs";
import { quantile } from "./table.mjs";

const NAMES = 1000;
/** Of an upstream that takes long for its own sake, or has no other beside it. */
const FEW_NAMES = 200;
const AT_A_TIME = 8;
const CACHE_SIZE = 2 ** 24;

/** What the first upstream does with which share of its queries; the rest it answers well. */
const CASES = [
  { kind: "is good", share: 1 },
  { kind: "drops it", share: 0.3 },
  { kind: "drops it", share: 1, isDead: true },
  { kind: "takes 300 ms", share: 1, isSlow: true },
  { kind: "replies under another id", share: 0.3 },
  { kind: "replies from another port", share: 0.3 },
  { kind: "replies to another question", share: 0.3 },
  { kind: "replies with TC", share: 0.3 },
  { kind: "says SERVFAIL", share: 0.3 },
  { kind: "sends garbage", share: 0.3 },
];

/** How names of others are answered when upstreams do not do as they should; fails if one answer is wrong. */
export async function forward() {
  const results = [];
  for (const isAlone of [false, true]) {
    for (const each of CASES) {
      if (!(isAlone && each.isDead)) results.push(await measure(each, isAlone));
    }
  }
  print(results);
  const clients = await slowestOfClients();
  printClients(clients);
  const wrong = results.reduce((sum, result) => sum + result.wrong, 0);
  if (wrong > 0) {
    console.error(`${wrong} answers were wrong`);
    process.exitCode = 1;
  }
  return { upstreams: results, clients };
}

async function measure({ kind, share, isSlow = false }, isAlone) {
  const names = isSlow || isAlone ? FEW_NAMES : NAMES;
  const first = startChild("forward-upstream.mjs", [kind, share]);
  const second = isAlone ? undefined : startChild("forward-upstream.mjs", ["is good", 1]);
  const children = [first, ...(second ? [second] : [])];
  try {
    const forwards = [];
    for (const child of children) forwards.push(`127.0.0.1:${(await child.hear()).port}`);
    const rota = startChild("forward-server.mjs", [forwards.join(","), "127.0.0.1:0", CACHE_SIZE]);
    children.push(rota);
    const { port } = await rota.hear();
    const ask = (numbers) => askAll(port, numbers, AT_A_TIME);
    await ask(range(names, names)); // so that the code is compiled
    const missed = await timed(rota, () => ask(range(0, names)));
    const kept = await timed(rota, () => ask(range(0, names)));
    return {
      first: share === 1 ? kind : `${kind}, ${share * 100} %`,
      isAlone,
      names,
      ...missed.counts,
      wrong: missed.counts.wrong + kept.counts.wrong,
      missedMs: spread(missed.tookMs),
      keptMs: spread(kept.tookMs),
      missedCpuUs: missed.cpuUs / names,
      keptCpuUs: kept.cpuUs / names,
      late: missed.late,
    };
  } finally {
    for (const child of children) await child.end();
  }
}

/** What it brought, with what Rota did meanwhile. */
async function timed(rota, act) {
  const before = await countersOf(rota);
  const found = await act();
  const after = await countersOf(rota);
  return { ...found, cpuUs: after.cpuUs - before.cpuUs, late: after.late - before.late };
}

async function countersOf(rota) {
  rota.tell({});
  return rota.hear();
}

function range(from, count) {
  return Array.from({ length: count }, (_, at) => from + at);
}

function spread(figures) {
  return { p50: quantile(figures, 0.5), p99: quantile(figures, 0.99), max: quantile(figures, 1) };
}

function print(results) {
  const head = [
    "",
    "right, %",
    "wrong",
    "p50",
    "p99",
    "max, ms",
    "CPU, us",
    "kept: p50",
    "p99",
    "max, ms",
    "CPU, us",
  ];
  for (const isAlone of [false, true]) {
    const rows = results.filter((result) => result.isAlone === isAlone).map(rowOf);
    printColumns([[isAlone ? "the only upstream" : "the first of two", ...head.slice(1)], ...rows]);
  }
}

function rowOf({ first, names, right, wrong, missedMs, keptMs, missedCpuUs, keptCpuUs }) {
  const share = ((right / names) * 100).toFixed(2);
  const missed = [...figuresOf(missedMs), missedCpuUs.toFixed(0)];
  return [first, share, String(wrong), ...missed, ...figuresOf(keptMs), keptCpuUs.toFixed(0)];
}

function printClients(clients) {
  printColumns([
    ["the first of two upstreams is dead", "median", "slowest, ms", "nobody dead: slowest, ms", "of", ""],
    ...clients.map(({ client, medianMs, slowestMs, aliveMs, count, name, isRight }) => [
      client,
      medianMs.toFixed(1),
      slowestMs.toFixed(1),
      aliveMs.toFixed(1),
      String(count),
      isRight ? name : `${name}, and answers were wrong`,
    ]),
  ]);
}

function figuresOf({ p50, p99, max }) {
  return [p50, p99, max].map((ms) => ms.toFixed(ms < 10 ? 2 : 0));
}

function printColumns(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  for (const [first, ...rest] of lines) {
    const cells = rest.map((cell, at) => cell.padStart(widths[at + 1]));
    console.log([first.padEnd(widths[0]), ...cells].join("  "));
  }
}
