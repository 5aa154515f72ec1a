// Who is asked in the part `queries`, and how each is started.

import { spawn, spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isAnswering, mistakeIn } from "./queries-check.mjs";
import {
  corednsConfig,
  dnsmasqConfig,
  hostsFile,
  knotConfig,
  nsdConfig,
  servicesFile,
  zoneFile,
} from "./queries-files.mjs";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const ECHO = fileURLToPath(new URL("queries-echo.mjs", import.meta.url));
/** Answers names, and touches nothing of the machine's. */
const ALONE = ["--plane", "none", "--control", "none", "--log-level", "error"];
/** dnsperf has the other one. Knot's thread would move to this one from any other (`udp_master` in udp-handler.c). */
const SERVER_CORE = 0;
const START_MS = 60_000;
const END_MS = 5000;

/**
 * Everyone who could be asked: with the program that must be there, and how to get it; what tells its version; and what
 * becomes the server, for a port and the folder that {@link writeFiles} filled.
 */
export function listServers() {
  return [
    ...rotas(),
    { name: "dgram echo", isEcho: true, command: (port) => [process.execPath, ECHO, port] },
    {
      name: "Knot",
      program: "knotd",
      get: "apt-get install knot",
      version: ["knotd", "--version"],
      command: async (port, folder) => ["knotd", "--config", await config(folder, port, knotConfig)],
    },
    {
      name: "NSD",
      program: "nsd",
      get: "apt-get install nsd",
      version: ["nsd", "-v"],
      command: async (port, folder) => ["nsd", "-d", "-c", await config(folder, port, nsdConfig)],
    },
    {
      name: "dnsmasq",
      program: "dnsmasq",
      get: "apt-get install dnsmasq-base",
      version: ["dnsmasq", "--version"],
      command: async (port, folder) => [
        "dnsmasq",
        "--keep-in-foreground",
        `--conf-file=${await config(folder, port, dnsmasqConfig)}`,
      ],
    },
    {
      name: "CoreDNS",
      program: "coredns",
      get: "no package of Debian's; put coredns where PATH leads",
      version: ["coredns", "-version"],
      env: { GOMAXPROCS: "1" },
      command: async (port, folder) => [
        "coredns",
        "-quiet",
        "-conf",
        await config(folder, port, corednsConfig),
      ],
    },
  ];
}

/** With lanes and without them; before there were any, the only one there is. */
function rotas() {
  const serve = (...more) => ({
    command: (port, folder) => {
      const asked = [join(folder, "rota", "services.json"), "--listen", `udp://127.0.0.1:${port}`];
      return [process.execPath, MAIN, "serve", ...asked, ...ALONE, ...more];
    },
  });
  const { stdout } = spawnSync(process.execPath, [MAIN, "serve", "--help"], { encoding: "utf8" });
  if (!stdout.includes("--lanes")) return [{ name: "Rota", isDgram: true, ...serve() }];
  return [
    { name: "Rota, 1 lane", ...serve("--lanes", "1") },
    { name: "Rota, dgram", isDgram: true, ...serve("--lanes", "0") },
  ];
}

/** Why a server cannot be asked here; undefined: it can. */
export function obstacleTo({ program, get, obstacle }) {
  if (obstacle !== undefined) return obstacle();
  if (program === undefined || isInstalled(program)) return undefined;
  return `not installed: ${get}`;
}

export function isInstalled(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}

export function versionOf({ version }) {
  if (version === undefined) return undefined;
  const [program, ...args] = version;
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return `${stdout}${stderr}`.match(/\d+\.\d[\w.-]*/)?.[0];
}

/** Writes what the servers read. */
export async function writeFiles(folder) {
  // In a folder of its own: Rota is told of everything that is written beside it, as by dnsperf.
  await mkdir(join(folder, "rota"));
  await writeFile(join(folder, "rota", "services.json"), servicesFile());
  await writeFile(join(folder, "zone"), zoneFile());
  await writeFile(join(folder, "hosts"), hostsFile());
}

/** Starts a server on its core, and resolves when it answers. */
export async function startServer(server, folder) {
  const port = await freePort();
  const words = (await server.command(port, folder)).map(String);
  const log = join(folder, `log-${port}`);
  const said = await open(log, "w");
  // It ends when this process does, however that is.
  const wrapped = ["--pdeathsig", "TERM", "taskset", "--cpu-list", String(SERVER_CORE), ...words];
  const child = spawn("setpriv", wrapped, {
    stdio: ["ignore", said.fd, said.fd],
    env: { ...process.env, ...server.env },
  });
  await said.close();
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM"); // not SIGKILL, which would leave the processes that NSD has started
    await Promise.race([exited, setTimeout(END_MS, undefined, { ref: false })]);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await exited;
  };
  try {
    const deadline = performance.now() + START_MS;
    while (!(await isAnswering(port))) {
      if (child.exitCode !== null || performance.now() > deadline)
        throw new Error(`${server.name} does not answer: ${words.join(" ")}\n${await readFile(log, "utf8")}`);
      await setTimeout(100);
    }
    const mistake = server.isEcho ? undefined : async ({ check }) => mistakeIn(port, check);
    return { ...server, address: "127.0.0.1", port, enter: [], pid: child.pid, mistake, end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function config(folder, port, write) {
  const path = join(folder, `conf-${port}`);
  await writeFile(path, write(port, folder));
  return path;
}

/** Free for TCP, and then for UDP: most servers listen to both. */
async function freePort() {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address();
  const socket = createSocket("udp4").bind(port, "127.0.0.1");
  const isFree = await once(socket, "listening").then(
    () => true,
    () => false,
  );
  socket.close();
  listener.close();
  return isFree ? port : freePort();
}
