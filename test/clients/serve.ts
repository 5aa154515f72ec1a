import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { plainEnv } from "../run.ts";
import type { ServicesFile } from "../../src/schema/input.ts";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** A `rota serve` that runs; leaving it ends it, and fails if it does not end well. */
export interface Serve extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
}

export interface ServeOptions {
  /** @default "127.0.0.1:0" */
  readonly listen?: string;
  /** What runs a command somewhere else, in front of it: see `Namespace`. */
  readonly enter?: readonly string[];
  /** More of the command line. */
  readonly words?: readonly string[];
}

/** Starts the built `rota serve` with a services file of its own, and resolves when it can be asked. */
export async function startServe(services: ServicesFile, options: ServeOptions = {}): Promise<Serve> {
  const { listen = "127.0.0.1:0", enter = [], words = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), "rota-serve-"));
  const file = join(folder, "services.json");
  await writeFile(file, JSON.stringify(services));

  const command = [...enter, process.execPath, MAIN, "serve", file, "--listen", listen, ...words];
  const child = spawn(command[0] ?? "", command.slice(1), {
    // Several run at once, and the machine may have its own at the place where one is explained.
    env: { ...plainEnv(), ROTA_CONTROL: "none" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  try {
    const { address, port } = await readAddress(child);
    return { address, port, [Symbol.asyncDispose]: async () => end(child, folder) };
  } catch (error) {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true });
    throw error;
  }
}

/** One that never gets there fails the first test that needs it, and says what it said. */
const START_LIMIT_MS = 20_000;

/** What the log says where it listens, as soon as it does. */
async function readAddress(
  child: ChildProcessByStdio<null, null, Readable>,
): Promise<{ address: string; port: number }> {
  const said: string[] = [];
  const lines = createInterface({ input: child.stderr, signal: AbortSignal.timeout(START_LIMIT_MS) });
  return new Promise((resolve, reject) => {
    lines.on("line", (line) => {
      said.push(line);
      const [, address, port] = /answering for \S+ on udp ([\d.]+):(\d+)/.exec(line) ?? [];
      if (address === undefined) return;
      resolve({ address, port: Number(port) });
      lines.close();
    });
    lines.on("close", () => {
      // What it says from now on is for nobody, but it must be able to say it.
      child.stderr.resume();
      reject(new Error(`rota serve did not come up: ${said.join("\n")}`));
    });
  });
}

async function end(child: ChildProcessByStdio<null, null, Readable>, folder: string): Promise<void> {
  const exit = once(child, "exit");
  const isTold = child.kill("SIGTERM");
  if (isTold) await exit;
  await rm(folder, { recursive: true });
  if (child.exitCode !== 0) {
    throw new Error(`rota serve exited with ${child.exitCode ?? child.signalCode} on SIGTERM`);
  }
}
