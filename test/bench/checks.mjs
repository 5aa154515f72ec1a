import { canPin, startChild } from "./child.mjs";
import { printTable } from "./table.mjs";

const KINDS = ["tcp", "http"];
const SIZES = [5000, 50_000];

/** What it costs to check tens of thousands of tasks. */
export async function checks() {
  const results = [];
  if (!canPin()) console.log("no taskset for cores 0 and 1: monitor and server share what cores there are");
  for (const kind of KINDS) {
    const ofKind = [];
    for (const size of SIZES) ofKind.push(await measure(kind, size));
    print(ofKind);
    results.push(...ofKind);
  }
  return results;
}

async function measure(kind, size) {
  const server = startChild("checks-server.mjs", [kind], { core: 0 });
  try {
    const port = await server.hear();
    const monitor = startChild("checks-monitor.mjs", [kind, size, port], { flags: ["--expose-gc"], core: 1 });
    try {
      return await monitor.hear();
    } finally {
      await monitor.end();
    }
  } finally {
    await server.end();
  }
}

function print(results) {
  const row = (label, figure) => [label, results.map(figure)];
  printTable(
    ["", ...results.map(({ kind, checks }) => `${kind}, ${checks} checks`)],
    [
      row("checks a second", ({ perSecond }) => perSecond),
      row("CPU a check, us", ({ userUs, systemUs }) => userUs + systemUs),
      row("  of it in the kernel", ({ systemUs }) => systemUs),
      row("share of one core, %", ({ coreShare }) => coreShare * 100),
      row("core taken by others, %", ({ waitedShare }) => waitedShare * 100),
      row("late by, p50, ms", ({ lateP50Ms }) => lateP50Ms),
      row("  p99", ({ lateP99Ms }) => lateP99Ms),
      row("  at most", ({ lateMaxMs }) => lateMaxMs),
      row("a probe takes, p50, ms", ({ tookP50Ms }) => tookP50Ms),
      row("  p99", ({ tookP99Ms }) => tookP99Ms),
      row("first round, ms", ({ firstRoundMs }) => firstRoundMs),
      row("resident memory a check, octets", ({ residentOctets, checks }) => residentOctets / checks),
      row("heap a check, octets", ({ heapOctets, checks }) => heapOctets / checks),
    ],
  );
  for (const { checks, results: counts, late, stalls, failures } of results) {
    const told = Object.entries({ ...counts, late, stalls }).map(([what, count]) => `${count} ${what}`);
    console.log(`${checks} checks: ${[told.join(", "), ...failures].join("; ")}`);
  }
}
