import { startChild } from "./child.mjs";
import { obstacleToEngine, startEngine } from "./docker-engine.mjs";
import { printTable, quantile } from "./table.mjs";

const WARM_UP_TURNS = 5;
const TURNS = 50;
/** What two containers are called: one that stays, and one that comes and goes. */
const NAME = "pair";
/** The engine's own bridge has it: one of the machine's addresses, to which all bridges lead. */
const ROTA_ADDRESS = "172.17.0.1";
const DOCKER_ADDRESS = "127.0.0.11";
const DEADLINE_MS = 20_000;

/** How soon a container sees that another was started or killed: by Docker's own server, and by Rota. */
export async function docker() {
  const obstacle = obstacleToEngine();
  if (obstacle !== undefined) {
    console.log(`docker: skipped, ${obstacle}`);
    return { skipped: obstacle };
  }
  const engine = await startEngine();
  const children = [];
  const start = (...args) => {
    const child = startChild(...args);
    children.push(child);
    return child;
  };
  try {
    engine.docker("network", "create", "one");
    for (const name of ["stays", "comes", "asks"]) {
      const alias = name === "asks" ? [] : ["--network-alias", NAME];
      engine.run(name, ...alias);
    }
    const pid = engine.docker("inspect", "--format", "{{.State.Pid}}", "asks");
    const inside = { enter: ["nsenter", `--net=/proc/${pid}/ns/net`] };
    const rota = start("docker-server.mjs", [engine.address, ROTA_ADDRESS], { enter: engine.enter });
    const { port } = await rota.hear();
    const askers = [
      await startAsker(start("docker-asker.mjs", [NAME, DOCKER_ADDRESS, 53], inside)),
      await startAsker(start("docker-asker.mjs", [NAME, ROTA_ADDRESS, port], inside)),
    ];
    await turnOften(WARM_UP_TURNS, engine, askers);
    const turns = await turnOften(TURNS, engine, askers);
    const results = Object.entries(turns).map(([change, tries]) => resultOf(change, tries));
    print(results);
    return results;
  } finally {
    for (const child of children) await child.end();
    await engine.end();
  }
}

/** Who asks all the time: waits until the answer has so many addresses, and says when that was. */
async function startAsker(child) {
  const asker = {
    async until(answers) {
      const deadline = AbortSignal.timeout(DEADLINE_MS);
      for (;;) {
        const heard = await Promise.race([child.hear(), rejection(deadline)]);
        if (heard.answers === answers) return BigInt(heard.at);
      }
    },
  };
  await asker.until(2);
  return asker;
}

async function rejection(signal) {
  await new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("no answer has changed")), { once: true });
  });
}

/** Kills and starts a container again and again; both see the same of it. */
async function turnOften(turns, engine, askers) {
  const kills = [];
  const starts = [];
  for (let turn = 0; turn < turns; turn++) {
    kills.push(await measure(engine, "/containers/comes/kill", 1, askers));
    starts.push(await measure(engine, "/containers/comes/start", 2, askers));
  }
  return { "docker kill": kills, "docker start": starts };
}

async function measure(engine, path, answers, askers) {
  const seen = Promise.all(askers.map(async (asker) => asker.until(answers)));
  const began = process.hrtime.bigint();
  await engine.post(path);
  const returned = process.hrtime.bigint();
  const at = await seen; // one clock for all processes
  return {
    fromBeginMs: at.map((one) => msBetween(began, one)),
    fromReturnMs: at.map((one) => msBetween(returned, one)),
    callMs: msBetween(began, returned),
  };
}

function msBetween(from, to) {
  return Number(BigInt(to) - BigInt(from)) / 1e6;
}

function resultOf(change, tries) {
  const both = (take) => [0, 1].map((who) => tries.map((one) => take(one)[who]));
  const [docker, rota] = both(({ fromBeginMs }) => fromBeginMs).map(quantiles);
  const [dockerAfter, rotaAfter] = both(({ fromReturnMs }) => fromReturnMs).map(quantiles);
  return {
    change,
    turns: tries.length,
    call: quantiles(tries.map(({ callMs }) => callMs)),
    docker,
    rota,
    dockerAfter,
    rotaAfter,
  };
}

function quantiles(figures) {
  return { p50Ms: quantile(figures, 0.5), p99Ms: quantile(figures, 0.99) };
}

function print(results) {
  const rows = results.flatMap(({ change, docker, rota }) => [
    [`${change} to changed answer, p50, ms`, [docker.p50Ms, rota.p50Ms]],
    ["  p99", [docker.p99Ms, rota.p99Ms]],
  ]);
  printTable(["", DOCKER_ADDRESS, "Rota"], rows);
  for (const { change, call, dockerAfter, rotaAfter } of results) {
    const after = ({ p50Ms, p99Ms }) => `p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)}`;
    console.log(`${change}: the call itself takes ${after(call)} ms; counted from its return:`);
    console.log(
      `  ${DOCKER_ADDRESS} ${after(dockerAfter)} ms; Rota ${after(rotaAfter)} ms (less than 0: before it)`,
    );
  }
}
