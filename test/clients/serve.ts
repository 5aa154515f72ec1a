import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serving } from "../cli/serving.ts";
import type { ServicesFile } from "../../src/schema/input.ts";

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

  const serve = serving([file, "--listen", listen, ...words], { enter });
  const end = async (): Promise<void> => {
    await rm(folder, { recursive: true });
  };
  try {
    const [, address = "", port] = /udp ([\d.]+):(\d+)/.exec(await serve.logs(/answering for/)) ?? [];
    return {
      address,
      port: Number(port),
      async [Symbol.asyncDispose]() {
        serve.child.kill("SIGTERM");
        const code = await serve.exit;
        await end();
        if (code !== 0)
          throw new Error(`rota serve exited with ${code ?? serve.child.signalCode} on SIGTERM`);
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}
