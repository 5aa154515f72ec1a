import { createSocket } from "node:dgram";
import { describe, expect, test } from "vitest";
import { createTally } from "../../src/dns/counters.ts";
import { query } from "../wire/query.ts";
import { askUdp, connectTcp, framed, listen } from "./sockets.ts";

/** What listens in front of something that answers when a test says so: `late` names wait, others are answered. */
interface Late {
  readonly respond: (octets: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  readonly counters: ReturnType<typeof createTally>;
  /** Resolves when so many wait. */
  waiting(count: number): Promise<void>;
  /** Answers the one that has waited for longest, or the last. */
  answer(which?: "first" | "last"): void;
}

function late(): Late {
  const held: (() => void)[] = [];
  const told = new EventTarget();
  return {
    counters: createTally(),
    respond(octets) {
      if (!Buffer.from(octets).includes("late")) return octets;
      const { promise, resolve } = deferred<Uint8Array>();
      held.push(() => resolve(octets));
      told.dispatchEvent(new Event("held"));
      return promise;
    },
    async waiting(count) {
      while (held.length < count) {
        await new Promise((resolve) => {
          told.addEventListener("held", resolve, { once: true });
        });
      }
    },
    answer: (which = "first") => (which === "first" ? held.shift() : held.pop())?.(),
  };
}

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle(value) };
}

const now = query({ name: "now" });
const later = (id: number): Uint8Array => query({ name: "late", id });
const idOf = (reply: Buffer | undefined): number | undefined => reply?.readUInt16BE(0);

describe("a reply that must be waited for", () => {
  test("comes over UDP when it is there, to who asked", async () => {
    const server = late();
    await using listeners = await listen(server);
    const port = listeners.addresses[0]?.port ?? 0;
    const asked = [askUdp(later(1), port), askUdp(later(2), port)];
    await server.waiting(2);
    expect((await askUdp(now, port)).octets).toEqual(Buffer.from(now));
    server.answer("last");
    server.answer();
    expect((await Promise.all(asked)).map(({ octets }) => idOf(octets))).toEqual([1, 2]);
  });

  test("that comes when the socket is closed is for nobody", async () => {
    const server = late();
    const listeners = await listen(server);
    const socket = createSocket("udp4");
    socket.send(later(1), listeners.addresses[0]?.port ?? 0, "127.0.0.1");
    await server.waiting(1);
    await listeners[Symbol.asyncDispose]();
    server.answer();
    socket.close();
    await new Promise(setImmediate);
    expect(server.counters.unsent).toBe(0);
  });

  test("is overtaken over TCP by those that are there", async () => {
    const server = late();
    await using listeners = await listen(server);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.send(Buffer.concat([later(1), later(2), query({ name: "now", id: 3 })].map(framed)));
    expect((await client.replies(1)).map(idOf)).toEqual([3]);
    server.answer("last");
    expect((await client.replies(1)).map(idOf)).toEqual([2]);
    server.answer();
    expect((await client.replies(1)).map(idOf)).toEqual([1]);
    client.socket.destroy();
  });

  test("still comes to who has said that it asks no more", async () => {
    const server = late();
    await using listeners = await listen(server);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.socket.end(framed(later(1)));
    await server.waiting(1);
    // What others ask afterwards is answered: by then the end has been heard.
    const other = await connectTcp(listeners.addresses[0]?.port ?? 0);
    other.send(framed(now));
    await other.replies(1);
    other.socket.destroy();
    server.answer();
    expect((await client.replies(1)).map(idOf)).toEqual([1]);
    await client.closed;
  });

  test("for a client that is gone is for nobody", async () => {
    const server = late();
    await using listeners = await listen(server);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.send(framed(later(1)));
    await server.waiting(1);
    client.socket.destroy();
    await client.closed;
    server.answer();
    expect((await askUdp(now, listeners.addresses[0]?.port ?? 0)).octets).toEqual(Buffer.from(now));
  });

  test("is one of 128 on a connection, which is then read on when half of them are there", async () => {
    const server = late();
    await using listeners = await listen(server);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    const many = Array.from({ length: 200 }, (_, id) => framed(later(id)));
    client.send(Buffer.concat([...many, framed(query({ name: "now", id: 999 }))]));
    await server.waiting(128);
    const other = await connectTcp(listeners.addresses[0]?.port ?? 0);
    other.send(framed(now));
    await other.replies(1); // others have their turn
    expect(server.counters.connections.paused).toBe(1);
    for (let answered = 0; answered < 63; answered++) server.answer();
    expect((await client.replies(63)).map(idOf)).toEqual(Array.from({ length: 63 }, (_, id) => id));
    server.answer();
    await server.waiting(128);
    while (server.counters.connections.paused < 2) await new Promise(setImmediate);
    for (let answered = 0; answered < 64; answered++) server.answer();
    await server.waiting(72);
    for (let answered = 0; answered < 72; answered++) server.answer();
    const rest = (await client.replies(138)).map(idOf);
    expect(new Set(rest).size).toBe(138);
    expect(rest).toContain(999);
    client.socket.destroy();
    other.socket.destroy();
  });
});
