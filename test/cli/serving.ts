import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { ask } from "../../src/ask/ask.ts";
import { parseType } from "../../src/model/mnemonics.ts";
import { parseServer } from "../../src/ask/server.ts";
import { parseName } from "../../src/model/name.ts";
import { MAIN } from "./run.ts";
import { plainEnv } from "../run.ts";

/** A `rota serve` that runs, and what it says. */
export interface Serving extends AsyncDisposable {
  readonly child: ChildProcess;
  /** The next line of its log that matches, from where the last search ended. */
  logs(pattern: RegExp): Promise<string>;
  /** What it wrote to stdout so far. */
  printed(): string;
  /** The data of the answers to `"web A"`, sorted; the rcode if there are none. */
  data(question: string): Promise<string[]>;
  /** How it ended. */
  readonly exit: Promise<number | null>;
}

export interface ServingOptions {
  readonly variables?: Record<string, string>;
  /** A program in front of it, as `unshare`. */
  readonly enter?: readonly string[];
}

/** Starts the built `rota serve` with these words; unless they say otherwise, on a free port and out of `rota explain`'s reach. */
export function serving(
  words: readonly string[],
  { variables = {}, enter = [] }: ServingOptions = {},
): Serving {
  const [program = "", ...rest] = [...enter, process.execPath, MAIN, "serve", ...words];
  const child = spawn(program, rest, {
    env: { ...plainEnv(), ROTA_LISTEN: "127.0.0.1:0", ROTA_CONTROL: "none", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  const said: string[] = [];
  let searched = 0;
  createInterface(child.stderr)
    .on("line", (line) => {
      said.push(line);
      child.emit("said");
    })
    .on("close", () => child.emit("said"));
  const exit = once(child, "close").then(() => child.exitCode);
  let server: ReturnType<typeof parseServer> | undefined;

  const logs = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const line = said[searched++];
      if (line !== undefined && pattern.test(line)) return line;
      if (line !== undefined) continue;
      searched--;
      if (child.exitCode !== null)
        throw new Error(`rota serve never said ${pattern.source}: ${said.join("\n")}`);
      await once(child, "said");
    }
  };
  return {
    child,
    logs,
    printed: () => stdout,
    async data(question) {
      server ??= parseServer(/udp (\S+?),?(?:\s|$)/.exec(await logs(/answering for/))?.[1] ?? "");
      const [name = "", type = "A"] = question.split(" ");
      const asked = { name: parseName(name), type: parseType(type) };
      const { answers, rcode } = await ask(asked, server, {}, AbortSignal.timeout(10_000));
      return answers.length > 0 ? answers.map(({ data }) => data).toSorted() : [rcode.name];
    },
    exit,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exit;
    },
  };
}
