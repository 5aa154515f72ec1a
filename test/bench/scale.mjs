import { spawn, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canPin, startChild } from "./child.mjs";
import { isVip, nameOf, TASKS } from "./scale-services.mjs";
import { printTable } from "./table.mjs";

const { env } = process;
/** In tasks. */
const SIZES = (env.ROTA_BENCH_SIZES ?? "100,10000,100000,1000000").split(",").map(Number);
const SECONDS = Number(env.ROTA_BENCH_SECONDS ?? 5);
const CHANGES = Number(env.ROTA_BENCH_CHANGES ?? 5000);
/** Names that are asked for, and each time as many that do not exist. */
const NAMES = 2500;
/** Node gives a process half of the memory, and 4 GiB at most: to check a million tasks takes more for a while. */
const FLAGS = ["--expose-gc", "--max-old-space-size=8192"];

/** What a query, a change and a task cost, by how many tasks there are. */
export async function scale() {
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-scale-"));
  try {
    const results = [];
    for (const tasks of SIZES) results.push(await measure(tasks, join(folder, "questions")));
    print(results);
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(tasks, questions) {
  const server = startChild("scale-server.mjs", [tasks], { flags: FLAGS, core: 0 });
  try {
    const started = await server.hear();
    server.tell({ changes: CHANGES });
    const changes = await server.hear();
    await writeFile(questions, createQuestions(tasks));
    const queryUs = await costOfQueries(server, questions, started.port);
    return { tasks, ...started, ...changes, queryUs };
  } finally {
    await server.end();
  }
}

/** A VIP, the ten addresses of a dnsrr service, SRV, and what does not exist, in equal parts. */
function createQuestions(tasks) {
  const count = Math.ceil(tasks / TASKS);
  const lines = Array.from({ length: NAMES }, (_, at) => {
    const service = (at * 7919) % count;
    const even = isVip(service) ? service : service - 1;
    const odd = Math.min(even + 1, count - 1);
    return [
      `${nameOf(even)}.rota.internal A`,
      `${nameOf(odd)}.rota.internal A`,
      `_http._tcp.${nameOf(service)}.rota.internal SRV`,
      `missing-${at}-${tasks}.rota.internal A`,
    ].join("\n");
  });
  return `${lines.join("\n")}\n`;
}

/** CPU that the server's process used a query, as fast as dnsperf asks; undefined: there is no dnsperf. */
async function costOfQueries(server, questions, port) {
  if (spawnSync("dnsperf", ["-h"]).error) return NaN;
  await perform(questions, port, SECONDS); // each is asked several times, and what is kept of it is there
  server.tell({ isCounting: true });
  await server.hear();
  const queries = await perform(questions, port, SECONDS);
  server.tell({ isCounting: true });
  const { cpuUs } = await server.hear();
  return cpuUs / queries;
}

/** How many answers came. */
async function perform(questions, port, seconds) {
  const command = [
    "dnsperf",
    "-s",
    "127.0.0.1",
    "-p",
    port,
    "-d",
    questions,
    "-l",
    seconds,
    "-c",
    8,
    "-q",
    200,
  ];
  const [program, ...args] = canPin() ? ["taskset", "--cpu-list", 1, ...command] : command;
  const child = spawn(program, args.map(String), { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  for await (const part of child.stdout) text += part;
  const completed = /Queries completed:\s+(\d+)/.exec(text)?.[1];
  if (completed === undefined || completed === "0") throw new Error(`dnsperf got no answers: ${text}`);
  return Number(completed);
}

function print(results) {
  const of = (take) => results.map(take);
  printTable(
    ["", ...of(({ tasks }) => `${tasks} tasks`)],
    [
      ["start to first answer, ms", of(({ startMs }) => startMs)],
      ["resident memory for it, MiB", of(({ residentOctets }) => residentOctets / 2 ** 20)],
      ["  a task, octets", of(({ residentOctets, tasks }) => residentOctets / tasks)],
      ["heap for it, a task, octets", of(({ heapOctets, tasks }) => heapOctets / tasks)],
      ["declare of a service, p50, us", of(({ declares }) => declares.p50)],
      ["  p99, us", of(({ declares }) => declares.p99)],
      ["verdict, p50, us", of(({ verdicts }) => verdicts.p50)],
      ["  p99, us", of(({ verdicts }) => verdicts.p99)],
      ["CPU a query, us", of(({ queryUs }) => queryUs)],
    ],
  );
}
