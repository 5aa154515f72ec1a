import { spawn } from "node:child_process";
import { once } from "node:events";

/** What came of a program. */
export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

export interface RunOptions {
  /** @default where the tests run */
  readonly cwd?: string;
  /**
   * Variables besides those that the tests have themselves; no `ROTA_` one of these is passed on.
   * @default {}
   */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Milliseconds after which it is ended, and the test with it: a program that waits for something is named so.
   * @default never
   */
  readonly limitMs?: number;
}

/** Runs a program to its end, without anything to read. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { cwd, env = {}, limitMs } = options;
  const child = spawn(program, args, {
    cwd,
    env: { ...plainEnv(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  const output = Promise.all([textOf(child.stdout), textOf(child.stderr)]);
  await once(child, "close");
  const [stdout, stderr] = await output;
  if (child.signalCode === "SIGKILL" && limitMs !== undefined) {
    throw new Error(`"${program} ${args.join(" ")}" waited for something and was ended: ${stdout}${stderr}`);
  }
  return { stdout, stderr, code: child.exitCode };
}

/** As {@link run}, and gives what was written; fails if the program did. */
export async function outputOf(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { stdout, stderr, code } = await run(program, args, options);
  if (code === 0) return stdout;
  throw new Error(`${program} ${args.join(" ")} exited with ${code}: ${stdout}${stderr}`);
}

/** The environment as a shell outside of the tests and of npm would have it. */
export function plainEnv(): NodeJS.ProcessEnv {
  const ours = /^(?:ROTA_|VITEST|NODE_ENV$|INIT_CWD$|npm_(?:command|lifecycle|package|config_local))/;
  const kept = Object.entries(process.env).filter(([name]) => !ours.test(name));
  // What a test starts touches the machine's own traffic only where the test says so.
  return { ...Object.fromEntries(kept), ROTA_PLANE: "none" };
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
