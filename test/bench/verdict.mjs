import { createSocket } from "node:dgram";
import { once } from "node:events";
import { startChild } from "./child.mjs";
import { printTable, quantile } from "./table.mjs";

const SIZES = [100, 100_000];
const WARM_UP_TURNS = 200;
const TURNS = 1000;
/** At most so long, by chance, from an answer that shows a verdict to the next verdict: so none is in step with queries. */
const PAUSE_MS = 3;
const DEADLINE_MS = 120_000;
const TYPE_A = 1;
const CLASS_IN = 1;

/** How soon a client sees what a health check found. */
export async function verdict() {
  const results = [];
  for (const tasks of SIZES) results.push(await measure(tasks));
  print(results);
  return results;
}

async function measure(tasks) {
  const rota = startChild("verdict-server.mjs", [tasks]);
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const socket = createSocket("udp4");
  try {
    const { port, service, answers } = await rota.hear();
    socket.connect(port, "127.0.0.1");
    await once(socket, "connect", { signal: deadline });
    const client = createClient(socket, queryFor(service), deadline);
    await turnOften(WARM_UP_TURNS, rota, client, answers);
    client.roundTripsMs.length = 0;
    rota.tell({ isOver: false });
    const seenMs = await turnOften(TURNS, rota, client, answers);
    rota.tell({ isOver: true });
    const delay = await rota.hear();
    return {
      tasks,
      turns: TURNS,
      p50Ms: quantile(seenMs, 0.5),
      p99Ms: quantile(seenMs, 0.99),
      maxMs: quantile(seenMs, 1),
      roundTripMs: quantile(client.roundTripsMs, 0.5),
      roundTripP99Ms: quantile(client.roundTripsMs, 0.99),
      delayMeanMs: delay.meanMs,
      delayP99WithinMs: delay.p99WithinMs,
    };
  } finally {
    socket.close();
    await rota.end();
  }
}

/** Turns the verdict on one task again and again, and asks without a pause: how long until an answer shows it. */
async function turnOften(turns, rota, client, answers) {
  const seenMs = [];
  for (let turn = 0; turn < turns; turn++) {
    const isPassing = turn % 2 === 1;
    rota.tell({ turn: isPassing ? "passing" : "failing" });
    while ((await client.ask()) !== (isPassing ? answers : answers - 1));
    const seen = process.hrtime.bigint();
    const { reported } = await rota.hear();
    seenMs.push(Number(seen - BigInt(reported)) / 1e6); // one clock for both processes
    const until = performance.now() + Math.random() * PAUSE_MS;
    while (performance.now() < until) await client.ask();
  }
  return seenMs;
}

/** Asks one thing over and over; its answer is how many records came. */
function createClient(socket, query, deadline) {
  const roundTripsMs = [];

  return {
    roundTripsMs,
    async ask() {
      const asked = performance.now();
      socket.send(query);
      const [answer] = await once(socket, "message", { signal: deadline });
      roundTripsMs.push(performance.now() - asked);
      return answer.readUInt16BE(6);
    },
  };
}

/** A query as dig sends it, without EDNS: RFC 1035 section 4.1. */
function queryFor(service) {
  const labels = [service, "rota", "internal", ""];
  const name = labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = [4711, 0x0100, 1, 0, 0, 0]; // RD; one question
  return Buffer.concat([words(header), ...name, words([TYPE_A, CLASS_IN])]);
}

function words(numbers) {
  return Buffer.from(Uint16Array.from(numbers).buffer).swap16();
}

function print(results) {
  const row = (label, figure) => [label, results.map(figure)];
  printTable(
    ["", ...results.map(({ tasks }) => `${tasks} tasks`)],
    [
      row("verdict to changed answer, p50, ms", ({ p50Ms }) => p50Ms),
      row("  p99", ({ p99Ms }) => p99Ms),
      row("  at most", ({ maxMs }) => maxMs),
      row("any query's round trip, p50, ms", ({ roundTripMs }) => roundTripMs),
      row("  p99", ({ roundTripP99Ms }) => roundTripP99Ms),
      row("the server's own `delay`, mean, ms", ({ delayMeanMs }) => delayMeanMs),
      row("  p99, within", ({ delayP99WithinMs }) => delayP99WithinMs),
    ],
  );
}
