import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type TlsOptions } from "node:tls";
import { expect } from "vitest";
import type { Target } from "../../src/health/outcome.ts";
import { type ActiveProbe, createProbes } from "../../src/health/probe.ts";
import { parseAddress } from "../../src/model/address.ts";
import { handles } from "./leftovers.ts";

/** A server that behaves as a test wants it to. */
export interface TestTask extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** What it was told so far, a text for each connection. */
  readonly heard: readonly string[];
  /** Resolves when a connection to it was made. */
  reached(): Promise<void>;
  /** Resolves when none of its connections is open any more. */
  quiet(): Promise<void>;
}

/** What a server does with a connection, which is read in any case. */
export type Behaviour = (socket: Socket) => void;

export interface TaskOptions {
  /** @default "127.0.0.1" */
  readonly address?: string;
  /** @default plain TCP */
  readonly tls?: TlsOptions;
}

export async function openTask(behave: Behaviour, options: TaskOptions = {}): Promise<TestTask> {
  const { address = "127.0.0.1", tls } = options;
  const server = tls ? createTlsServer(tls) : createServer();
  const open = new Set<Socket>();
  const heard: string[] = [];
  let isReached = false;
  const count = (socket: Socket): void => {
    isReached = true;
    open.add(socket);
    socket.on("error", () => {}); // the other end may hang up on it
    socket.once("close", () => {
      open.delete(socket);
      if (open.size === 0) server.emit("quiet");
    });
  };
  server.on("connection", count);
  server.on("tlsClientError", () => {});
  server.on(tls ? "secureConnection" : "connection", (socket: Socket) => {
    const at = heard.push("") - 1;
    socket.on("error", () => {});
    socket.on("data", (octets) => (heard[at] += octets.toString("latin1")));
    behave(socket);
  });
  server.listen(0, address);
  await once(server, "listening");
  return {
    address,
    port: portOf(server),
    heard,
    async reached() {
      if (!isReached) await once(server, "connection");
    },
    async quiet() {
      if (open.size > 0) await once(server, "quiet");
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/**
 * What comes of a probe, as `pass HTTP 200`, without how long a pass took. Holds as well that nothing is left of it:
 * the server saw all connections end, and this process has the handles that it had.
 */
export async function tryTask(probe: ActiveProbe, task: TestTask, timeoutMs = 10_000): Promise<string> {
  const before = await handles();
  const { signal } = new AbortController();
  const at = { address: parseAddress(task.address), port: task.port };
  const { kind, detail } = await createProbes()(
    probe,
    { service: "web", task: "a", ...at },
    timeoutMs,
    signal,
  );
  await task.quiet();
  expect(await handles(), "what is left of the probe").toEqual(before);
  return `${kind} ${detail.replace(/ in [\d.]+m?s(?! \()/, "")}`;
}

export function targetOf({ address, port }: TestTask): Target {
  return { service: "web", task: "a", address: parseAddress(address), port };
}

export const silent: Behaviour = () => {};

export const closes: Behaviour = (socket) => socket.end();

export const resets: Behaviour = (socket) => socket.resetAndDestroy();

/** Says something to whoever connects. */
export function says(...texts: readonly (string | Buffer)[]): Behaviour {
  return (socket) => {
    for (const text of texts) socket.write(text);
  };
}

/** Says something once it was asked. */
export function answers(text: string | Buffer): Behaviour {
  return (socket) => socket.once("data", () => socket.write(text));
}

export function answersAndCloses(text: string | Buffer): Behaviour {
  return (socket) => socket.once("data", () => socket.end(text));
}

export function answersAndResets(text: string): Behaviour {
  return (socket) => {
    socket.once("data", () => {
      socket.write(text, () => socket.resetAndDestroy());
    });
  };
}

/** Says the same for ever once it was asked, as fast as it is read. */
export function floods(first: string, again: string): Behaviour {
  return (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(again)) continue;
    };
    socket.once("data", () => {
      socket.write(first);
      pour();
      socket.on("drain", pour);
    });
  };
}

/** Says a text octet by octet, each in a segment of its own, and closes. */
export function drips(text: string): Behaviour {
  const octets = Buffer.from(text);
  return (socket) => {
    let at = 0;
    const drip = (): void => {
      if (socket.destroyed) return;
      if (at === octets.length) socket.end();
      else socket.write(octets.subarray(at, ++at), () => setImmediate(drip));
    };
    socket.setNoDelay();
    socket.once("data", drip);
  };
}

/** A server whose process hangs, and for which the kernel takes no more connections. */
export async function openFullTask(): Promise<TestTask> {
  // With a backlog of one, Linux holds two connections that nobody has accepted.
  const child = spawn(process.execPath, ["--eval", HANGING], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  const port = Number(String(said));
  const waiting = [connect(port, "127.0.0.1"), connect(port, "127.0.0.1")];
  await Promise.all(waiting.map((socket) => once(socket, "connect")));
  return {
    address: "127.0.0.1",
    port,
    heard: [],
    async reached() {},
    async quiet() {},
    async [Symbol.asyncDispose]() {
      for (const socket of waiting) socket.on("error", () => {}).destroy();
      child.kill("SIGKILL");
      await once(child, "close");
    },
  };
}

const HANGING = `
  const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    require("node:fs").writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

/** A port on which nobody listens. */
export async function openNobody(address = "127.0.0.1"): Promise<TestTask> {
  const task = await openTask(silent, { address });
  await task[Symbol.asyncDispose]();
  return { ...task, async [Symbol.asyncDispose]() {} };
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  return typeof address === "object" && address ? address.port : 0;
}
