import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createHandleCarrier } from "../../../src/plane/userspace/handle-carrier.ts";
import { findHandles } from "../../../src/plane/userspace/handles.ts";
import type { Carrier, Ears, Side } from "../../../src/plane/userspace/side.ts";
import { ACCEPTING, createSocketCarrier } from "../../../src/plane/userspace/socket-carrier.ts";
import { testNeeding } from "../../needing.ts";
import { deadPort, endOf, heardBy, openTask, portOf } from "./carried.ts";

/** More than the kernel takes of who is not read by anybody. */
const MUCH = 32 * 1024 * 1024;

/** Else what is tested would not be handles. */
const NOT_NEEDED: Carrier = {
  accept: () => expect.unreachable(),
  call: () => expect.unreachable(),
};

describe.each([
  ["handles", () => createHandleCarrier(found(), NOT_NEEDED)],
  ["sockets", createSocketCarrier],
])("a side by %s", (_, create) => {
  test("of a call that is answered, hears all in its order", async () => {
    const { sockets, port } = await task((socket) => void socket.pipe(socket));
    const { side, octets, said, until } = called(create(), port);
    await until("joined");
    expect(side.ends()).toEqual({
      source: "127.0.0.1",
      sourcePort: port,
      destination: "127.0.0.1",
      destinationPort: sockets[0]?.remotePort,
    });
    side.read();
    expect(side.write(Buffer.from("hello"))).toBe(true);
    await until("heard hello");
    side.write(Buffer.from("again"));
    await until("heard again");
    side.end();
    await until("ended");
    side.finish();
    expect(side.isClosed).toBe(true);
    expect(said).toEqual(["joined", "heard hello", "heard again", "ended"]);
    await until("gone");
    expect(said).toHaveLength(5);
    expect(Buffer.concat(octets).toString(), "which stays as it was").toBe("helloagain");
  });

  testNeeding({ ipv6: true })("calls over IPv6, too", async () => {
    const { port } = await task((socket) => void socket.end("hello"), "::1");
    const { side, said, until } = called(create(), port, "::1");
    await until("joined");
    await turns();
    expect(said, "nothing is read before it is to").toEqual(["joined"]);
    expect(side.ends()).toMatchObject({ source: "::1", sourcePort: port, destination: "::1" });
    side.read();
    await until("heard hello");
    side.close();
    await until("gone");
  });

  test.each([
    ["nobody answers", () => {}],
    ["it is closed meanwhile", (side: Side) => side.close()],
    ["it is reset meanwhile", (side: Side) => side.reset()],
  ])("of a call hears only that it is gone, and not at once, where %s", async (_, then) => {
    const { side, said, until } = called(create(), await deadPort());
    then(side);
    expect(said).toEqual([]);
    await until("gone");
    expect(said).toEqual(["gone"]);
    expect(side.isClosed).toBe(true);
    expect(side.ends()).toBeUndefined();
    for (const again of [side.close, side.reset, side.end, side.finish]) again();
    expect(side.write(Buffer.from("late"))).toBe(false);
  });

  test("reads nothing of a client before it is to, and then no more than it has room for", async () => {
    const { client, side, said, until } = await accepted(create());
    client.write(Buffer.alloc(1024 * 1024, "x"));
    await turns();
    expect(said).toEqual([]);
    side.read();
    await until("heard more");
    await turns();
    expect(said).toEqual(["heard more"]);
    side.read();
    await until("heard more", 2);
    await turns();
    expect(said).toEqual(["heard more", "heard more"]);
  });

  test("finishes behind what waits", async () => {
    const { client, side, until } = await accepted(create());
    client.pause();
    client.end();
    side.read();
    await until("ended");
    expect(side.write(Buffer.alloc(MUCH, "x"))).toBe(false);
    side.finish();
    expect(await octetsOf(client)).toBe(MUCH);
    await until("gone");
  });

  test("ends behind what waits, and hears on", async () => {
    const { client, side, until } = await accepted(create());
    client.pause();
    expect(side.write(Buffer.alloc(MUCH, "x"))).toBe(false);
    side.end();
    expect(await octetsOf(client)).toBe(MUCH);
    side.read();
    client.end("still there");
    await until("heard still there");
    await until("ended");
    side.finish();
    await until("gone");
  });

  test("closes with what waits", async () => {
    const { client, side, until } = await accepted(create());
    client.pause();
    expect(side.write(Buffer.alloc(MUCH, "x"))).toBe(false);
    side.close();
    expect(await octetsOf(client)).toBeLessThan(MUCH);
    await until("gone");
  });

  test("tells when all has left, and how much was written before does not matter", async () => {
    const { client, side, said, until } = await accepted(create());
    client.pause();
    expect(side.write(Buffer.alloc(MUCH, "x"))).toBe(false);
    expect(side.write(Buffer.from("y"))).toBe(false);
    client.resume();
    await until("drained");
    await turns();
    expect(said).toEqual(["drained"]);
    expect(side.write(Buffer.from("z"))).toBe(true);
    side.close();
  });

  test("that is reset is no good end to the other", async () => {
    const { client, side, until } = await accepted(create());
    side.reset();
    expect(await endOf(client)).toBe("ECONNRESET");
    await until("gone");
  });

  test("may be reset while it says that nothing more will come", async () => {
    const { client, side, until } = await accepted(create());
    client.pause();
    side.write(Buffer.alloc(MUCH, "x"));
    side.end();
    side.reset();
    await until("gone");
  });

  test.each([
    ["reads", (side: Side) => side.read()],
    ["writes", (side: Side) => void side.write(Buffer.alloc(MUCH))],
  ])("is gone when the other resets it and it %s", async (_, then) => {
    const { client, side, said, until } = await accepted(create());
    client.resetAndDestroy();
    await once(client, "close");
    then(side);
    await until("gone");
    expect(said).toEqual(["gone"]);
  });
});

