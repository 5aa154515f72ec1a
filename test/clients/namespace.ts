import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { TestContext } from "vitest";
import { messageOf } from "../../src/base/error.ts";
import { type Needs, testNeeding } from "../needing.ts";

/**
 * A network of its own, with nothing but loopback, and an /etc/resolv.conf of its own: what a container has.
 * It lasts as long as a process is in it; with the last, its mounts and interfaces are gone.
 */
export interface Namespace extends AsyncDisposable {
  /** What runs a command in here, in front of it. */
  readonly enter: readonly string[];
  /** Puts `text` into /etc/resolv.conf as it is in here. */
  setResolvConf(text: string): Promise<void>;
}

/** A `test` for what runs in a {@link Namespace}: skipped, with the reason, where none can be made. */
export function testInNamespace({
  programs = [],
  ...needs
}: Needs): (name: string, run: () => Promise<void>) => void {
  return (name, run) => {
    testNeeding({ ...needs, programs: ["unshare", "nsenter", "mount", "ip", ...programs] })(
      name,
      async (context: TestContext) => {
        const obstacle = obstacleToNamespaces();
        if (obstacle !== undefined) context.skip(obstacle);
        await run();
      },
    );
  };
}

export async function openNamespace(): Promise<Namespace> {
  const folder = await mkdtemp(join(tmpdir(), "rota-namespace-"));
  const resolvConf = join(folder, "resolv.conf");
  await writeFile(resolvConf, "");
  await writeFile(join(folder, "hosts"), "127.0.0.1 localhost\n");
  await writeFile(join(folder, "nsswitch.conf"), "hosts: files dns\n");

  const holder = spawn("unshare", [...UNSHARE, "sh", "-ec", PREPARE, "sh", folder], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  try {
    await isPrepared(holder);
  } catch (error) {
    await leave(holder, folder);
    throw error;
  }
  return {
    enter: ["nsenter", "--target", `${holder.pid}`, ...NSENTER],
    setResolvConf: async (text) => writeFile(resolvConf, text),
    [Symbol.asyncDispose]: async () => leave(holder, folder),
  };
}

const IS_ROOT = process.getuid?.() === 0;
/** Whoever is not root may be it in a user namespace, where the system lets them. */
const UNSHARE = ["--net", "--mount", ...(IS_ROOT ? [] : ["--map-root-user"])];
const NSENTER = ["--net", "--mount", ...(IS_ROOT ? [] : ["--user", "--preserve-credentials"])];

/** Stays, to hold the namespace open, until its input ends: at the latest with the process that tests. */
const PREPARE = `
ip link set lo up
for file in resolv.conf hosts nsswitch.conf; do
  mount --bind "$1/$file" "/etc/$file"
done
echo prepared
exec cat`;

type Holder = ChildProcessByStdio<Writable, Readable, Readable>;

async function isPrepared(holder: Holder): Promise<void> {
  const said: string[] = [];
  createInterface(holder.stderr).on("line", (line) => said.push(line));
  const lines = createInterface(holder.stdout);
  await new Promise<void>((resolve, reject) => {
    lines.once("line", () => resolve());
    holder.once("error", reject);
    holder.once("close", () => reject(new Error(`could not make a namespace: ${said.join("; ")}`)));
  });
}

async function leave(holder: Holder, folder: string): Promise<void> {
  if (holder.pid !== undefined && holder.exitCode === null && holder.signalCode === null) {
    const exit = once(holder, "exit");
    holder.stdin.end();
    await exit;
  }
  await rm(folder, { recursive: true });
}

/** Why no namespace can be made here, from trying it. */
function obstacleToNamespaces(): string | undefined {
  try {
    execFileSync("unshare", [...UNSHARE, "ip", "link", "set", "lo", "up"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    return undefined;
  } catch (error) {
    return `neither root nor user namespaces: ${messageOf(error).replaceAll(/\s+/g, " ")}`;
  }
}
