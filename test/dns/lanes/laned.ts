import type { Log } from "../../../src/base/log.ts";
import { silentLog } from "../../../src/base/log.ts";
import { createScope } from "../../../src/base/scope.ts";
import { type Counters, countersOf, createTally } from "../../../src/dns/counters.ts";
import type { Lesson, Teach } from "../../../src/dns/lanes/detours.ts";
import { createShared } from "../../../src/dns/ready/shared.ts";
import { type Lanes, openLanes } from "../../../src/dns/lanes/lanes.ts";
import { openSockets } from "../../../src/dns/lanes/sockets.ts";
import { openSystem, type System } from "../../../src/dns/lanes/system.ts";
import type { Mail } from "../../../src/dns/ready/mail.ts";
import { createWaiting, type Waiting } from "../../waiting.ts";
import { askUdp } from "../sockets.ts";

/** Lanes whose book does what a query's first letter says: see stub-lane.mjs. */
export interface Laned extends AsyncDisposable {
  readonly lanes: Lanes;
  readonly system: System;
  /** By address, as they were given. */
  readonly ports: readonly number[];
  readonly counters: Counters;
  /** What was taught, as `10.0.0.1 d`. */
  readonly taught: string[];
  /** The sockets that were woken, as who waits there is to end. */
  readonly woken: number[];
  /** What went to the log. */
  readonly lines: string[];
  readonly waiting: Waiting;
  /** How many have come to the gate, and whether it is open. */
  readonly gate: Int32Array<SharedArrayBuffer>;
  openGate(): void;
  /** The reply to an order, behind the header. */
  ask(order: string, options?: { readonly port?: number; readonly address?: string }): Promise<string>;
}

export interface LanedOptions {
  readonly count?: number;
  readonly addresses?: readonly string[];
  readonly teach?: Teach;
  /** What the lanes run. */
  readonly program?: URL;
}

/** Told to the lanes with each lesson. */
const MAIL: Mail = { kind: "client", client: 1, view: 0, cells: new Uint32Array(), sum: 0 };

export async function laned(options: LanedOptions = {}): Promise<Laned> {
  await using scope = createScope();
  const { count = 1, addresses = ["127.0.0.1"] } = options;
  const { program = new URL("./stub-lane.mjs", import.meta.url) } = options;
  const real = await thisSystem();
  const woken: number[] = [];
  const shutdown: System["shutdown"] = (fd, how) => {
    woken.push(fd);
    return real.shutdown(fd, how);
  };
  const system = { ...real, shutdown };
  const tally = createTally();
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const [taught, lines]: [string[], string[]] = [[], []];
  const waiting = createWaiting();
  const lesson = (octets: Uint8Array): Lesson => ({ reply: replied(octets), mail: [MAIL] });
  const teach: Teach = (octets, client, key) => {
    taught.push(`${client} ${Buffer.from(octets).toString("latin1", 12)}`);
    waiting.wake();
    return (options.teach ?? lesson)(octets, client, key);
  };
  const sockets = addresses.map((address) => {
    const opened = openSockets(system, address, 0, count);
    scope.defer(() => opened[Symbol.dispose]());
    return opened;
  });
  const error = (_: object, line: string): void => {
    lines.push(line);
    waiting.wake();
  };
  const log: Log = { ...silentLog, error };
  const lanes = await openLanes(
    sockets,
    { system, count, shared: createShared({ cells: gate }), teach, program },
    tally,
    log,
  );
  scope.use(lanes);
  const ports = sockets.map(({ port }) => port);
  const open = scope.move();
  return {
    lanes,
    system,
    ports,
    counters: countersOf(tally),
    taught,
    woken,
    lines,
    waiting,
    gate,
    openGate() {
      Atomics.store(gate, 1, 1);
      Atomics.notify(gate, 1);
    },
    async ask(order, { port = ports[0] ?? 0, address = "127.0.0.1" } = {}) {
      return (await askUdp(ordered(order), port, address)).octets.toString("latin1", 12);
    },
    [Symbol.asyncDispose]: async () => open[Symbol.asyncDispose](),
  };
}

export async function thisSystem(): Promise<System> {
  const offer = await openSystem();
  if (offer.kind === "missing") throw new Error(offer.because);
  return offer.system;
}

/** A query by which the stub is told what to do. */
export function ordered(order: string, id = 0): Buffer {
  const query = Buffer.concat([Buffer.alloc(12), Buffer.from(order)]);
  query.writeUInt16BE(id);
  return query;
}

export function replied(query: Uint8Array): Uint8Array {
  const reply = Uint8Array.from(query);
  reply[2] = (reply[2] ?? 0) | 0x80;
  return reply;
}
