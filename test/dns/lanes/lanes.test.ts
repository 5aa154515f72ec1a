import { createSocket } from "node:dgram";
import { EventEmitter, once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createEnvelope } from "../../../src/dns/lanes/envelope.ts";
import { MAX_DETOURS } from "../../../src/dns/lanes/lane.ts";
import { openSockets } from "../../../src/dns/lanes/sockets.ts";
import { testNeeding } from "../../needing.ts";
import { askUdp } from "../sockets.ts";
import { laned, ordered, replied } from "./laned.ts";

describe("a lane", () => {
  test("answers each of many queries that came at once", async () => {
    await using server = await laned();
    const held = server.ask("s");
    await came(server.gate, 1);
    const client = createSocket("udp4");
    const ids = new Set<number>();
    const all = new Promise<void>((resolve) => {
      client.on("message", (reply) => {
        // Each gets its own: as long as what it asked.
        if (reply.length === 13 + reply.readUInt16BE()) ids.add(reply.readUInt16BE());
        if (ids.size === 150) resolve();
      });
    });
    for (let id = 0; id < 150; id++)
      await send(client, ordered(`e${"x".repeat(id)}`, id), server.ports[0] ?? 0);
    server.openGate();
    await Promise.all([held, all]);
    client.close();
    expect(server.counters.queries.udp).toBe(151);
    // 64 at a time: the one that was held up, and three for what came meanwhile.
    expect(server.counters.replies).toEqual(new Map([[0, 151]]));
  });

  test("counts by what its replies say", async () => {
    await using server = await laned();
    for (const order of ["e", "n", "n"]) await server.ask(order);
    expect([...server.counters.replies]).toEqual([
      [0, 1],
      [3, 2],
    ]);
    expect(server.counters.truncated).toBe(2);
  });

  test("passes over what is no query, and counts it", async () => {
    await using server = await laned();
    const client = createSocket("udp4");
    const garbage = [
      Buffer.alloc(0),
      ordered("e").subarray(0, 11),
      replied(ordered("e")),
      ordered("e".repeat(4085)),
    ];
    for (const octets of garbage) await send(client, octets, server.ports[0] ?? 0);
    client.close();
    expect(await server.ask(`e${"x".repeat(1000)}`)).toHaveLength(1001);
    expect(server.counters.ignored).toBe(4);
  });

  test("knows who asks", async () => {
    await using server = await laned();
    expect(await server.ask("c")).toBe(String(0x7f000001));
  });

  test("answers on all of its sockets", async () => {
    await using server = await laned({ addresses: ["127.0.0.1", "127.0.0.2", "127.0.0.3"] });
    for (const [at, port] of server.ports.entries())
      expect(await server.ask("e", { address: `127.0.0.${at + 1}`, port })).toBe("e");
  });

  testNeeding({ ipv6: true })("answers over IPv6, and detours there", async () => {
    await using server = await laned({ addresses: ["::1"] });
    const there = { address: "::1" };
    expect(JSON.parse(await server.ask("c", there))).toBe(`${"\0".repeat(15)}\u0001`);
    expect(await server.ask("d", there)).toBe("d");
    expect(server.taught).toEqual(["::1 d"]);
  });
});

describe("on a wildcard a reply comes from the address that was asked", () => {
  test.each(["e", "d"])("over IPv4, by %s", async (order) => {
    await using server = await laned({ addresses: ["0.0.0.0"] });
    const [port = 0] = server.ports;
    for (const address of ["127.0.0.2", "127.1.2.3"])
      expect((await askUdp(ordered(order), port, address)).from).toBe(address);
  });

  testNeeding({ ipv6: true })("over IPv6", async () => {
    await using server = await laned({ addresses: ["::"] });
    for (const order of ["e", "d"])
      expect((await askUdp(ordered(order), server.ports[0] ?? 0, "::1")).from).toBe("::1");
  });
});

