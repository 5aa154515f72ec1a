import { randomInt } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { silentLog } from "../../../src/base/log.ts";
import { parseAddress } from "../../../src/model/address.ts";
import type { Backend, Frontend, PlaneState, Report } from "../../../src/plane/plane.ts";
import {
  createUserspacePlane,
  type UserspaceOptions,
  type UserspacePlane,
} from "../../../src/plane/userspace/userspace.ts";

/** A frontend in few words; what is not said is as people mostly have it. */
export type Wanted = Partial<
  Pick<Frontend, "balance" | "affinityMs" | "proxyProtocol" | "protocol"> & {
    published: boolean;
    vip: string;
  }
> & { readonly port: number };

/** A task in few words. */
export interface Behind {
  readonly task: string;
  readonly port: number;
  /** @default 127.0.0.1 */
  readonly address?: string;
  readonly duty?: Backend["duty"];
  readonly weight?: number;
}

/** An address of the pool that VIPs are of, hardly ever another test's. */
export function newVip(): string {
  return `127.64.${randomInt(1, 255)}.${randomInt(1, 255)}`;
}

/** Above what needs a right, and below where the system takes ports for those that call. */
export function newPort(): number {
  return randomInt(2000, 30_000);
}

/** A state of services with one frontend each. */
export function stateOf(
  services: Readonly<Record<string, readonly [wanted: Wanted, behind: readonly Behind[]]>>,
): PlaneState {
  const entries = Object.entries(services).map(([name, [wanted, behind]]) => {
    const frontend = frontendOf(wanted, behind);
    const vips = frontend.kind === "vip" ? [frontend.vip] : [];
    return [name, { name, vips, frontends: [frontend] }] as const;
  });
  return { services: new Map(entries), pools: [], peers: new Map() };
}

export function frontendOf(
  { port, published = false, vip = "127.64.0.1", ...wanted }: Wanted,
  behind: readonly Behind[],
): Frontend {
  const base = {
    protocol: "tcp",
    balance: "weighted",
    affinityMs: 0,
    proxyProtocol: 0,
    ...wanted,
    backends: behind.map(({ task, port, address = "127.0.0.1", duty = "serving", weight = 1 }) => ({
      task,
      address: parseAddress(address),
      port,
      weight,
      duty,
      node: undefined,
    })),
  } as const;
  if (published) return { kind: "published", port, ...base };
  return { kind: "vip", vip: parseAddress(vip), network: "default", port, ...base };
}

export function openPlane(options: Partial<UserspaceOptions> = {}): UserspacePlane {
  return createUserspacePlane({ log: silentLog, ...options });
}

export function told({ troubles }: Report): string[] {
  return troubles.map(({ service, message }) => `${service}: ${message}`);
}

export interface Task extends AsyncDisposable, Behind {
  /** Those that came, in their order. */
  readonly sockets: readonly Socket[];
  readonly server: Server;
}

/** A task on a free port that does this with each connection; @default says its name, and then all that it hears. */
export async function openTask(
  task: string,
  serve: (socket: Socket) => void = echo(task),
  address = "127.0.0.1",
): Promise<Task> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    sockets.push(socket);
    serve(socket);
    server.emit("task", socket);
  });
  server.listen({ host: address, port: 0 });
  await once(server, "listening");
  return {
    task,
    address,
    port: portOf(server),
    sockets,
    server,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, "close");
    },
  };
}

function echo(name: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(`${name} `);
    socket.pipe(socket);
  };
}

export function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === "object" && address) return address.port;
  throw new Error("it does not listen");
}

/** Says something, has said all, and gives what it heard up to the end; `ECONNREFUSED` and the like if there was none. */
export async function talk(to: Wanted, words = ""): Promise<string> {
  const { vip = "127.64.0.1", port } = to;
  const client = connect({ host: vip, port, allowHalfOpen: true });
  client.end(words);
  return heardBy(client);
}

export function heardBy(client: Socket): Promise<string> {
  return new Promise((resolve) => {
    const heard: Buffer[] = [];
    client.on("data", (octets: Buffer) => heard.push(octets));
    client.on("end", () => resolve(Buffer.concat(heard).toString("latin1")));
    client.on("error", (error) => resolve(codeOf(error)));
  });
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : error.message;
}

/** A connection that stands, and has heard the name of its task. */
export async function join(to: Wanted): Promise<{ readonly client: Socket; readonly name: string }> {
  const { vip = "127.64.0.1", port } = to;
  const client = connect({ host: vip, port, allowHalfOpen: true });
  const name = await new Promise<string>((resolve, reject) => {
    client.once("data", (octets) => resolve(octets.toString().trim()));
    client.once("error", reject);
  });
  return { client, name };
}

/** Says something and gives what comes back next. */
export async function ask(client: Socket, words: string): Promise<string> {
  client.write(words);
  const heard = await new Promise<string>((resolve) => {
    client.once("data", (octets) => resolve(octets.toString()));
    client.once("error", (error) => resolve(codeOf(error)));
    client.once("end", () => resolve("end"));
  });
  return heard;
}

/** How a connection ends: `end`, or the code of its error. */
export function endOf(client: Socket): Promise<string> {
  client.resume();
  return new Promise((resolve) => {
    client.once("error", (error) => resolve(codeOf(error)));
    client.once("end", () => resolve("end"));
  });
}

/** A port where nobody listens. */
export async function deadPort(): Promise<number> {
  await using task = await openTask("gone");
  return task.port;
}

/** Resolves when so many connections are open. */
export async function untilOpen({ counters }: UserspacePlane, open: number): Promise<void> {
  while (counters.connections.open !== open) await new Promise(setImmediate);
}

/** How many flows a task has. */
export async function activeOf(plane: UserspacePlane, task: string): Promise<number> {
  const { services } = await plane.look();
  const backends = services.flatMap(({ frontends }) => frontends.flatMap(({ backends }) => backends));
  return backends.find(({ backend }) => backend.task === task)?.active ?? 0;
}
