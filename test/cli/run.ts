import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Ran, run } from "../run.ts";

export const MAIN: string = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Runs the built `rota` to its end, in an environment without ROTA_ variables but those given. */
export async function rota(words: readonly string[], variables: Record<string, string> = {}): Promise<Ran> {
  return run(process.execPath, [MAIN, ...words], { env: variables });
}

/** Runs `rota` with a reader that goes away before a word is written. */
export async function rotaUnread(words: readonly string[]): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await once(child, "close");
  return { stdout: "", stderr, code: child.exitCode };
}
