import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";

/** What a server of HTTP/2 may say, in octets, right or wrong: RFC 9113 section 6. */

export const SETTINGS = frame(4, 0, 0);
export const PING = frame(6, 0, 0, Buffer.alloc(8));
export const WINDOW_UPDATE = frame(8, 0, 0, Buffer.of(0, 0, 0, 1));
export const UNKNOWN_FRAME = frame(0x77, 0, 0, Buffer.alloc(100));
const END_STREAM = 1;
const END_HEADERS = 4;

export type Fields = Readonly<Record<string, string>>;

export function headers(fields: Fields, flags = 0): Buffer {
  return frame(1, END_HEADERS | flags, 1, fieldsOf(fields));
}

/** The last of an answer. */
export function trailers(fields: Fields): Buffer {
  return headers(fields, END_STREAM);
}

/** A block of headers that has not come to its end. */
export function openHeaders(fields: Fields): Buffer {
  return frame(1, 0, 1, fieldsOf(fields));
}

export function continuation(fields: Fields): Buffer {
  return frame(9, 0, 1, fieldsOf(fields));
}

export function data(octets: Buffer, flags = 0): Buffer {
  return frame(0, flags, 1, octets);
}

/** The last of a body that no trailers follow. */
export function lastData(octets: Buffer): Buffer {
  return data(octets, END_STREAM);
}

export function rstStream(code: number): Buffer {
  return frame(3, 0, 1, word(code));
}

export function goaway(lastStream: number, code: number): Buffer {
  return frame(7, 0, 0, Buffer.concat([word(lastStream), word(code)]));
}

/** As gRPC has a message in a body: whether it is compressed, how long it is, and the message. */
export function grpcMessage(message: Buffer, length = message.length, compressed = 0): Buffer {
  return Buffer.concat([Buffer.of(compressed), word(length), message]);
}

/** Writes for as long as somebody reads. */
export function flood(socket: Socket, octets: Buffer): void {
  const many = Buffer.concat(Array.from({ length: 500 }, () => octets));
  const write = (): void => {
    while (socket.writable && socket.write(many));
  };
  socket.on("drain", write);
  write();
}

export interface RawServer extends AsyncDisposable {
  readonly port: number;
  /** Resolves when all its connections are closed, by whomever. */
  allClosed(): Promise<void>;
}

/** `serve` is called with a connection when a request has come over it, whole; `greet` when it stands. */
export async function openRaw(
  serve: (socket: Socket) => void,
  greet: (socket: Socket) => void = () => {},
): Promise<RawServer> {
  const open = new Map<Socket, Promise<unknown>>();
  const server = createServer((socket) => {
    open.set(socket, new Promise((resolve) => socket.once("close", resolve)));
    socket.on("error", () => {}); // the other end hangs up on us
    let received: Buffer = Buffer.alloc(0);
    let isServed = false;
    socket.on("data", (octets) => {
      received = Buffer.concat([received, octets]);
      if (isServed || !hasRequest(received)) return;
      isServed = true;
      serve(socket);
    });
    greet(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: portOf(server.address()),
    async allClosed() {
      await Promise.all(open.values());
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open.keys()) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Whether the stream's end stands in it: a DATA frame with END_STREAM, behind the preface (RFC 9113 section 3.4). */
function hasRequest(octets: Buffer): boolean {
  for (let at = 24; at + 9 <= octets.length; at += 9 + octets.readUIntBE(at, 3)) {
    if (octets[at + 3] === 0 && octets[at + 4] === END_STREAM) return true;
  }
  return false;
}

function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** RFC 7541 section 6.2.2, "Literal Header Field without Indexing", of less than 127 octets each. */
function fieldsOf(fields: Fields): Buffer {
  const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
  return Buffer.concat(
    Object.entries(fields).flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]),
  );
}

function word(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

function portOf(address: string | AddressInfo | null): number {
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
