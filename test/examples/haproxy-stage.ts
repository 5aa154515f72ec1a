import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, cp, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createScope } from "../../src/base/scope.ts";
import { MAIN } from "../cli/run.ts";
import { outputOf, plainEnv } from "../run.ts";
import { createFolder } from "../sources/folder.ts";
import { fetchOnce } from "./haproxy-load.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/haproxy/", import.meta.url));
/** Those that the example has: of Rota, the tasks, HAProxy and its page. */
const SHOWN_PORTS = ["5300", "8080", "8000", "8404"];

/** The example in a folder of its own, and on free ports. */
export interface Stage extends AsyncDisposable {
  /** Where HAProxy is asked for `web`. */
  readonly url: string;
  /** Runs a line of the README to its end; gives what it prints. */
  shell(line: string): Promise<string>;
  /** Starts a line of the README; resolves when it can be reached. */
  start(line: string): Promise<void>;
  /** Ends what was started by the one line with this in it. */
  kill(part: string): Promise<void>;
  write(services: string): Promise<void>;
  /** The weights of the servers that HAProxy sends to, in no order that counts. */
  weights(): Promise<readonly number[]>;
  /** How many questions HAProxy has sent to Rota, or tried to. */
  questions(): Promise<number>;
}

export async function openStage(): Promise<Stage> {
  await using scope = createScope();
  const folder = scope.use(await createFolder());
  const ports = await freePorts();
  const place = (shown: string): string =>
    shown.replaceAll(/\b(?:5300|8080|8000|8404)\b/g, (port) => String(ports.get(port)));
  const example = folder.at("examples/haproxy");
  await cp(EXAMPLE, example, { recursive: true });
  for (const name of await readdir(example)) {
    await writeFile(join(example, name), place(await readFile(join(EXAMPLE, name), "utf8")));
  }
  const socket = folder.at("haproxy.sock");
  await appendFile(join(example, "haproxy.cfg"), `\nglobal\n  stats socket ${socket} mode 600 level user\n`);
  await symlink(dirname(dirname(MAIN)), folder.at("dist"), "dir");

  const env = { ROTA_LISTEN: `127.0.0.1:${ports.get("5300")}`, ROTA_CONTROL: "none" };
  const children = new Map<string, ChildProcess>();
  scope.defer(async () => {
    for (const line of children.keys()) await kill(line);
  });

  async function kill(part: string): Promise<void> {
    for (const [line, child] of children) {
      if (!line.includes(part)) continue;
      children.delete(line);
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    }
  }

  const cleared = scope.move();
  return {
    url: place("http://127.0.0.1:8000/"),
    kill,
    shell: (line) => outputOf("sh", ["-ec", place(line)], { cwd: folder.path }),
    async start(line) {
      const [program = "", ...args] = place(line).split(" ");
      const child = spawn(program, args, {
        cwd: folder.path,
        env: { ...plainEnv(), ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      children.set(line, child);
      await Promise.race([once(child, "spawn"), once(child, "error")]);
      await untilReady(child, line);
    },
    async write(services) {
      await writeFile(join(example, "aside.yaml"), place(services));
      await outputOf("mv", ["aside.yaml", "services.yaml"], { cwd: example });
    },
    async weights() {
      const table = await fetchOnce(place("http://127.0.0.1:8404/;csv"));
      const [head = [], ...rows] = table.split("\n").map((row) => row.split(","));
      const rowOf = (row: readonly string[], name: string): string => row[head.indexOf(name)] ?? "";
      return rows
        .filter((row) => rowOf(row, "svname").startsWith("web-") && rowOf(row, "status") === "no check")
        .map((row) => Number(rowOf(row, "weight")))
        .toSorted((a, b) => a - b);
    },
    async questions() {
      const asked = connect(socket);
      asked.end("show resolvers rota\n");
      const [, sent = ""] = /sent: +(\d+)/.exec(await text(asked)) ?? [];
      return Number(sent);
    },
    [Symbol.asyncDispose]: () => cleared[Symbol.asyncDispose](),
  };
}

/** Tasks and Rota say that they can be reached; HAProxy can be as soon as it says what it found. */
async function untilReady(child: ChildProcess, line: string): Promise<void> {
  const lines: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface(stream).on("line", (said) => {
        lines.push(said);
        if (/listens on|answering for|UP\/READY/.test(said)) resolve();
      });
    }
    child.once("exit", () => reject(new Error(`"${line}" ended: ${lines.join("\n")}`)));
  });
}

/** One each, that was free on all addresses when asked for. */
async function freePorts(): Promise<ReadonlyMap<string, number>> {
  const servers = SHOWN_PORTS.map((shown) => [shown, createServer().listen(0, "0.0.0.0")] as const);
  const ports = new Map<string, number>();
  for (const [shown, server] of servers) {
    if (!server.listening) await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error(`no port for ${shown}`);
    ports.set(shown, address.port);
  }
  for (const [, server] of servers) server.close();
  return ports;
}