describe("what a lane cannot answer", () => {
  test("is answered on its behalf, and every lane hears of it", async () => {
    await using server = await laned({ count: 3 });
    expect(await server.ask("done")).toBe("done");
    expect(server.taught).toEqual(["127.0.0.1 done"]);
    // Which of them answers is by the port that is asked from.
    for (let asked = 0; asked < 30; asked++) expect(await server.ask("m")).toBe("\u0001");
    expect(server.counters.lanes).toEqual({ count: 3, replaced: 0, detours: 1, dropped: 0 });
  });

  test("may be answered later, or never", async () => {
    const upstream = new EventEmitter();
    const later = once(upstream, "reply").then(() => replied(ordered("late")));
    await using server = await laned({
      teach: (octets) => ({ reply: octets[13] === 0x30 ? undefined : later, mail: [] }),
    });
    const reply = server.ask("d1");
    await shout("d0", server.ports[0] ?? 0);
    await server.waiting.until(() => (server.taught.length === 2 ? true : undefined));
    upstream.emit("reply");
    expect(await reply).toBe("late");
  });

  test("harms nobody where it fails", async () => {
    await using server = await laned({
      teach: () => {
        throw new Error("no");
      },
    });
    await shout("d", server.ports[0] ?? 0);
    await server.waiting.until(() => server.lines[0]);
    expect(server.lines).toEqual(["a query could not be answered for a lane: no"]);
    expect(await server.ask("e")).toBe("e");
    expect(server.counters.defects).toBe(1);
  });

  test("waits with 1,023 others at most, and is dropped beyond", async () => {
    await using server = await laned();
    const { system, ports } = server;
    using from = openSockets(system, "127.0.0.1", 0, 1);
    const [fd = -1] = from.fds;
    const envelope = createEnvelope(system);
    const name = Uint8Array.from([
      2,
      0,
      (ports[0] ?? 0) >> 8,
      (ports[0] ?? 0) & 255,
      127,
      0,
      0,
      1,
      ...Buffer.alloc(8),
    ]);
    const { lanes } = server.counters;
    expect(lanes).toMatchObject({ detours: 0, dropped: 0 });
    // This thread answers none of them meanwhile, as it does not return to its event loop.
    for (let sent = 1; sent <= MAX_DETOURS + 5; sent++) {
      envelope.send(fd, ordered("d"), { name, control: new Uint8Array() });
      while (server.counters.lanes.detours + server.counters.lanes.dropped < sent)
        Atomics.wait(server.gate, 1, 0, 1);
    }
    expect(server.counters.lanes).toMatchObject({ detours: MAX_DETOURS, dropped: 5 });
    await server.waiting.until(() => (server.taught.length === MAX_DETOURS ? true : undefined));
    expect(await server.ask("d")).toBe("d");
    expect(server.counters.lanes).toMatchObject({ detours: MAX_DETOURS + 1, dropped: 5 });
  });
});

describe("a lane that dies", () => {
  test.each([
    ["by what it throws", "t", "lane 0 died: this book throws; another takes its place"],
    ["by ending", "x", "lane 0 died: it ended with code 7; another takes its place"],
  ])("%s is replaced, and keeps its port", async (_, order, line) => {
    await using server = await laned();
    await shout(order, server.ports[0] ?? 0);
    await server.waiting.until(() => server.lines[0]);
    expect(await server.ask("e")).toBe("e");
    expect(server.lines).toEqual([line]);
    expect(server.counters.lanes.replaced).toBe(1);
  });

  test("again and again is given a rest, and then answers what waited", async () => {
    await using server = await laned();
    for (let deaths = 1; deaths <= 3; deaths++) {
      await shout("t", server.ports[0] ?? 0);
      await server.waiting.until(() => server.lines[deaths - 1]);
    }
    expect(server.lines.at(-1)).toBe("lane 0 died: this book throws; another takes its place in a second");
    expect(await server.ask("e")).toBe("e");
    expect(server.counters.lanes.replaced).toBe(3);
  });

  test("keeps nobody waiting for its batch, before or after", async () => {
    await using server = await laned();
    await shout("k", server.ports[0] ?? 0);
    await came(server.gate, 1);
    const caughtUp = server.lanes.caughtUp();
    server.openGate();
    await caughtUp;
    for (let deaths = 2; deaths <= 3; deaths++) {
      await server.waiting.until(() => server.lines[deaths - 2]);
      await shout("t", server.ports[0] ?? 0);
    }
    await server.waiting.until(() => server.lines[2]);
    await server.lanes.caughtUp();
    expect(server.counters.lanes.replaced).toBe(2);
  });
});

