import { readFileSync } from "node:fs";
import { chmod, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, vi } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { serving } from "../cli/serving.ts";
import { cloneProject } from "../clone.ts";
import { DOCKER, startEngine, type TestEngine } from "../docker/engine.ts";
import { missingOf, testNeeding } from "../needing.ts";
import { outputOf, run } from "../run.ts";
import { createFolder, type Folder } from "../sources/folder.ts";
import { readConsole } from "./console.ts";
import { importNodeImage } from "./node-image.ts";

const EXAMPLE = new URL("../../examples/docker/", import.meta.url);
const README = textOf("README.md");
/** What is shown of containers ends there; the rest is of other programs. */
const STEPS = stepsOf(README.slice(0, README.indexOf("## Who answers what")));
const NEEDS = { ...DOCKER, programs: [...(DOCKER.programs ?? []), "npm", "setcap", "ldd"], registry: true };
/** Some build and start containers, and one waits for a health check of every ten seconds. */
const LONGEST_MS = 300_000;
vi.setConfig({ testTimeout: LONGEST_MS });

describe("the docker example does what its README shows:", () => {
  const scope = createScope();
  let engine: TestEngine;
  let clone: Folder;

  beforeAll(async () => {
    if (missingOf(NEEDS).length > 0) return;
    // Of an image in the making, a driver that copies would copy all of it at every step: whatever shares best here.
    engine = scope.use(await startEngine("--storage-driver="));
    clone = scope.use(await cloneProject());
    const [base = "", ...others] = [...textOf("Dockerfile").matchAll(/^FROM (\S+)/gm)].map(
      ([, tag = ""]) => tag,
    );
    expect(others).toEqual([base]);
    await importNodeImage(engine, base, clone.path);
  }, LONGEST_MS);

  afterAll(async () => scope[Symbol.asyncDispose](), LONGEST_MS);

  for (const [at, { text, lines }] of STEPS.entries()) {
    testNeeding(NEEDS)(`${at + 1}. ${text.split("\n", 1)[0]}`, async () => {
      if (lines === undefined) {
        expect(await shell(text)).toMatchObject({ code: 0 });
        return;
      }
      // An engine tells Rota what it does while it does it.
      await expect.poll(async () => shown(await shell(text)), { timeout: 60_000 }).toEqual(lines.toSorted());
    });
  }

  testNeeding(NEEDS)("the image has what Rota runs with, and no root to run as", async () => {
    const look = ["run", "--rm", "--entrypoint", "sh", "rota", "-c"];
    expect(await engine.docker(...look, "id -un")).toBe("node\n");
    const found = await engine.docker(...look, "cd node_modules && ls -d [!@]* @*/*");
    expect(found.trim().split("\n").toSorted()).toEqual(runtimePackages());
  });

  testNeeding(NEEDS)("on a network of its own, Rota serves with as few rights as there can be", async () => {
    const [, rights = ""] = /`(--read-only [^`]*)`/.exec(README) ?? [];
    const none = /`(--security-opt [^`]*)`/.exec(README)?.[1] ?? "";
    const socket = [
      "--volume",
      `${engine.socket}:/var/run/docker.sock`,
      "--group-add",
      await groupOf(engine),
    ];
    await engine.docker("network", "create", "--subnet", "172.30.0.0/24", "names");
    const place = ["--network", "names", "--ip", "172.30.0.53"];
    await engine.docker(
      "run",
      "--detach",
      "--name",
      "apart",
      ...place,
      ...socket,
      ...`${rights} ${none}`.split(" "),
      "rota",
    );
    onTestFinished(async () => void (await engine.docker("rm", "--force", "apart")));
    await expect
      .poll(() => engine.docker("inspect", "--format", "{{.State.Health.Status}}", "apart"), {
        timeout: 60_000,
      })
      .toBe("healthy\n");
    const asked = [
      "run",
      "--rm",
      "--network",
      "names",
      "--dns",
      "172.30.0.53",
      "busybox",
      "nslookup",
      "-type=a",
    ];
    expect(await engine.docker(...asked, "apart.rota.internal")).toContain("Address: 172.30.0.53\n");
  });

  testNeeding({ ...NEEDS, programs: [...NEEDS.programs, "docker-compose"] })(
    "compose.yaml brings up a service that its neighbours find by Rota",
    async () => {
      await using folder = await createFolder();
      const file = textOf("compose.yaml").replace("/var/run/docker.sock:", `${engine.socket}:`);
      await folder.write("compose.yaml", file);
      await folder.write("resolv.conf", textOf("resolv.conf"));
      const env = { DOCKER_HOST: `unix://${engine.socket}`, DOCKER_GID: await groupOf(engine) };
      const compose = async (...args: readonly string[]): Promise<string> =>
        outputOf("docker-compose", ["--project-name", "docker", ...args], { cwd: folder.path, env });
      await using scope = createScope();
      scope.defer(async () => void (await compose("down"))); // its Rota is on the host's network
      await compose("up", "--detach", "--no-build");
      const fetched = new Set<string>();
      const names = (await engine.docker("ps", "--quiet", "--filter", "name=web"))
        .trim()
        .split("\n")
        .toSorted();
      expect(names).toHaveLength(2);
      const fetch = ["exec", "-T", "shell", "wget", "-q", "-O", "-", "http://web:8080/"];
      await expect
        .poll(async () => [...fetched.add((await compose(...fetch)).trim())].toSorted(), { timeout: 60_000 })
        .toEqual(names);
    },
  );

  testNeeding({ ...NEEDS, programs: [...NEEDS.programs, "setpriv"] })(
    "the unit's command answers as a user who may do nothing but listen on port 53",
    async () => {
      await using folder = await createFolder();
      const [, command = ""] = /^ExecStart=rota serve (.*)$/m.exec(textOf("rota.service")) ?? [];
      const words = command.replace("/run/rota-server", folder.path).split(" ");
      await chmod(folder.path, 0o777);
      await chmod(dirname(engine.socket), 0o711); // the socket itself is for its group
      const rights = "-all,+net_bind_service";
      const user = ["--reuid=65534", "--regid=65534", `--groups=${await groupOf(engine)}`, "--no-new-privs"];
      const caps = [`--inh-caps=${rights}`, `--ambient-caps=${rights}`, `--bounding-set=${rights}`];
      const enter = [
        ...engine.enter.filter((word) => !word.startsWith("--pid")),
        "setpriv",
        ...user,
        ...caps,
      ];
      await using rota = serving(words, { enter, variables: { DOCKER_HOST: `unix://${engine.socket}` } });
      await rota.logs(/is watched by its API/);
      await rota.logs(/answering for .* on udp 172\.17\.0\.1:53, tcp 172\.17\.0\.1:53/);
      rota.child.kill("SIGTERM");
      expect(await rota.exit).toBe(0);
    },
  );

  /** Runs what stands in the README, at the top of a clone, with the test's engine. */
  async function shell(text: string): ReturnType<typeof run> {
    const command = text
      .replaceAll("--volume /var/run/docker.sock:", `--volume ${engine.socket}:`)
      .replaceAll("stat -c %g /var/run/docker.sock", `stat -c %g ${engine.socket}`);
    const env = { DOCKER_HOST: `unix://${engine.socket}` };
    return run("sh", ["-ec", command], { cwd: clone.path, env, limitMs: LONGEST_MS });
  }
});

