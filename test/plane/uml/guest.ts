import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import type { Needs } from "../../needing.ts";
import type { HubProcess } from "../lab/link.ts";
import { createWindow } from "./window.ts";

/** What a test with a guest cannot do without. */
export const GUEST_NEEDS: Needs = {
  programs: ["linux.uml", "modprobe", "busybox", "ip", "stty", "mount"],
  root: true,
};

/** A guest, and the folder of this machine that is there while it is. */
export interface Guest extends HubProcess {
  readonly folder: string;
}

export interface GuestOptions {
  /** The script that runs in it, with its lines on stdin and stdout. @default the lab's hub */
  readonly hub?: string;
  /** Modules of its kernel. @default {@link MODULES} */
  readonly modules?: readonly string[];
}

/** IPVS with the schedulers that Rota uses, and what links are made of. */
export const MODULES: readonly string[] =
  "ip_vs ip_vs_rr ip_vs_wrr ip_vs_wlc ip_vs_sh ip_vs_mh veth bridge".split(" ");

/** For a dozen processes of Node. What is not used is not taken. */
const MEMORY_MIB = 1_024;
/** One that does not end by itself when it is told to is ended after so long. */
const LIMIT_MS = 10_000;
/** How much is kept of what its kernel and its programs complained of. */
const COMPLAINT_LENGTH = 4_000;

/**
 * Ends the guest at a SIGTERM, and clears its folder when it has ended: also where the test was killed, with which the
 * guest's console ends, and so the guest.
 */
const RUN = `folder="$1"; shift; "$@" </dev/null & trap 'kill $!' TERM; wait; wait; rm -rf "$folder"`;

/**
 * Boots another kernel, with this machine's files, as a process of this machine: Debian's user-mode-linux, which has
 * what this machine's kernel may lack. Resolves when its hub runs, in some three seconds.
 */
export async function bootGuest({ hub = LAB_HUB, modules = MODULES }: GuestOptions = {}): Promise<Guest> {
  const folder = await mkdtemp(join(await memoryFolder(), "rota-uml-"));
  const child = spawn("sh", ["-c", RUN, "sh", folder, "linux.uml", ...kernelArgs(folder, hub, modules)], {
    stdio: ["ignore", "pipe", "inherit", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], TMPDIR: folder }, // where it maps its memory
  });
  const exit = once(child, "exit");
  let complaint = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_LENGTH);
  });
  const [, , , to, from] = child.stdio;
  if (!(to instanceof Writable) || !(from instanceof Readable)) throw new Error("it has no console");
  const { input, output } = createWindow(to, from);
  const end = async (): Promise<void> => {
    input.end();
    const late = setTimeout(() => child.kill(), LIMIT_MS);
    await exit;
    clearTimeout(late);
  };

  const isRunning = await Promise.race([
    once(output, "readable").then(() => output.readableLength > 0),
    exit.then(() => false),
  ]);
  if (!isRunning) {
    await end();
    throw new Error(`the guest ended before its hub ran: ${complaint}`);
  }
  return { input, output, folder, [Symbol.asyncDispose]: end };
}

const LAB_HUB = pathOf("../lab/hub.mjs");

function kernelArgs(folder: string, hub: string, modules: readonly string[]): string[] {
  // The first console tells complaints; the second is the hub's.
  const consoles = ["con=null", "con0=null,fd:1", "con1=fd:3,fd:4", "quiet"];
  const root = ["rootfstype=hostfs", "rootflags=/", "ro", "init=/bin/sh"];
  // What the kernel does not know, it leaves in the environment of init.
  const environment = [
    `ROTA_NODE=${process.execPath}`,
    `ROTA_RELAY=${pathOf("relay.mjs")}`,
    `ROTA_HUB=${hub}`,
    `ROTA_MODULES=${modules.join(",")}`,
  ];
  const own = [`mem=${MEMORY_MIB}M`, `uml_dir=${folder}`];
  return [...own, ...root, ...consoles, ...environment, "--", pathOf("init.sh")];
}

/** A guest whose memory is on a disk is slow; a container's /dev/shm may be too small for it. */
async function memoryFolder(): Promise<string> {
  const shared = "/dev/shm";
  if (!existsSync(shared)) return tmpdir();
  const { bavail, bsize } = await statfs(shared);
  return bavail * bsize > MEMORY_MIB * 1024 * 1024 ? shared : tmpdir();
}

function pathOf(file: string): string {
  return new URL(file, import.meta.url).pathname;
}
