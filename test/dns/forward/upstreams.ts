import { createSocket, type RemoteInfo } from "node:dgram";
import { once } from "node:events";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { createServer as createTls, type TlsOptions } from "node:tls";
import { createFrames } from "../../../src/dns/frames.ts";
import { readReply } from "../../../src/ask/reply.ts";
import { frame, record, replyTo } from "../../ask/servers.ts";

/** A name server of the test's own, over UDP and TCP on one port, or over TLS. */
export interface TestUpstream extends AsyncDisposable {
  readonly port: number;
  /** What it was asked, as `udp www.example. A`; trials of the forwarder's own left out. */
  readonly asked: string[];
  /** The queries behind these. */
  readonly queries: Buffer[];
  /** How many connections there have been. */
  readonly connections: number;
  /** How often forwarders looked whether it is there. */
  readonly trials: number;
  /** Resolves when it has been asked so often. */
  askedTimes(count: number): Promise<void>;
  /** Resolves when it has been tried so often. */
  triedTimes(count: number): Promise<void>;
  /** Resolves when no connection is open. */
  hungUp(): Promise<void>;
  /** Ends all connections. */
  hangUp(): void;
}

export interface From {
  readonly transport: "udp" | "tcp";
  /** Its port. */
  readonly port: number;
  /** Sends octets to who asked. */
  send(message: Buffer): void;
  /** Sends them from another port; over TCP nobody else can. */
  sendFromElsewhere(message: Buffer): void;
}

/** What it does with a query. */
export type Way = (query: Buffer, from: From) => void;

/** Answers 192.0.2.1 to whatever is asked. */
export const well: Way = (query, from) => from.send(addressed(query));
export const silent: Way = () => {};

export function addressed(query: Buffer, address = "c0000201"): Buffer {
  return replyTo(query, { flags: 0x0180, answers: [record(1, address)] });
}

/** A reply of an rcode alone. */
export function saying(rcode: number): Way {
  return (query, from) => from.send(replyTo(query, { flags: 0x0180 | rcode }));
}

export async function openUpstream(way: Way = well, port = 0, tls?: TlsOptions): Promise<TestUpstream> {
  for (;;) {
    try {
      return await tryToOpen(way, port, tls);
    } catch (error) {
      if (port !== 0) throw error; // else somebody has that port over UDP: another will do
    }
  }
}

async function tryToOpen(way: Way, wanted: number, tls: TlsOptions | undefined): Promise<TestUpstream> {
  const asked: string[] = [];
  const queries: Buffer[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const trials: Buffer[] = [];
  const told = new EventTarget();

  const hear = (query: Buffer, from: From): void => {
    const { question } = readReply(query);
    if (question?.name.includes("rota-loop")) {
      trials.push(query);
    } else if (question) {
      asked.push(`${from.transport} ${question.name} ${question.type}`);
      queries.push(query);
    }
    way(query, from);
    told.dispatchEvent(new Event("asked"));
  };
  const serve = (socket: Socket): void => {
    connections += 1;
    sockets.add(socket);
    const frames = createFrames();
    const send = (message: Buffer): void => void socket.write(frame(message));
    socket.on("close", () => {
      sockets.delete(socket);
      told.dispatchEvent(new Event("closed"));
    });
    socket.on("error", () => socket.destroy());
    socket.on("data", (octets) => {
      frames.push(octets);
      for (let query = frames.shift(); query; query = frames.shift()) {
        hear(Buffer.from(query), {
          transport: "tcp",
          port: socket.remotePort ?? 0,
          send,
          sendFromElsewhere() {},
        });
      }
    });
  };
  const server: Server = tls ? createTls(tls, serve) : createTcp(serve);
  server.listen(wanted, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const { port } = address;

  const udp = createSocket("udp4");
  const elsewhere = createSocket("udp4");
  udp.on("message", (query: Buffer, { port, address }: RemoteInfo) => {
    const send = (message: Buffer): void => udp.send(message, port, address);
    const sendFromElsewhere = (message: Buffer): void => elsewhere.send(message, port, address);
    hear(query, { transport: "udp", port, send, sendFromElsewhere });
  });
  udp.bind(port, "127.0.0.1");
  try {
    await once(udp, "listening");
  } catch (error) {
    elsewhere.close();
    udp.close();
    server.close();
    throw error;
  }

  const hangUp = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port,
    asked,
    queries,
    get connections() {
      return connections;
    },
    get trials() {
      return trials.length;
    },
    async askedTimes(count) {
      while (asked.length < count) await once(told, "asked");
    },
    async triedTimes(count) {
      while (trials.length < count) await once(told, "asked");
    },
    async hungUp() {
      while (sockets.size > 0) await once(told, "closed");
    },
    hangUp,
    async [Symbol.asyncDispose]() {
      const closed = [udp, elsewhere, server].map((each) => once(each, "close"));
      udp.close();
      elsewhere.close();
      server.close();
      hangUp();
      await Promise.all(closed);
    },
  };
}
