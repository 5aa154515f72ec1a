import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Address, Family, Subnet } from "../../../src/model/address.ts";
import type { PlaneState, Report, Sight } from "../../../src/plane/plane.ts";
import { type HubProcess, openLink } from "./link.ts";

export type { HubProcess } from "./link.ts";

/** Real servers, clients and planes at addresses of their own, in the places of a plan. */
export interface Lab extends AsyncDisposable {
  readonly pace: Pace;
  readonly families: readonly Family[];
  /** Each listens at its endpoints. */
  readonly tasks: readonly Task[];
  readonly client: Client;
  /** Where planes run, and what published ports are asked at. */
  readonly node: Readonly<Record<Family, string>>;
  readonly pools: readonly string[];

  /** An address of a pool, with a port, that nobody was given before. */
  vip(family: Family): Promise<Endpoint>;
  publishedPort(): Promise<number>;
  /** Lets a task listen at another port of the same address. */
  serve(task: Task, family: Family, port: number): Promise<Endpoint>;
  /** As a process that is killed: its connections are reset. */
  die(task: Task): Promise<void>;
  /** Makes it listen again, where it did. */
  revive(task: Task): Promise<void>;

  ask(place: string, question: Question): Promise<Found>;
  hold(place: string, target: Target): Promise<Flow>;
  hammer(place: string, target: Target, clients: number): Promise<Hammer>;
  isPinged(place: string, host: string): Promise<boolean>;
  /** Runs a program in a place. */
  run(place: string, argv: readonly string[], input?: string): Promise<Ran>;
  openPlane(choice: PlaneChoice): Promise<LabPlane>;
}

/** How much is asked of a machine, and how long it may take. */
export interface Pace {
  /** What one question may take, in milliseconds, before it is a failure. */
  readonly patienceMs: number;
  /** What is at once, in milliseconds: far below any time-out of a client. */
  readonly promptMs: number;
  /** Questions from which a random spread is judged. */
  readonly questions: number;
  /** Changes under load, and the clients that make it. */
  readonly changes: number;
  readonly clients: number;
}

export const HOST_PACE: Pace = {
  patienceMs: 5_000,
  promptMs: 1_000,
  questions: 400,
  changes: 60,
  clients: 16,
};

/** For a guest with one CPU, whose system calls take ten times as long. */
export const GUEST_PACE: Pace = {
  patienceMs: 15_000,
  promptMs: 5_000,
  questions: 150,
  changes: 20,
  clients: 4,
};

