import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Needs, testNeeding } from "../needing.ts";
import { outputOf } from "../run.ts";

/**
 * A Docker engine of a test's own, in namespaces of its own: its bridges, its firewall and its ports collide with nobody's,
 * and none of its processes outlives the one that tests. It has one image, `busybox`.
 */
export interface TestEngine extends AsyncDisposable {
  /** Where it listens, as a path. Sockets in folders go through namespaces. */
  readonly socket: string;
  /** What runs a command beside it, on its networks, in front of that command. */
  readonly enter: readonly string[];
  /** Runs the docker command to its end, and gives what it wrote. */
  docker(...args: readonly string[]): Promise<string>;
  /** Ends the engine alone: what it started goes on if it is killed. */
  stop(signal: "KILL" | "TERM"): Promise<void>;
  /** Starts it again on what it left. */
  start(): Promise<void>;
}

/** A `test` with an engine: skipped, with the reason, where none can be started. */
export function testWithDocker(): ReturnType<typeof testNeeding> {
  return testNeeding(DOCKER);
}

/** What an engine cannot do without. */
export const DOCKER: Needs = {
  root: true,
  programs: ["dockerd", "docker", "iptables", "busybox", "unshare", "nsenter", "ip", "tar", "chroot"],
};
const CGROUPS = "/sys/fs/cgroup";

/** @param words more of its command line */
export async function startEngine(...words: readonly string[]): Promise<TestEngine> {
  const folder = await mkdtemp(join(tmpdir(), "rota-engine-"));
  const cgroup = `rota-engine-${randomBytes(6).toString("hex")}`;
  const socket = join(folder, "docker.sock");
  const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: join(folder, "config") };
  const docker = (...args: readonly string[]): Promise<string> => outputOf("docker", args, { env });

  const holder = spawn("unshare", [...UNSHARE, "sh", "-ec", HOLD], { stdio: ["pipe", "pipe", "inherit"] });
  const ns = `/proc/${holder.pid}/ns`;
  const enter = ["nsenter", `--net=${ns}/net`, `--mount=${ns}/mnt`, `--pid=${ns}/pid_for_children`];
  let daemon: ChildProcess | undefined;

  const engine: TestEngine = {
    socket,
    enter,
    docker,
    async stop(signal) {
      if (!daemon) return;
      const exit = once(daemon, "exit");
      daemon = undefined;
      const pid = await readFile(join(folder, "pid"), "utf8");
      await outputOf("nsenter", [...enter.slice(1), "kill", `-${signal}`, pid.trim()]);
      await exit;
    },
    async start() {
      daemon = await startDaemon([...enter, ...commandOf(folder, socket, cgroup), ...words]);
    },
    async [Symbol.asyncDispose]() {
      try {
        // Else their control groups stay.
        if (daemon) await removeContainers(docker);
        await engine.stop("TERM");
      } finally {
        await end(holder);
        await rm(folder, { recursive: true, force: true });
        await removeCgroups(cgroup);
      }
    },
  };

  try {
    await Promise.race([once(createInterface(holder.stdout), "line"), failed(holder)]);
    await engine.start();
    await importBusybox(join(folder, "root"), env);
    return engine;
  } catch (error) {
    await engine[Symbol.asyncDispose]();
    throw error;
  }
}

const UNSHARE = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/** The first process in there: with it all others end, and it does with its input, at the latest with who tests. */
const HOLD = "ip link set lo up; echo held; cat";

function commandOf(folder: string, socket: string, cgroup: string): readonly string[] {
  const at = (name: string): string => join(folder, name);
  const places = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid")];
  // vfs: copies, which work on every file system and leave no mounts.
  const ways = ["--storage-driver", "vfs", "--cgroup-parent", `/${cgroup}`];
  return ["dockerd", ...places, ...ways, "--host", `unix://${socket}`];
}

async function startDaemon([program = "", ...args]: readonly string[]): Promise<ChildProcess> {
  const daemon = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  const last: string[] = [];
  const lines = createInterface(daemon.stderr);
  await new Promise<void>((resolve, reject) => {
    lines.on("line", (line) => {
      last.splice(0, last.length - 9);
      last.push(line);
      if (line.includes("API listen on")) resolve();
    });
    daemon.once("exit", () => reject(new Error(`dockerd ended: ${last.join("\n")}`)));
  });
  return daemon;
}

async function importBusybox(root: string, env: Readonly<Record<string, string>>): Promise<void> {
  const program = execFileSync("sh", ["-c", "command -v busybox"], { encoding: "utf8" }).trim();
  await mkdir(join(root, "bin"), { recursive: true });
  await cp(program, join(root, "bin/busybox"), { dereference: true });
  await outputOf("chroot", [root, "/bin/busybox", "--install", "-s", "/bin"]);
  await outputOf("sh", ["-c", 'tar -C "$0" -c . | docker import - busybox', root], { env });
}

async function removeContainers(docker: TestEngine["docker"]): Promise<void> {
  if ((await docker("info", "--format", "{{.Swarm.LocalNodeState}}")).trim() !== "inactive")
    await docker("swarm", "leave", "--force");
  const list = async (): Promise<readonly string[]> =>
    (await docker("ps", "--all", "--quiet")).split("\n").filter((id) => id !== "");
  for (let ids = await list(); ids.length > 0; ids = await list()) {
    await docker("rm", "--force", ...ids).catch((error: unknown) => {
      // A Swarm that is left takes its own ones away by itself.
      if (!/already in progress|No such container/.test(String(error))) throw error;
    });
  }
}

async function failed(child: ChildProcess): Promise<never> {
  const [code] = await once(child, "exit");
  throw new Error(`could not make namespaces: unshare exited with ${code}`);
}

async function end(holder: ChildProcess): Promise<void> {
  if (holder.pid === undefined || holder.exitCode !== null || holder.signalCode !== null) return;
  const exit = once(holder, "exit");
  holder.stdin?.end();
  await exit;
}

/** In each hierarchy, or the one: empty ones, as nobody is left in them. */
export async function removeCgroups(name: string): Promise<void> {
  const hierarchies = await readdir(CGROUPS, { withFileTypes: true }).catch(() => []);
  const roots = [
    CGROUPS,
    ...hierarchies.filter((entry) => entry.isDirectory()).map(({ name }) => join(CGROUPS, name)),
  ];
  for (const root of roots) await removeCgroup(join(root, name));
}

async function removeCgroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return;
  for (const entry of entries) if (entry.isDirectory()) await removeCgroup(join(path, entry.name));
  await rmdir(path);
}
