import { spawnSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { startChild } from "./child.mjs";
import { obstacleToEngine, startEngine } from "./docker-engine.mjs";
import { FOUR, ZONE } from "./queries-names.mjs";

const ADDRESS = "127.0.0.11";
const NAME = `${FOUR.name}.${ZONE}`;
const SERVER_CORE = 0;
const PATIENCE_MS = 5000;

/**
 * Docker's own server, asked from within a container's network. It has what an engine without a Swarm can have: four containers
 * that share an alias.
 */
export function dockerServer() {
  return {
    name: "Docker",
    mixes: ["four", "nodata"],
    obstacle: obstacleToEngine,
    version: ["dockerd", "--version"],
    start,
  };
}

async function start(server) {
  const engine = await startEngine();
  try {
    engine.docker("network", "create", "one");
    for (const at of FOUR.tasks.keys()) engine.run(`task-${at}`, "--network-alias", NAME);
    const pid = engine.run("asks");
    const enter = ["nsenter", `--net=/proc/${pid}/ns/net`];
    spawnSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(SERVER_CORE), String(engine.pid)]);
    return {
      ...server,
      address: ADDRESS,
      port: 53,
      enter,
      pid: engine.pid,
      mistake: async () => mistakeIn(enter),
      end: engine.end,
    };
  } catch (error) {
    await engine.end();
    throw error;
  }
}

async function mistakeIn(enter) {
  const asker = startChild("docker-asker.mjs", [NAME, ADDRESS, 53], { enter });
  try {
    const { answers } = await Promise.race([asker.hear(), setTimeout(PATIENCE_MS, { answers: "no" })]);
    return answers === FOUR.tasks.length ? undefined : `${answers} answers for ${FOUR.tasks.length}`;
  } finally {
    await asker.end();
  }
}