export interface Plan {
  readonly kind: "loopback" | "routed" | "bridge";
  /** @default 4 */
  readonly tasks?: number;
  /** Whether what passes a bridge passes the node's tables: with br_netfilter. @default true */
  readonly isBridgeFiltered?: boolean;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface Task {
  readonly name: string;
  readonly at: Readonly<Record<Family, Endpoint>>;
}

/** A place with several addresses to ask from, so that a plane sees several clients. */
export interface Client {
  readonly name: string;
  readonly from: Readonly<Record<Family, readonly string[]>>;
}

export interface Target extends Endpoint {
  /** @default "tcp" */
  readonly protocol?: "tcp" | "udp";
  /** Addresses to ask from, in turn. @default the kernel's choice */
  readonly from?: readonly string[];
}

export interface Question extends Target {
  /** @default 1 */
  readonly count?: number;
  /** How many at a time. @default 1 */
  readonly at?: number;
}

/** What came of questions. */
export interface Found {
  /** How often each task answered. */
  readonly names: Readonly<Record<string, number>>;
  /** The addresses that each task saw. */
  readonly peers: Readonly<Record<string, readonly string[]>>;
  /** By the address asked from, how often each task answered. */
  readonly byClient: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Failures by code. */
  readonly errors: Readonly<Record<string, number>>;
  readonly slowestMs: number;
}

/** A reply, or what ended the flow or the wait. */
export type Said =
  | { readonly name: string; readonly peer: string; readonly error?: undefined }
  | { readonly error: string; readonly name?: undefined };

/** A connection, or a socket with datagrams, that stays open. */
export interface Flow extends AsyncDisposable {
  readonly first: Said;
  say(): Promise<Said>;
}

/** Clients that connect, ask and close without a pause. */
export interface Hammer {
  /** Resolves when no connection is left that was under way at the call. */
  turn(): Promise<void>;
  soFar(): Promise<Hammered>;
  rest(): Promise<Hammered>;
}

export interface Hammered {
  readonly done: number;
  readonly failures: Readonly<Record<string, number>>;
  /** The first failures, in words. */
  readonly first: readonly string[];
  readonly names: Readonly<Record<string, number>>;
  readonly slowestMs: number;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Which plane, as the build has it. */
export interface PlaneChoice {
  /** The module's path from dist/plane, or its URL. */
  readonly module: string;
  /** Its function that makes the plane of `{ log, ...options }`. */
  readonly create: string;
  readonly options?: object;
}

/** A plane in a process of its own on the node. */
export interface LabPlane extends AsyncDisposable {
  /** Applies the states without waiting between them, and gives the report of each. */
  apply(...states: readonly Told<PlaneState>[]): Promise<readonly Told<Report>[]>;
  look(): Promise<Told<Sight>>;
  /** kill -9, which leaves behind what it leaves. */
  kill(): Promise<void>;
}

/** A value as JSON tells it: addresses and subnets as people write them, maps as lists. */
export type Told<T> = T extends Address | Subnet
  ? string
  : T extends ReadonlyMap<infer K, infer V>
    ? readonly (readonly [K, Told<V>])[]
    : T extends readonly (infer U)[]
      ? readonly Told<U>[]
      : T extends object
        ? { readonly [K in keyof T]: Told<T[K]> }
        : T;

/** As the hub tells it. */
interface Laid {
  readonly families: readonly Family[];
  readonly tasks: readonly ({ readonly name: string } & Readonly<Record<Family, string>>)[];
  readonly client: { readonly name: string } & Readonly<Record<Family, readonly string[]>>;
  readonly node: Readonly<Record<Family, string>>;
  readonly pools: readonly string[];
  /** What its VIPs begin with; undefined: there is one alone, and ports tell who is who. */
  readonly vips: Readonly<Record<Family, string | undefined>>;
  readonly vipPort: number;
}

const TASK_PORT = 8080;

/** A hub on this machine. */
export function startHub(): HubProcess {
  const script = new URL("hub.mjs", import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  return {
    input: child.stdin,
    output: child.stdout,
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exit;
    },
  };
}

/** Lays a plan at a hub, which ends with the lab. */
export async function openLab(hub: HubProcess, plan: Plan, pace: Pace = HOST_PACE): Promise<Lab> {
  const link = await openLink(hub);
  const laid = await link.request<Laid>(undefined, "lay", { tasks: 4, ...plan });
  const { client, node, families, pools } = laid;
  let vips = 0;
  let names = 0;

  const serve = async (name: string, address: string, port: number): Promise<Endpoint> => {
    const served = await link.request<{ port: number }>(name, "serve", { name, address, port });
    return { address, port: served.port };
  };
  const tasks = await Promise.all(
    laid.tasks.map(async (task): Promise<Task> => {
      const { name } = task;
      const v4 = await serve(name, task[4], TASK_PORT);
      // Where all share one address, each has a port of its own.
      const v6Port = laid.vips[6] === undefined ? 0 : TASK_PORT;
      const v6 = families.includes(6) ? await serve(name, task[6], v6Port) : { address: task[6], port: 0 };
      return { name, at: { 4: v4, 6: v6 } };
    }),
  );

  const lab: Lab = {
    pace,
    families,
    tasks,
    client: { name: client.name, from: { 4: client[4], 6: client[6] } },
    node,
    pools,
    async vip(family) {
      const prefix = laid.vips[family];
      if (prefix === undefined) return { address: laid.node[family], port: await lab.publishedPort() };
      vips += 1;
      return { address: `${prefix}${vips}`, port: laid.vipPort };
    },
    async publishedPort() {
      const { port } = await link.request<{ port: number }>("node", "freePort");
      return port;
    },
    serve: async ({ name, at }, family, port) => serve(name, at[family].address, port),
    die: async ({ name }) => link.request(name, "die", { name }),
    async revive({ name, at }) {
      for (const family of families) await serve(name, at[family].address, at[family].port);
    },
    ask: async (place, { address, ...question }) =>
      link.request(place, "ask", { host: address, timeoutMs: pace.patienceMs, ...question }),
    async hold(place, { address, from = [], ...target }) {
      names += 1;
      const flow = `f${names}`;
      const say = { flow, timeoutMs: pace.patienceMs };
      const opened = { host: address, from: from[0], ...target, ...say };
      const first = await link.request<Said>(place, "hold", opened);
      return {
        first,
        say: async () => link.request(place, "say", say),
        [Symbol.asyncDispose]: async () => link.request(place, "drop", say),
      };
    },
    async hammer(place, { address, ...target }, clients) {
      names += 1;
      const hammer = `h${names}`;
      const { patienceMs: timeoutMs } = pace;
      await link.request(place, "hammer", { hammer, host: address, timeoutMs, clients, ...target });
      return {
        turn: async () => link.request(place, "turn", { hammer }),
        soFar: async () => link.request(place, "soFar", { hammer }),
        rest: async () => link.request(place, "rest", { hammer }),
      };
    },
    async isPinged(place, host) {
      const seconds = String(Math.ceil(pace.promptMs / 1_000));
      const { code } = await lab.run(place, ["busybox", "ping", "-c", "1", "-W", seconds, host]);
      return code === 0;
    },
    run: async (place, argv, input) => link.request(undefined, "run", { place, argv, input }),
    async openPlane(choice) {
      names += 1;
      const name = `plane${names}`;
      await link.request(undefined, "start", { name, place: "node" });
      await link.request(name, "openPlane", choice);
      let isKilled = false;
      return {
        apply: async (...states) => link.request(name, "apply", { states }),
        look: async () => link.request(name, "look"),
        async kill() {
          isKilled = true;
          await link.request(undefined, "kill", { name });
        },
        async [Symbol.asyncDispose]() {
          if (!isKilled) await link.request(name, "closePlane");
        },
      };
    },
    [Symbol.asyncDispose]: async () => hub[Symbol.asyncDispose](),
  };
  return lab;
}
