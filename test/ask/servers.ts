import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttp, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcp, type Socket } from "node:net";

/** A server that does what a test tells it to, on a free port. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
}

/** What to send back for a query, in order; none: silence. */
export type Answer = (query: Buffer) => readonly Buffer[];

export async function openUdp(answer: Answer, address = "127.0.0.1", port = 0): Promise<TestServer> {
  const socket: UdpSocket = createSocket(address.includes(":") ? "udp6" : "udp4");
  socket.on("message", (query, from) => {
    for (const datagram of answer(query)) socket.send(datagram, from.port, from.address);
  });
  socket.bind(port, address);
  await once(socket, "listening");
  return {
    port: socket.address().port,
    async [Symbol.asyncDispose]() {
      socket.close();
      await once(socket, "close");
    },
  };
}

/** `serve` is called with each connection, once its first octets are there, and these without their length. */
export async function openTcp(
  serve: (socket: Socket, query: Buffer) => void,
  address = "127.0.0.1",
): Promise<TestServer> {
  const open = new Set<Socket>();
  const server = createTcp((socket) => {
    open.add(socket);
    socket.on("error", () => open.delete(socket)); // the other end may hang up on us
    socket.once("data", (octets) => serve(socket, Buffer.from(octets.subarray(2))));
  });
  server.listen(0, address);
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** UDP and TCP on one port. */
export async function openBoth(
  answer: Answer,
  serve: (socket: Socket, query: Buffer) => void,
): Promise<TestServer> {
  for (;;) {
    const tcp = await openTcp(serve);
    try {
      const udp = await openUdp(answer, "127.0.0.1", tcp.port);
      return {
        port: tcp.port,
        async [Symbol.asyncDispose]() {
          await udp[Symbol.asyncDispose]();
          await tcp[Symbol.asyncDispose]();
        },
      };
    } catch {
      await tcp[Symbol.asyncDispose](); // somebody has this port over UDP: take another
    }
  }
}

export async function openHttp(listener: RequestListener): Promise<TestServer> {
  const server = createHttp(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

/** A port on which nobody listens. */
export async function findFreePort(): Promise<number> {
  const server = await openTcp(() => {});
  await server[Symbol.asyncDispose]();
  return server.port;
}

/** The message as TCP carries it (RFC 1035 section 4.2.2). */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

export interface Parts {
  /** Bits of the header's third and fourth octets besides QR, as 0x0400 for AA. */
  readonly flags?: number;
  readonly answers?: readonly Buffer[];
  readonly additionals?: readonly Buffer[];
}

/** A reply to `query`, which carries its question. */
export function replyTo(query: Buffer, parts: Parts = {}): Buffer {
  const { flags = 0, answers = [], additionals = [] } = parts;
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  [0x8000 | flags, 1, answers.length, 0, additionals.length].forEach((word, at) => {
    header.writeUInt16BE(word, 2 + 2 * at);
  });
  return Buffer.concat([header, questionOf(query), ...answers, ...additionals]);
}

/** A record owned by the question's name, of class IN and TTL 5. */
export function record(type: number, data: Buffer | string): Buffer {
  const octets = typeof data === "string" ? Buffer.from(data, "hex") : data;
  const head = Buffer.from("c00c00000001000000050000", "hex");
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(octets.length, 10);
  return Buffer.concat([head, octets]);
}

function questionOf(query: Buffer): Buffer {
  let end = 12;
  while (query.readUInt8(end) > 0) end += 1 + query.readUInt8(end);
  return query.subarray(12, end + 5);
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
