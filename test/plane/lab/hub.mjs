// Makes the places of a lab, runs an agent in each, and passes lines to and fro. It runs on the host as a child of the
// test, or in a guest whose console its stdin and stdout are. What it made ends with it, and it ends with its stdin.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { createInterface } from "node:readline";
import { answerRequests, MARK, parseObject, performBy, RELAYED, sayTo } from "./lines.mjs";
import { lay } from "./places.mjs";

const AGENT = new URL("agent.mjs", import.meta.url).pathname;
/** How much of what an agent complained of is kept, in characters. */
const KEPT = 4_000;
const RUN_LIMIT_MS = 20_000;

const say = sayTo(process.stdout, MARK);
/** Agents by name; a place is called as the agent that holds it. */
const agents = new Map();
/** The network namespaces that were made here, as /proc has them. */
const namespaces = new Set();

const own = {
  lay: async (plan) => lay(plan, { start, script }),
  /** Another agent in a place: one that may be killed without the place going with it. */
  async start({ name, place }) {
    await start(name, agents.get(place).enter);
  },
  async kill({ name }) {
    const { child } = agents.get(name);
    const exit = once(child, "exit");
    child.kill("SIGKILL");
    await exit;
  },
  /** Runs a program in a place, with the rights of this process. */
  async run({ place, argv, input }) {
    return run([...agents.get(place).inside, ...argv], input);
  },
  /** The last that an agent said on its stderr. */
  heard: ({ name }) => ({ text: agents.get(name)?.heard() ?? "" }),
};

const perform = performBy(own);
say({ ready: true });
await answerRequests(process.stdin, say, (request) =>
  request.to === undefined ? perform(request) : relay(request),
);
await clear();
process.exit(0);

function relay({ to, ...request }) {
  const agent = agents.get(to);
  if (agent === undefined) throw new Error(`there is no ${to} here`);
  agent.child.stdin.write(`${JSON.stringify(request)}\n`);
  return RELAYED;
}

/** Resolves when the agent is ready, with its process id. `made`: whether `wrapper` makes a namespace. */
async function start(name, wrapper, made = false) {
  const [program, ...args] = [...wrapper, process.execPath, AGENT];
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let heard = "";
  child.stderr.on("data", (octets) => {
    heard = (heard + octets).slice(-KEPT);
  });
  child.stdin.on("error", () => {}); // it has ended, which is told below
  const enter = made ? ["nsenter", "--target", String(child.pid), "--net"] : wrapper;
  // Programs keep the rights of the hub, as ping needs them.
  const inside = enter[0] === "nsenter" ? enter : [];
  const gone = once(child, "close");
  agents.set(name, { child, enter, inside, heard: () => heard, gone });
  await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const answer = parseObject(line);
      if (answer?.ready === true) resolve();
      else if (answer !== undefined) say({ from: name, ...answer });
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      reject(new Error(`the agent ${name} ended (${code ?? signal}): ${heard}`));
      say({ gone: name, why: `${name} ended (${code ?? signal}): ${heard}` });
    });
  });
  if (made) namespaces.add(readlinkSync(`/proc/${child.pid}/ns/net`));
  return child.pid;
}

/** Runs a shell script in the place of an agent. */
async function script(name, text) {
  const { code, stderr } = await run([...agents.get(name).inside, "sh", "-e"], text);
  if (code !== 0) throw new Error(`could not lay ${name}: ${stderr}`);
}

function run([program, ...args], input = "") {
  return new Promise((resolve) => {
    const child = execFile(program, args, { timeout: RUN_LIMIT_MS }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (child.exitCode ?? 1), stdout, stderr });
    });
    child.stdin?.on("error", () => {}); // it did not want its input
    child.stdin?.end(input);
  });
}

/** Ends the agents, and whatever a killed one left running in a namespace of this lab. */
async function clear() {
  for (const { child } of agents.values()) child.stdin.end();
  const late = setTimeout(() => {
    for (const { child } of agents.values()) child.kill("SIGKILL");
  }, 3_000);
  await Promise.all([...agents.values()].map(({ gone }) => gone));
  clearTimeout(late);
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      if (namespaces.has(readlinkSync(`/proc/${pid}/ns/net`))) process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}
