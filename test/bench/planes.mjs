import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { text } from "node:stream/consumers";
import { startChild } from "./child.mjs";
import { haproxyConfig, NODE, obstacleToLab, openLab, TASKS } from "./planes-lab.mjs";
import { median, quantile } from "./table.mjs";

const ROUNDS = 3;
/** Each over a connection of its own. */
const REQUESTS = 40_000;
const AT_A_TIME = 16;
const SIZES = [1000, 10_000];
const ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];

/** What connections and octets cost by each way to a task, and how long the kernel takes to be told. */
export async function planes() {
  const obstacle = obstacleToLab();
  if (obstacle !== undefined) {
    console.log(`planes: left out, ${obstacle}`);
    return { leftOut: obstacle };
  }
  const lab = await openLab();
  try {
    return await measureAll(lab);
  } finally {
    await lab.close();
  }
}

async function measureAll(lab) {
  const ways = [
    { name: "direct", url: `http://${TASKS[0]}:8080/`, iperf: [TASKS[0], 5201] },
    { name: "nftables", plane: "nftables" },
    { name: "userspace", plane: "userspace" },
    { name: "haproxy" },
  ];
  const rounds = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of ways) {
      console.log(`round ${round + 1}: ${way.name}`);
      rounds.push({ name: way.name, ...(await measure(lab, way)) });
    }
  }
  const traffic = ways.map(({ name }) =>
    summary(
      name,
      rounds.filter((one) => one.name === name),
    ),
  );
  const haproxy = traffic.at(-1);
  console.log("\nway         connections/s  x haproxy  errors  Gbit/s  CPU of the proxy, us/connection");
  for (const { name, rate, gbits, errors, cpuUs } of traffic) {
    const share = (rate / haproxy.rate).toFixed(2);
    const cells = [String(Math.round(rate)).padStart(13), share.padStart(9), String(errors).padStart(6)];
    console.log(
      [name.padEnd(10), ...cells, gbits.toFixed(1).padStart(6), cpuUs?.toFixed(0) ?? "-"].join("  "),
    );
  }

  const applied = [];
  for (const size of SIZES) applied.push({ size, ...(await apply(size)) });
  console.log(
    "\nservices x 4 tasks  full apply  one-task change p50 / p99  longest gap of the event loop, full / change",
  );
  for (const { size, fullMs, changesMs, fullGapMs, changeGapMs } of applied) {
    const [p50, p99] = [0.5, 0.99].map((share) => `${quantile(changesMs, share).toFixed(1)} ms`);
    const gaps = `${fullGapMs.toFixed(0)} ms / ${changeGapMs.toFixed(0)} ms`;
    console.log(
      `${String(size).padEnd(18)}  ${(fullMs / 1000).toFixed(2)} s      ${p50} / ${p99}        ${gaps}`,
    );
  }
  const [small, large] = applied.map(({ changesMs }) => median(changesMs));
  console.log(`one-task change at ${SIZES[1]} against ${SIZES[0]}: ${(large / small).toFixed(2)} x`);
  return { traffic, applied };
}

async function measure(lab, { name, plane, url = `http://${NODE}:30080/`, iperf = [NODE, 30_201] }) {
  const child = plane && startChild("planes-plane.mjs", [plane], { enter: lab.enter("node") });
  const proxy =
    name === "haproxy"
      ? lab.start("node", "haproxy", "-db", "-f", await haproxyConfig(lab.folder))
      : undefined;
  try {
    const told = await child?.hear();
    if (told?.troubles.length > 0) throw new Error(told.troubles[0].message);
    await answered(lab, url);
    const before = await cpuOf(child, proxy);
    const ab = await output(lab, ["ab", "-q", "-n", String(REQUESTS), "-c", String(AT_A_TIME), url]);
    const cpu = await cpuOf(child, proxy);
    const [host, port] = iperf;
    const iperfText = await output(lab, ["iperf3", "-J", "-t", "3", "-c", host, "-p", String(port)]);
    return {
      rate: Number(/Requests per second:\s+([\d.]+)/.exec(ab)?.[1]),
      errors: Number(/Failed requests:\s+(\d+)/.exec(ab)?.[1]),
      cpuUs: cpu === undefined ? undefined : (cpu - before) / REQUESTS,
      gbits: JSON.parse(iperfText).end.sum_received.bits_per_second / 1e9,
    };
  } finally {
    if (child) {
      child.tell("close"); // or the kernel would carry for the next, too
      await child.hear();
      await child.end();
    }
    if (proxy) await lab.end(proxy);
  }
}

function summary(name, rounds) {
  const middle = (key) => median(rounds.map((round) => round[key]));
  const errors = rounds.reduce((sum, round) => sum + round.errors, 0);
  const cpuUs = rounds[0].cpuUs === undefined ? undefined : middle("cpuUs");
  return { name, rate: middle("rate"), gbits: middle("gbits"), errors, cpuUs };
}

/** Resolves when what has just been started answers. */
async function answered(lab, url) {
  for (let tries = 0; ; tries++) {
    try {
      await output(lab, ["curl", "-sf", "--max-time", "2", url]);
      return;
    } catch (error) {
      if (tries === 50) throw error;
      await setTimeout(100);
    }
  }
}

async function output(lab, words) {
  const [program, ...args] = [...lab.enter("client"), ...words];
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const said = await text(child.stdout);
  const [code] = await exited;
  if (code !== 0) throw new Error(`${words.join(" ")} ended with ${code}: ${said}`);
  return said;
}

async function cpuOf(child, proxy) {
  if (child) {
    child.tell("cpu");
    return (await child.hear()).cpuUs;
  }
  if (!proxy) return undefined;
  const { readFile } = await import("node:fs/promises");
  const fields = (await readFile(`/proc/${proxy.pid}/stat`, "utf8")).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10_000; // of 100 ticks a second
}

/** On a network of its own, which nothing flows through. */
async function apply(size) {
  const child = startChild("planes-apply.mjs", [size], { enter: ALONE });
  try {
    return await child.hear();
  } finally {
    await child.end();
  }
}
