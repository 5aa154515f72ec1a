import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

/** Why no engine can be started here; undefined: one can. */
export function obstacleToEngine() {
  if (process.getuid?.() !== 0) return "not root";
  const programs = ["dockerd", "docker", "iptables", "busybox", "unshare", "nsenter", "ip", "tar", "chroot"];
  const missing = programs.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  return missing.length > 0 ? `${missing.join(", ")}: not installed` : undefined;
}

/**
 * A Docker engine with networks of its own, and one image, `busybox`. Unlike that of the tests it counts processes as
 * the machine does, so that one can be entered by the id that the engine tells.
 */
export async function startEngine() {
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-engine-"));
  const socketPath = join(folder, "docker.sock");
  const places = ["data", "exec"].flatMap((name) => [`--${name}-root`, join(folder, name)]);
  const words = [
    ...places,
    "--pidfile",
    join(folder, "pid"),
    "--storage-driver",
    "vfs",
    "--host",
    `unix://${socketPath}`,
  ];
  const start = 'ip link set lo up; exec dockerd "$@"';
  const daemon = spawn("unshare", ["--net", "--mount", "sh", "-ec", start, "sh", ...words], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(daemon, "exit");
  const lines = createInterface(daemon.stderr);

  const engine = {
    address: `unix://${socketPath}`,
    pid: daemon.pid,
    /** What runs a command on the engine's network, in front of it. */
    enter: ["nsenter", `--net=/proc/${daemon.pid}/ns/net`],
    docker(...args) {
      const { status, stdout, stderr } = spawnSync("docker", args, {
        env: { ...process.env, DOCKER_HOST: engine.address },
      });
      if (status !== 0) throw new Error(`docker ${args.join(" ")}: ${stderr}`);
      return String(stdout).trim();
    },
    /** Starts a container that does nothing on the network `one`, and says by which id the machine knows its process. */
    run(name, ...more) {
      const words = ["--detach", "--name", name, "--network", "one", ...more];
      engine.docker("run", ...words, "busybox", "sleep", "1000000");
      return engine.docker("inspect", "--format", "{{.State.Pid}}", name);
    },
    /** A POST without a body, to its end: what the docker command does, without the time that the command itself takes. */
    async post(path) {
      const asked = request({ socketPath, path: `/v1.41${path}`, method: "POST" });
      asked.end();
      const [response] = await once(asked, "response");
      const told = await text(response);
      if (response.statusCode >= 300) throw new Error(`${path}: ${response.statusCode} ${told}`);
    },
    async end() {
      const ids =
        daemon.exitCode === null ? engine.docker("ps", "--all", "--quiet").split("\n").filter(Boolean) : [];
      if (ids.length > 0) engine.docker("rm", "--force", ...ids);
      daemon.kill("SIGTERM");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await new Promise((resolve, reject) => {
      lines.on("line", (line) => line.includes("API listen on") && resolve());
      exited.then(() => reject(new Error("dockerd ended")), reject);
    });
    await importBusybox(join(folder, "root"), engine.address);
    return engine;
  } catch (error) {
    await engine.end();
    throw error;
  }
}

async function importBusybox(root, address) {
  const program = String(spawnSync("sh", ["-c", "command -v busybox"]).stdout).trim();
  await mkdir(join(root, "bin"), { recursive: true });
  await cp(program, join(root, "bin/busybox"), { dereference: true });
  spawnSync("chroot", [root, "/bin/busybox", "--install", "-s", "/bin"]);
  const env = { ...process.env, DOCKER_HOST: address };
  const { status } = spawnSync("sh", ["-c", 'tar -C "$0" -c . | docker import - busybox', root], { env });
  if (status !== 0) throw new Error("could not make an image");
}
