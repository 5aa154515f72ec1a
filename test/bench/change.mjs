import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "./child.mjs";
import { queryFor } from "./question.mjs";
import { printTable, quantile } from "./table.mjs";

const SIZES = [100, 100_000];
const WARM_UP_TURNS = 200;
const TURNS = 1000;
/** Each waits until the file stands still. */
const EDIT_WARM_UP_TURNS = 10;
const EDIT_TURNS = 200;
/** How many tasks of a service are in its answer, or one less. */
const TASKS = 10;
/** The service in the file. */
const EDITED = "edited";
/** At most so long, by chance, from an answer that shows a change to the next one: so none is in step with queries. */
const PAUSE_MS = 3;
const DEADLINE_MS = 240_000;

/** How soon a client sees what a health check found, what a program declared, and what somebody wrote into a file. */
export async function change() {
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-change-"));
  try {
    const results = [];
    for (const tasks of SIZES) results.push(await measure(tasks, folder));
    print(results);
    return results;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(tasks, folder) {
  const file = join(folder, `${tasks}.json`);
  await edit(file, TASKS);
  const rota = startChild("change-server.mjs", [tasks, file]);
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const socket = createSocket("udp4");
  try {
    const { port, names } = await rota.hear();
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect", { signal: deadline });
    const client = createClient(socket, deadline);
    const inServer = (change) => async (answers) => {
      rota.tell({ change, answers });
      return rota.hear(); // one clock for both processes
    };
    const inFile = async (answers) => {
      const began = process.hrtime.bigint();
      await edit(file, answers);
      return { began, returned: process.hrtime.bigint() };
    };

    await turnOften(WARM_UP_TURNS, names.verdict, client, inServer("verdict"));
    rota.tell({ isOver: false });
    const verdict = await turnOften(TURNS, names.verdict, client, inServer("verdict"));
    rota.tell({ isOver: true });
    const delay = await rota.hear();
    await turnOften(WARM_UP_TURNS, names.declare, client, inServer("declare"));
    const declare = await turnOften(TURNS, names.declare, client, inServer("declare"));
    await turnOften(EDIT_WARM_UP_TURNS, EDITED, client, inFile);
    const edited = await turnOften(EDIT_TURNS, EDITED, client, inFile);
    return { tasks, turns: TURNS, verdict, declare, editTurns: EDIT_TURNS, edit: edited, delay };
  } finally {
    socket.close();
    await rota.end();
  }
}

/**
 * Changes how many tasks a service has, by one, again and again, and asks without a pause: how long until an answer shows
 * it, how long the call took alone, and how long any query takes.
 */
async function turnOften(turns, service, client, change) {
  const query = queryFor(`${service}.rota.internal`);
  const seenMs = [];
  const callMs = [];
  client.roundTripsMs.length = 0;
  for (let turn = 0; turn < turns; turn++) {
    const answers = turn % 2 === 1 ? TASKS : TASKS - 1;
    const changing = change(answers);
    while ((await client.ask(query)) !== answers);
    const seen = process.hrtime.bigint();
    const { began, returned } = await changing;
    seenMs.push(msBetween(began, seen));
    callMs.push(msBetween(began, returned));
    const until = performance.now() + Math.random() * PAUSE_MS;
    while (performance.now() < until) await client.ask(query);
  }
  const figures = { seen: quantiles(seenMs), call: quantiles(callMs) };
  return { ...figures, roundTrip: quantiles(client.roundTripsMs) };
}

function msBetween(from, to) {
  return Number(BigInt(to) - BigInt(from)) / 1e6;
}

function quantiles(figures) {
  return { p50Ms: quantile(figures, 0.5), p99Ms: quantile(figures, 0.99), maxMs: quantile(figures, 1) };
}

/** Asks over and over; its answer is how many records came. */
function createClient(socket, deadline) {
  const roundTripsMs = [];

  return {
    roundTripsMs,
    async ask(query) {
      const asked = performance.now();
      socket.send(query);
      const [answer] = await once(socket, "message", { signal: deadline });
      roundTripsMs.push(performance.now() - asked);
      return answer.readUInt16BE(6);
    },
  };
}

/** Writes the file with one service of so many tasks. */
async function edit(file, count) {
  const tasks = Array.from({ length: count }, (_, task) => `10.251.0.${task}`);
  await writeFile(file, JSON.stringify({ services: { [EDITED]: { endpoint_mode: "dnsrr", tasks } } }));
}

function print(results) {
  const row = (label, figure) => [label, results.map(figure)];
  const rows = (label, of) => [
    row(`${label}, p50, ms`, (result) => of(result).p50Ms),
    row("  p99", (result) => of(result).p99Ms),
    row("  at most", (result) => of(result).maxMs),
  ];
  printTable(
    ["", ...results.map(({ tasks }) => `${tasks} tasks`)],
    [
      ...rows("verdict to changed answer", ({ verdict }) => verdict.seen),
      row("  the server's own `delay`, mean, ms", ({ delay }) => delay.meanMs),
      row("    p99, within", ({ delay }) => delay.p99WithinMs),
      ...rows("declare to changed answer", ({ declare }) => declare.seen),
      ...rows("declare alone", ({ declare }) => declare.call),
      ...rows("edit of a file to changed answer", ({ edit }) => edit.seen),
      ...rows("any query's round trip", ({ verdict }) => verdict.roundTrip),
    ],
  );
}
