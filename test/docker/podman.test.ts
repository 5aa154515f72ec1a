import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { stat } from "node:fs/promises";
import { expect } from "vitest";
import { serving } from "../cli/serving.ts";
import { testNeeding } from "../needing.ts";
import { outputOf } from "../run.ts";
import { createFolder } from "../sources/folder.ts";
import { removeCgroups } from "./engine.ts";

const PROGRAMS = ["podman", "runc", "docker", "iptables", "busybox", "unshare", "ip", "tar"];
/** Podman's own are more than a process may have everywhere. */
const ULIMITS = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"];

/** An engine tells what it does while it does it. */
const PATIENT = { timeout: 20_000 };

testNeeding({ root: true, programs: PROGRAMS })(
  "Podman's containers have names, as an engine's",
  async () => {
    await using podman = await startPodman();
    const { docker } = podman;
    await docker("network", "create", "--subnet", "10.90.0.0/24", "back");
    const start = async (name: string, ...words: readonly string[]): Promise<string> =>
      docker("run", "--detach", "--name", name, ...podman.limits, ...words, "busybox", "sleep", "1d");
    await start("first", "--network", "back", "--network-alias", "api", "--ip", "10.90.0.11");
    await using rota = serving(["--docker", `unix://${podman.socket}`]);
    await rota.logs(/is watched by its API/);
    await expect.poll(() => rota.data("first A"), PATIENT).toEqual(["10.90.0.11"]);
    const web = ["--label", "rota.service=web", "--label", "rota.port.http=8080", "--network", "back"];
    await start("blue", ...web, "--network-alias", "api", "--ip", "10.90.0.12");
    await start("red", ...web, "--ip", "10.90.0.13");
    await expect.poll(() => rota.data("web A"), PATIENT).toEqual(["10.90.0.12", "10.90.0.13"]);
    await expect.poll(() => rota.data("web.back A"), PATIENT).toEqual(["10.90.0.12", "10.90.0.13"]);
    await expect.poll(() => rota.data("api A"), PATIENT).toEqual(["10.90.0.11", "10.90.0.12"]);
    await expect
      .poll(() => rota.data("_http._tcp.web SRV"), PATIENT)
      .toEqual(["0 1 8080 blue.web.rota.internal.", "0 1 8080 red.web.rota.internal."]);
    await docker("stop", "--time", "0", "red");
    await expect.poll(() => rota.data("web A"), PATIENT).toEqual(["10.90.0.12"]);
    await docker("rm", "--force", "blue", "red");
    await expect.poll(() => rota.data("web A"), PATIENT).toEqual(["NXDOMAIN"]);
  },
);

interface Podman extends AsyncDisposable {
  readonly socket: string;
  /** What every container is to be started with. */
  readonly limits: readonly string[];
  /** The docker command, with Podman for its engine. */
  docker(...args: readonly string[]): Promise<string>;
}

/** A Podman in namespaces of its own, with one image, `busybox`. */
async function startPodman(): Promise<Podman> {
  const folder = await createFolder();
  const socket = folder.at("podman.sock");
  const cgroup = `rota-podman-${randomBytes(6).toString("hex")}`;
  const env = { DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: folder.at("config") };
  const docker = (...args: readonly string[]): Promise<string> => outputOf("docker", args, { env });
  const places = ["root", "runroot", "network-config-dir", "tmpdir"].flatMap((place) => [
    `--${place}`,
    folder.at(place),
  ]);
  const ways = [
    "--storage-driver",
    "vfs",
    "--cgroup-manager",
    "cgroupfs",
    "--runtime",
    "runc",
    "--events-backend",
    "file",
  ];
  const service = ["podman", ...places, ...ways, "system", "service", "--time", "0", `unix://${socket}`];
  const child = spawn("unshare", [...UNSHARE, "sh", "-ec", PREPARE, "sh", ...service], { stdio: "ignore" });
  const podman: Podman = {
    socket,
    limits: [...ULIMITS, "--cgroup-parent", `/${cgroup}`],
    docker,
    async [Symbol.asyncDispose]() {
      try {
        const ids = (await docker("ps", "--all", "--quiet")).split("\n").filter((id) => id !== "");
        if (ids.length > 0) await docker("rm", "--force", ...ids); // else their control groups stay
      } finally {
        await end(child);
        await folder[Symbol.asyncDispose]();
        await removeCgroups(cgroup);
      }
    },
  };
  try {
    await expect
      .poll(
        () =>
          stat(socket).then(
            (found) => found.isSocket(),
            () => false,
          ),
        { timeout: 20_000 },
      )
      .toBe(true);
    const root = folder.at("busybox");
    await outputOf("sh", ["-ec", BUSYBOX, root], { env });
    return podman;
  } catch (error) {
    await podman[Symbol.asyncDispose]();
    throw error;
  }
}

const UNSHARE = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"];
/** Locks in shared memory would be those of all Podmans of the machine. */
const PREPARE = 'ip link set lo up; mount -t tmpfs none /dev/shm; exec "$@"';
const BUSYBOX =
  'mkdir -p "$0/bin"; cp "$(command -v busybox)" "$0/bin/busybox"; ln -s busybox "$0/bin/sleep"; tar -C "$0" -c . | docker import - busybox';

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