describe("lanes have caught up", () => {
  test("at once if they wait for queries", async () => {
    await using server = await laned({ count: 2 });
    await server.ask("e");
    await server.lanes.caughtUp();
  });

  test("not before what they are at has left", async () => {
    await using server = await laned();
    const reply = server.ask("s");
    await came(server.gate, 1);
    let isCaughtUp = false;
    const caughtUp = (async () => {
      await server.lanes.caughtUp();
      isCaughtUp = true;
    })();
    for (let turn = 0; turn < 10; turn++) await setImmediate();
    expect(isCaughtUp).toBe(false);
    server.openGate();
    await caughtUp;
    expect(await reply).toBe("s");
  });

  test("for each who waits, at its own time", async () => {
    await using server = await laned();
    const first = server.ask("s");
    await came(server.gate, 1);
    const waiting = [server.lanes.caughtUp(), server.lanes.caughtUp()];
    server.openGate();
    await Promise.all([first, ...waiting]);
    await server.lanes.caughtUp();
  });
});

describe("lanes end", () => {
  test("while they wait, and give back their ports", async () => {
    const server = await laned({ count: 2, addresses: ["127.0.0.1", "127.0.0.2"] });
    await server[Symbol.asyncDispose]();
    expect(new Set(server.woken).size).toBe(4);
    const [port = 0] = server.ports;
    using again = openSockets(server.system, "127.0.0.1", port, 1);
    expect(again.port).toBe(port);
  });

  test("under load", async () => {
    const server = await laned({ count: 2 });
    const client = createSocket("udp4");
    const flood = setInterval(() => {
      for (let sent = 0; sent < 50; sent++) client.send(ordered("e"), server.ports[0] ?? 0, "127.0.0.1");
    }, 1);
    await once(client, "message");
    await server[Symbol.asyncDispose]();
    clearInterval(flood);
    client.close();
    using again = openSockets(server.system, "127.0.0.1", server.ports[0] ?? 0, 1);
    expect(again.fds).toHaveLength(1);
  });

  test("also in the midst of what never ends", async () => {
    const server = await laned();
    await shout("l", server.ports[0] ?? 0);
    await came(server.gate, 1);
    await server[Symbol.asyncDispose]();
  });

  test("while they are given a rest", async () => {
    const server = await laned();
    for (let deaths = 1; deaths <= 3; deaths++) {
      await shout("t", server.ports[0] ?? 0);
      await server.waiting.until(() => server.lines[deaths - 1]);
    }
    await server[Symbol.asyncDispose]();
    expect(server.counters.lanes.replaced).toBe(2);
  });
});

/** Resolves when so many have come to the gate. */
async function came(gate: Int32Array<SharedArrayBuffer>, count: number): Promise<void> {
  while (Atomics.load(gate, 0) < count) await setImmediate();
}

/** Sends an order, and does not wait for a reply. */
async function shout(order: string, port: number): Promise<void> {
  const client = createSocket("udp4");
  await send(client, ordered(order), port);
  client.close();
}

async function send(
  socket: ReturnType<typeof createSocket>,
  octets: Uint8Array,
  port: number,
): Promise<void> {
  await new Promise((resolve) => {
    socket.send(octets, port, "127.0.0.1", resolve);
  });
}
