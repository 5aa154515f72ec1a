import { outputOf, type Ran, run as runProgram, type RunOptions } from "../run.ts";

/** Under the test's own limit, so that a client that waits is ended and named. */
const PATIENCE: RunOptions = { env: { LC_ALL: "C" }, limitMs: 20_000 };

/** Runs a client to its end. */
export async function run([program = "", ...args]: readonly string[]): Promise<Ran> {
  return runProgram(program, args, PATIENCE);
}

/** The lines that a client wrote that had to succeed. */
export async function linesOf([program = "", ...args]: readonly string[]): Promise<string[]> {
  const output = await outputOf(program, args, PATIENCE);
  return output.split("\n").filter((line) => line !== "");
}
