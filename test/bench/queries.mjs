import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canPin } from "./child.mjs";
import { dockerServer } from "./queries-docker.mjs";
import { measureCost, measureLatency } from "./queries-load.mjs";
import { MIXES } from "./queries-names.mjs";
import {
  isInstalled,
  listServers,
  obstacleTo,
  startServer,
  versionOf,
  writeFiles,
} from "./queries-servers.mjs";
import { median, printAligned } from "./table.mjs";

const { env } = process;
const ROUNDS = Number(env.ROTA_BENCH_ROUNDS ?? 3);
/** Of asking as fast as answers come; then comes a while at 10,000 a second, and before the first round one to warm up. */
const SECONDS = Number(env.ROTA_BENCH_SECONDS ?? 1.5);
const CALM_SECONDS = SECONDS * 0.6;
const WARM_UP_SECONDS = Math.max(SECONDS, 1);
/** What is asked; all unless said. */
const KEYS = env.ROTA_BENCH_MIXES?.split(",") ?? MIXES.map(({ key }) => key);

/** What an answer costs, beside other servers: the same names, the same answers, one core each. */
export async function queries() {
  const obstacle = obstacleToQueries();
  if (obstacle !== undefined) {
    console.log(`queries: left out, ${obstacle}`);
    return { leftOut: obstacle };
  }
  const mixes = MIXES.filter(({ key }) => KEYS.includes(key));
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-queries-"));
  const servers = [];
  try {
    await writeFiles(folder);
    const versions = await startAll(servers, mixes, folder);
    const rows = [];
    for (const mix of mixes) rows.push(...(await measureMix(mix, servers, folder)));
    print(rows);
    return { rounds: ROUNDS, seconds: SECONDS, versions, rows };
  } finally {
    for (const { end } of servers) await end();
    await rm(folder, { recursive: true });
  }
}

function obstacleToQueries() {
  if (!isInstalled("dnsperf")) return "not installed: apt-get install dnsperf";
  if (!isInstalled("setpriv")) return "not installed: apt-get install util-linux";
  if (!canPin()) return "no two cores, or no taskset: a server and dnsperf need one each";
  const unknown = KEYS.filter((key) => !MIXES.some((mix) => mix.key === key));
  if (unknown.length > 0)
    throw new Error(`there is no mix ${unknown.join()}: write ${MIXES.map(({ key }) => key).join()}`);
  return undefined;
}

/** All are there from the beginning to the end, so that they can be asked in turn; who is not asked does nothing. */
async function startAll(servers, mixes, folder) {
  const versions = {};
  for (const server of [...listServers(), dockerServer()]) {
    if (!mixes.some((mix) => isAsked(server, mix))) continue;
    const obstacle = obstacleTo(server) ?? (await begin(server));
    versions[server.name] = obstacle ?? versionOf(server);
    if (versions[server.name] !== undefined) console.log(`${server.name}: ${versions[server.name]}`);
  }
  return versions;

  /** Why it could not be started: others are asked all the same. */
  async function begin(server) {
    try {
      servers.push(await (server.start ?? startServer)(server, folder));
      return undefined;
    } catch (error) {
      return `left out, ${error.message}`;
    }
  }
}

function isAsked({ mixes }, { key }) {
  return mixes === undefined || mixes.includes(key);
}

async function measureMix(mix, servers, folder) {
  console.log(`${mix.label} ...`);
  const runs = [];
  for (const server of servers.filter((one) => isAsked(one, mix))) {
    const mistake = await server.mistake?.(mix);
    runs.push({ mix, server, mistake, rounds: [] });
  }
  const files = await writeQueries(mix, folder);
  for (const { server } of runs) await measureCost(server, files, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    await writeQueries(mix, folder);
    // Another one begins each round: what comes and goes on the machine is not to meet the same one.
    const first = (round * 2) % runs.length;
    for (const run of [...runs.slice(first), ...runs.slice(0, first)]) {
      const cost = await measureCost(run.server, files, SECONDS);
      const calm = await measureLatency(run.server, files, CALM_SECONDS);
      run.rounds.push({ ...cost, ...calm });
    }
  }
  return runs.map((run) => summarize(run, runs));
}

/** What is asked next, the same of all servers: at full speed, and something else of the kind at ease. */
async function writeQueries(mix, folder) {
  const files = { fast: join(folder, "fast"), calm: join(folder, "calm"), said: join(folder, "said") };
  for (const path of [files.fast, files.calm]) await writeFile(path, `${mix.lines().join("\n")}\n`);
  return files;
}

function summarize({ mix, server, mistake, rounds }, runs) {
  const middle = (key) => median(rounds.map((round) => round[key]));
  /** By the rounds: what was measured in the same seconds is compared. */
  const ratioTo = (isOther) => {
    const other = runs.find((run) => isOther(run.server));
    if (other === undefined) return undefined;
    return median(rounds.map(({ cpuUs }, round) => cpuUs / other.rounds[round].cpuUs));
  };
  return {
    mix: mix.label,
    server: server.name,
    cpuUs: middle("cpuUs"),
    toKnot: ratioTo(({ name }) => name === "Knot"),
    toDnsmasq: ratioTo(({ name }) => name === "dnsmasq"),
    toEcho: server.isDgram ? ratioTo(({ isEcho }) => isEcho) : undefined,
    rate: middle("rate"),
    p50Us: middle("p50Us"),
    p99Us: middle("p99Us"),
    calmCpuUs: middle("calmCpuUs"),
    remark: mistake ?? remarkOn(mix, server, rounds),
    rounds,
  };
}

/** What came of all the queries, where the one that was checked was right. */
function remarkOn({ check }, { isEcho }, rounds) {
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0);
  if (lost > 0) return `${lost} lost`;
  const other = rounds.find(
    ({ rcodes }) => !new RegExp(`^${check.rcode} \\d+ \\(100\\.00%\\)$`).test(rcodes),
  );
  return other && !isEcho ? other.rcodes : undefined;
}

function print(rows) {
  const head = ["", "", "CPU, us/query", "x Knot", "x dnsmasq", "x echo", "answers/s"];
  const calm = ["at 10,000/s: p50, us", "p99", "CPU, us/query"];
  const lines = rows.map((row, at) => [
    row.mix === rows[at - 1]?.mix ? "" : row.mix,
    row.server,
    row.cpuUs.toFixed(1),
    ...[row.toKnot, row.toDnsmasq, row.toEcho].map((ratio) => ratio?.toFixed(2) ?? "-"),
    Math.round(row.rate).toLocaleString("en"),
    ...[row.p50Us, row.p99Us].map((figure) => figure.toFixed(0)),
    row.calmCpuUs.toFixed(1),
    row.remark ?? "",
  ]);
  printAligned([[...head, ...calm, ""], ...lines], 2);
}
