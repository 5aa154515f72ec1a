import { spawn } from "node:child_process";
import { once } from "node:events";

/** What a program did. */
export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Under the test's own limit, so that a client that waits is ended and named. */
const LIMIT_MS = 20_000;

/** Runs a program to its end. One that has none in time is ended by its id, and the test with it. */
export async function run(command: readonly string[]): Promise<Run> {
  const [program = "", ...words] = command;
  const child = spawn(program, words, {
    env: { ...process.env, LC_ALL: "C" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const output = Promise.all([collect(child.stdout), collect(child.stderr)]);
  await once(child, "close");
  const [stdout, stderr] = await output;
  if (child.signalCode !== null) {
    throw new Error(`"${command.join(" ")}" waited for something and was ended: ${stdout}${stderr}`);
  }
  return { stdout, stderr, code: child.exitCode };
}

/** The lines that a program wrote that had to succeed. */
export async function linesOf(command: readonly string[]): Promise<string[]> {
  const { stdout, stderr, code } = await run(command);
  if (code !== 0) throw new Error(`"${command.join(" ")}" exited with ${code}: ${stdout}${stderr}`);
  return stdout.split("\n").filter((line) => line !== "");
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
