import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { testNeeding } from "../needing.ts";

const MONITORING = fileURLToPath(new URL("monitoring.mjs", import.meta.url));

interface Line {
  readonly serving?: number;
  readonly failing?: number;
  readonly stalls?: number;
  readonly probes?: Readonly<Record<string, number>>;
}

interface Tasks extends AsyncDisposable {
  readonly port: number;
  /** From now on connections are told nothing. Resolves when one was made. */
  fallSilent(): Promise<unknown>;
  /** Resets the connections that were told nothing, and says hello again. */
  speakUp(): void;
  /** Resolves with the next connection. */
  reached(): Promise<unknown>;
}

/** A server that stands for all tasks, and says hello a moment after it was called. */
async function openTasks(saysInMs: number): Promise<Tasks> {
  let isSilent = false;
  const silent = new Set<Socket>();
  const server = createServer((socket) => {
    silent.add(socket);
    const timer = setTimeout(() => {
      if (isSilent) return;
      silent.delete(socket);
      socket.end("hello");
    }, saysInMs);
    socket.on("error", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      silent.delete(socket);
    });
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    async fallSilent() {
      isSilent = true;
      await once(server, "connection");
    },
    speakUp() {
      isSilent = false;
      for (const socket of silent) socket.resetAndDestroy();
    },
    reached: async () => once(server, "connection"),
    async [Symbol.asyncDispose]() {
      for (const socket of silent) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

interface Monitoring extends AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when so many tasks serve. */
  serving(tasks: number): Promise<void>;
  /** Ends it: all that it said on its tasks, and its counters. */
  end(): Promise<{ readonly said: readonly Line[]; readonly counters: Line }>;
}

function monitor(wrapper: readonly string[], words: readonly number[]): Monitoring {
  const [program = "", ...rest] = [...wrapper, process.execPath, MONITORING, ...words.map(String)];
  const child = spawn(program, rest, { stdio: ["pipe", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const closed = once(child, "close");
  const said: Line[] = [];
  const reader = createInterface(child.stdout);
  reader.on("line", (line) => said.push(JSON.parse(line)));
  return {
    child,
    async serving(tasks) {
      while (said.at(-1)?.serving !== tasks) {
        await Promise.race([once(reader, "line"), closed]);
        if (child.exitCode !== null) throw new Error(`it ended before ${tasks} tasks served: ${stderr}`);
      }
    },
    async end() {
      child.stdin.end();
      await closed;
      const counters = said.pop();
      if (child.exitCode !== 0 || !counters) throw new Error(`it ended with ${child.exitCode}: ${stderr}`);
      return { said, counters };
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}

test("a process that is stopped for longer than its time-outs fails no task, though servers hung up on it", async () => {
  await using tasks = await openTasks(20);
  const timeoutMs = 1000;
  await using monitoring = monitor([], [tasks.port, 20, 60, timeoutMs]);
  await monitoring.serving(20);
  await tasks.fallSilent();
  monitoring.child.kill("SIGSTOP");
  // It is time that passes that is tested here: that in which a signal surely arrives, and more than a time-out.
  await wait(100);
  tasks.speakUp();
  await wait(1.5 * timeoutMs);
  monitoring.child.kill("SIGCONT");
  await tasks.reached(); // a probe that was started after it
  const { said, counters } = await monitoring.end();
  expect(said.filter(({ failing }) => failing !== 0)).toEqual([]);
  expect(said.at(-1)?.serving).toBe(20);
  expect(counters.stalls).toBeGreaterThanOrEqual(1);
  expect(counters.probes?.["unknown"]).toBeGreaterThanOrEqual(1);
  expect(counters.probes?.["fail"]).toBe(0);
});

testNeeding({ programs: ["sh"] })(
  "a process at its limit of files fails no task, and all serve in time",
  async () => {
    await using tasks = await openTasks(20);
    const limited = ["sh", "-c", 'ulimit -n 60; exec "$@"', "sh"];
    await using monitoring = monitor(limited, [tasks.port, 250, 250, 10_000]);
    await monitoring.serving(250);
    const { said, counters } = await monitoring.end();
    expect(said.filter(({ failing }) => failing !== 0)).toEqual([]);
    expect(counters.probes?.["unknown"], "probes that found no file to be made with").toBeGreaterThan(0);
    expect(counters.probes?.["fail"]).toBe(0);
  },
);
