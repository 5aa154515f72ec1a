import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { cpuOfTree } from "./cpu.mjs";
import { quantile } from "./table.mjs";

/** The servers have the first one: Knot puts its thread there itself, whatever it was told. */
const LOAD_CORE = 1;
/** Sockets. */
const CLIENTS = 4;
/** At this rate nobody is busy, and a query waits for nothing but its answer. */
const LATENCY_RATE = 10_000;

/** Asks as fast as the server answers: what a query costs it, and how many it answers a second. */
export async function measureCost(server, files, seconds) {
  const before = await cpuOfTree(server.pid);
  const said = await dnsperf(server, files.fast, files.said, seconds);
  const cpuUs = (await cpuOfTree(server.pid)) - before;
  const number = (pattern) => Number(pattern.exec(said)?.[1] ?? Number.NaN);
  return {
    cpuUs: cpuUs / number(/Queries completed: +(\d+)/),
    rate: number(/Queries per second: +([\d.]+)/),
    lost: number(/Queries lost: +(\d+)/),
    rcodes: /Response codes: +(.*)/.exec(said)?.[1],
  };
}

/** Asks at a rate that leaves the server time: how long an answer takes, and what a query costs then. */
export async function measureLatency(server, files, seconds) {
  const before = await cpuOfTree(server.pid);
  const said = await dnsperf(server, files.calm, files.said, seconds, "-Q", LATENCY_RATE, "-v");
  const cpuUs = (await cpuOfTree(server.pid)) - before;
  const tookUs = [...said.matchAll(/^> .* (\d+\.\d{6})$/gm)].map(([, took]) => Number(took) * 1e6);
  const at = (share) => quantile(tookUs, share) ?? Number.NaN; // of nobody, if all were lost
  return { p50Us: at(0.5), p99Us: at(0.99), calmCpuUs: cpuUs / tookUs.length };
}

/** What it says goes to a file, and is read afterwards: who reads a pipe needs one of the cores meanwhile. */
async function dnsperf({ address, port, enter }, queries, said, seconds, ...more) {
  const sink = await open(said, "w");
  try {
    const load = ["-d", queries, "-l", seconds, "-c", CLIENTS, "-e", ...more];
    const asked = ["dnsperf", "-s", address, "-p", port, "-f", "inet", ...load];
    const words = [...enter, "taskset", "--cpu-list", LOAD_CORE, ...asked].map(String);
    const child = spawn(words[0], words.slice(1), { stdio: ["ignore", sink.fd, "inherit"] });
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`dnsperf ended with ${code}: ${words.join(" ")}`);
  } finally {
    await sink.close();
  }
  return readFile(said, "utf8");
}