/** All is there, but what can be done with a socket. */
const OTHERS = {
  TCP: Map,
  TCPConnectWrap: Map,
  constants: { SOCKET: 0 },
  WriteWrap: Map,
  ShutdownWrap: Map,
  streamBaseState: new Int32Array(5),
  kReadBytesOrError: 0,
  kLastWriteWasAsync: 3,
};

describe("where Node has other handles, or gives them to nobody, none are found", () => {
  test.each([
    ["nothing to ask", null],
    ["nothing given", () => undefined],
    [
      "not permitted",
      () => {
        throw new Error("ERR_ACCESS_DENIED");
      },
    ],
    ["others", () => OTHERS],
  ])("%s", (_, binding) => {
    expect(findHandles(binding)).toBeUndefined();
  });
});

function found() {
  const handles = findHandles();
  if (!handles) throw new Error("this Node has no handles, and carries at half the speed");
  return handles;
}

/** How much comes up to its end. */
async function octetsOf(client: Socket): Promise<number> {
  const heard = heardBy(client);
  client.resume();
  return (await heard).length;
}

async function task(serve: (socket: Socket) => void, address?: string) {
  const opened = await openTask("a", serve, address);
  onTestFinished(() => opened[Symbol.asyncDispose]());
  return opened;
}

/** A side that was called, and what is heard of it. */
function called(carrier: Carrier, port: number, host = "127.0.0.1") {
  const { ears, ...heard } = listen();
  return { side: carrier.call(host, port, ears), ...heard };
}

/** The side of a client that was accepted, and what is heard of it. */
async function accepted(carrier: Carrier) {
  const server = createServer(ACCEPTING);
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { ears, said, until } = listen();
  const taken = new Promise<Side>((resolve) => {
    carrier.accept(server, (open) => resolve(open(ears)));
  });
  const client = connect({ host: "127.0.0.1", port: portOf(server), allowHalfOpen: true });
  client.on("error", () => {});
  await once(client, "connect");
  const side = await taken;
  onTestFinished(() => {
    client.destroy();
    side.close();
    server.close();
  });
  return { client, side, said, until };
}

/** Notes what is heard. Of what is long no more is wanted. */
function listen() {
  const said: string[] = [];
  const octets: Buffer[] = [];
  const note = (word: string) => () => void said.push(word);
  const ears: Ears = {
    joined: note("joined"),
    heard(piece) {
      const isShort = piece.length < 100;
      said.push(isShort ? `heard ${piece.toString()}` : "heard more");
      octets.push(piece);
      return isShort;
    },
    ended: note("ended"),
    drained: note("drained"),
    gone: note("gone"),
  };
  const until = async (word: string, times = 1): Promise<void> => {
    while (said.filter((one) => one === word).length < times) await new Promise(setImmediate);
  };
  return { ears, said, octets, until };
}

/** Long enough for anything that is under way on loopback. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
}
