import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { addressesOf } from "./addresses.mjs";
import { median, printTable } from "./table.mjs";

const SIZES = [100, 10_000];
const TASKS = 10;
const RUNS = 3;
const CHANGES = 5;
const SERVER = new URL("load-server.mjs", import.meta.url);

/** How the cost of a services file grows with the number of services. */
export async function load() {
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-"));
  try {
    const results = [];
    for (const services of SIZES) {
      const runs = [];
      for (let run = 0; run < RUNS; run++) runs.push(await measure(join(folder, "services.yaml"), services));
      results.push(summarize(services, runs));
    }
    print(results);
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(file, services) {
  const roster = createRoster(services);
  await writeFile(file, formatFile(roster));
  const server = fork(SERVER, [file, roster[0].name], { execArgv: ["--expose-gc"] });
  try {
    const [started] = await once(server, "message");
    const edits = [];
    const slowest = [];
    const declarations = [];
    for (let change = 1; change <= CHANGES; change++) {
      const edit = await timeEdit(file, roster, change, started.port);
      edits.push(edit.elapsedMs);
      slowest.push(edit.slowestMs);
      server.send({ declare: change, tasks: TASKS });
      const [{ elapsedMs }] = await once(server, "message");
      declarations.push(elapsedMs);
    }
    const [editMs, slowestMs, declareMs] = [edits, slowest, declarations].map(median);
    return { ...started, editMs, slowestMs, declareMs };
  } finally {
    const exited = once(server, "exit");
    server.disconnect();
    await exited;
  }
}

/** Changes one task in the middle of the file, and asks until the answer shows it. */
async function timeEdit(file, roster, change, port) {
  const { name, tasks } = roster[Math.floor(roster.length / 2)];
  const address = `10.255.0.${change}`;
  tasks[0] = address;
  const text = formatFile(roster);
  const deadline = AbortSignal.timeout(120_000);
  const started = performance.now();
  const written = writeFile(file, text);
  let slowestMs = 0;
  for (let isChanged = false; !isChanged;) {
    // Not at full speed: whoever asks would slow down what is measured.
    await setTimeout(1, undefined, { signal: deadline });
    const asked = performance.now();
    isChanged = (await addressesOf(name, port)).includes(address);
    slowestMs = Math.max(slowestMs, performance.now() - asked);
  }
  const elapsedMs = performance.now() - started;
  await written;
  return { elapsedMs, slowestMs };
}

function createRoster(services) {
  return Array.from({ length: services }, (_, service) => ({
    name: `service-${service}`,
    tasks: Array.from({ length: TASKS }, (_, task) => {
      const number = service * TASKS + task;
      return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
    }),
  }));
}

function formatFile(roster) {
  const services = roster.map(
    ({ name, tasks }) =>
      `  ${name}:\n    endpoint_mode: dnsrr\n    ports: ["80:8080"]\n    tasks:\n` +
      tasks.map((address) => `      - ${address}\n`).join(""),
  );
  return `services:\n${services.join("")}`;
}

function summarize(services, runs) {
  const of = (key) => median(runs.map((run) => run[key]));
  const tasks = services * TASKS;
  return {
    services,
    tasks,
    fileOctets: formatFile(createRoster(services)).length,
    startMs: of("startMs"),
    residentOctets: of("residentOctets"),
    heapOctets: of("heapOctets"),
    editMs: of("editMs"),
    slowestMs: of("slowestMs"),
    declareMs: of("declareMs"),
  };
}

function print(results) {
  const mebi = (octets) => octets / 2 ** 20;
  printTable(
    ["", ...results.map(({ services, tasks }) => `${services} services, ${tasks} tasks`)],
    [
      ["file, MiB", results.map(({ fileOctets }) => mebi(fileOctets))],
      ["start to first answer, ms", results.map(({ startMs }) => startMs)],
      ["resident memory for it, MiB", results.map(({ residentOctets }) => mebi(residentOctets))],
      ["  a task, octets", results.map(({ residentOctets, tasks }) => residentOctets / tasks)],
      ["heap for it, MiB", results.map(({ heapOctets }) => mebi(heapOctets))],
      ["  a task, octets", results.map(({ heapOctets, tasks }) => heapOctets / tasks)],
      ["edit of one task to changed answer, ms", results.map(({ editMs }) => editMs)],
      ["  slowest answer meanwhile, ms", results.map(({ slowestMs }) => slowestMs)],
      ["declare to changed answer, ms", results.map(({ declareMs }) => declareMs)],
    ],
  );
}
