import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import type { Needs } from "../../needing.ts";

export const NEEDS: Needs = { root: true, programs: ["nft", "conntrack", "ip", "nsenter"] };

/** A router and who is on links of its own to it: all in namespaces that are gone when the test is over, also if it fails. */
export interface Ground {
  /** The path of the router's namespace. */
  readonly netns: string;
  /** Runs a program there, and gives what it printed. */
  run(program: string, ...args: readonly string[]): string;
  /** A task that tells its name, by TCP and UDP, at port 8080 of all its addresses. */
  serve(leaf: Leaf): Promise<void>;
  /** A flow from a leaf, or the router `r`, to an address. */
  ask(from: Leaf | "r", protocol: "tcp" | "udp", address: string, port: number): Asking;
  /** Datagrams from there without a pause, until the test is over; resolves when they have begun. */
  flood(from: Leaf | "r", address: string, port: number): Promise<void>;
}

export type Leaf = "a" | "b" | "c";

export interface Asking {
  /** Sends a line, and gives the reply; what went wrong, in place of it. */
  say(): Promise<string>;
}

/** Leaf `a` has 10.61.1.2 and fd61:1::2, `b` and `c` are at 2 and 3. */
export function addressOf(leaf: Leaf, family: 4 | 6): string {
  const at = { a: 1, b: 2, c: 3 }[leaf];
  return family === 4 ? `10.61.${at}.2` : `fd61:${at}::2`;
}

export async function openGround(leaves: readonly Leaf[] = []): Promise<Ground> {
  const prefix = `rp-${randomBytes(4).toString("hex")}`;
  const made: string[] = [];
  const children: Child[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(children.map(end));
    for (const name of made) execFileSync("ip", ["netns", "delete", name]);
  };
  const make = (place: string): string => {
    const name = `${prefix}-${place}`;
    execFileSync("ip", ["netns", "add", name]);
    made.push(name);
    ip("-n", name, "link", "set", "lo", "up");
    return name;
  };
  const start = (place: string, ...args: readonly string[]): Child => {
    const words = [`--net=/run/netns/${prefix}-${place}`, process.execPath, SCRIPT, ...args];
    const child = spawn("nsenter", words, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    return child;
  };
  onTestFinished(close);
  const router = make("r");
  for (const leaf of leaves) link(router, make(leaf), leaf);
  const run: Ground["run"] = (program, ...args) =>
    execFileSync("nsenter", [`--net=/run/netns/${router}`, program, ...args], {
      encoding: "utf8",
      stdio: "pipe",
    });
  run("sh", "-c", "echo 1 | tee /proc/sys/net/ipv4/ip_forward > /proc/sys/net/ipv6/conf/all/forwarding");
  return {
    netns: `/run/netns/${router}`,
    run,
    async serve(leaf) {
      const lines = createInterface(start(leaf, "serve", leaf, "8080").stdout);
      await once(lines, "line");
    },
    async flood(from, address, port) {
      const lines = createInterface(start(from, "flood", address, String(port)).stdout);
      await once(lines, "line");
    },
    ask(from, protocol, address, port) {
      const child = start(from, "ask", protocol, address, String(port));
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      return {
        async say() {
          child.stdin.write("say\n");
          return String((await lines.next()).value);
        },
      };
    },
  };
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

const SCRIPT = new URL("talk.mjs", import.meta.url).pathname;

function ip(...args: readonly string[]): void {
  execFileSync("ip", args);
}

function link(router: string, name: string, leaf: Leaf): void {
  ip(
    "-n",
    router,
    "link",
    "add",
    "name",
    `to-${leaf}`,
    "type",
    "veth",
    "peer",
    "name",
    "eth0",
    "netns",
    name,
  );
  for (const [place, device, host] of [
    [router, `to-${leaf}`, 1],
    [name, "eth0", 2],
  ] as const) {
    ip("-n", place, "address", "add", addressOf(leaf, 4).replace(/2$/, `${host}/24`), "dev", device);
    ip("-n", place, "address", "add", addressOf(leaf, 6).replace(/2$/, `${host}/64`), "dev", device, "nodad");
    ip("-n", place, "link", "set", device, "up");
  }
  ip("-n", name, "route", "add", "default", "via", addressOf(leaf, 4).replace(/2$/, "1"));
  ip("-n", name, "route", "add", "default", "via", addressOf(leaf, 6).replace(/2$/, "1"));
}

async function end(child: Child): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}