testNeeding(DOCKER)("daemon.json has every container ask Rota", async () => {
  await using engine = await startEngine("--config-file", fileURLToPath(new URL("daemon.json", EXAMPLE)));
  expect(await engine.docker("run", "--rm", "busybox", "cat", "/etc/resolv.conf")).toBe(
    "nameserver 172.17.0.1\n",
  );
  const onHost = await engine.docker(
    "run",
    "--rm",
    "--network",
    "host",
    "busybox",
    "cat",
    "/etc/resolv.conf",
  );
  expect(onHost).toContain("nameserver 172.17.0.1\n");
});

testNeeding({ programs: ["systemd-analyze"] })("systemd takes rota.service as it is", async () => {
  await using folder = await createFolder();
  // Rota is not installed here, and a unit's program must be.
  const unit = textOf("rota.service").replace("ExecStart=rota ", `ExecStart=${process.execPath} `);
  const path = await folder.write("rota.service", unit);
  expect(await run("systemd-analyze", ["verify", path])).toEqual({ code: 0, stdout: "", stderr: "" });
});

function textOf(name: string): string {
  return readFileSync(new URL(name, EXAMPLE), "utf8");
}

/** A block of commands that are run, or one command with what it prints. */
interface Step {
  readonly text: string;
  readonly lines: readonly string[] | undefined;
}

function stepsOf(markdown: string): readonly Step[] {
  const blocks = [...markdown.matchAll(/^```(sh|console)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([block, kind, text = ""]): Step[] =>
    kind === "sh"
      ? [{ text: text.trimEnd(), lines: undefined }]
      : readConsole(block).map(({ command, lines }) => ({ text: command, lines })),
  );
}

/** Whose turn it is does not matter. */
function shown({ stdout, code }: Awaited<ReturnType<typeof run>>): readonly string[] {
  const text = `${stdout.trimEnd()}${code === 0 ? "" : `\n\n(exit code ${code})`}`;
  return text.split("\n").toSorted();
}

async function groupOf({ socket }: TestEngine): Promise<string> {
  return String((await stat(socket)).gid);
}

/** Those that the lock file does not have for development alone. */
interface LockedPackage {
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

/** What is not for development, nor for other machines than the image's. */
function runtimePackages(): readonly string[] {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8"),
  );
  const found = Object.entries(lock.packages).flatMap(([path, { dev = false, os, cpu, libc }]) => {
    const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? [];
    const isForImage =
      (os?.includes("linux") ?? true) &&
      (cpu?.includes(process.arch) ?? true) &&
      (libc?.includes("glibc") ?? true);
    return name === undefined || dev || !isForImage ? [] : [name];
  });
  return found.toSorted();
}
