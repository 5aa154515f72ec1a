import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs the built `rota` to its end, in an environment without ROTA_ variables but those given. */
export async function rota(words: readonly string[], variables: Record<string, string> = {}): Promise<Run> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith("ROTA_"));
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { ...Object.fromEntries(kept), ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = Promise.all([collect(child.stdout), collect(child.stderr)]);
  await once(child, "close");
  const [stdout, stderr] = await output;
  return { stdout, stderr, code: child.exitCode };
}

/** Runs `rota` with a reader that goes away before a word is written. */
export async function rotaUnread(words: readonly string[]): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const output = collect(child.stderr);
  await once(child, "close");
  return { stdout: "", stderr: await output, code: child.exitCode };
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
