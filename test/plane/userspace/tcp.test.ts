import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { testNeeding } from "../../needing.ts";
import { turnedByHand } from "../../by-hand.ts";
import { handles } from "../../health/leftovers.ts";
import {
  activeOf,
  ask,
  deadPort,
  endOf,
  heardBy,
  join,
  newPort,
  newVip,
  openPlane,
  openTask,
  stateOf,
  talk,
  untilOpen,
} from "./carried.ts";

const web = () => ({ vip: newVip(), port: newPort() });

test("flows go to the tasks as the balance says, and octets both ways", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  await using plane = openPlane();
  const at = web();
  const report = await plane.apply(stateOf({ web: [at, [{ ...a, weight: 2 }, b]] }));
  expect(report).toEqual({ carried: 1, troubles: [] });
  const heard: string[] = [];
  for (let flow = 0; flow < 6; flow++) heard.push(await talk(at, "hello"));
  expect(heard).toEqual(["a hello", "b hello", "a hello", "a hello", "b hello", "a hello"]);
  await untilOpen(plane, 0);
  const [service] = (await plane.look()).services;
  expect(service?.frontends[0]?.backends.map(({ flows, active }) => [flows, active])).toEqual([
    [4, 0],
    [2, 0],
  ]);
  expect(plane.counters).toMatchObject({
    connections: { total: 6 },
    octetsUp: 30,
    octetsDown: 42,
    retries: 0,
  });
});

describe("nobody waits", () => {
  test.each([
    ["where there is no backend", []],
    ["where none serves", [{ task: "a", port: 1, duty: "draining" as const }]],
    ["where all weigh nothing", [{ task: "a", port: 1, weight: 0 }]],
  ])("%s: refused", async (_, behind) => {
    await using plane = openPlane();
    const at = web();
    expect(await plane.apply(stateOf({ web: [at, behind] }))).toEqual({ carried: 1, troubles: [] });
    expect(await talk(at)).toBe("ECONNREFUSED");
  });

  test("from when the last does not serve any more, and until one does", async () => {
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    expect(await talk(at)).toBe("a ");
    await plane.apply(stateOf({ web: [at, [{ ...a, duty: "down" }]] }));
    expect(await talk(at)).toBe("ECONNREFUSED");
    await plane.apply(stateOf({ web: [at, [a]] }));
    expect(await talk(at)).toBe("a ");
    await plane.apply(stateOf({}));
    expect(await talk(at)).toBe("ECONNREFUSED");
  });
});

test("one side may have said all while the other goes on", async () => {
  const said: string[] = [];
  await using late = await openTask("late", (socket) => {
    void heardBy(socket).then((heard) => socket.end(`heard ${heard}`));
  });
  await using early = await openTask("early", (socket) => {
    socket.end("early");
    void heardBy(socket).then((heard) => said.push(heard));
  });
  await using plane = openPlane();
  const [one, other] = [web(), web()];
  await plane.apply(stateOf({ late: [one, [late]], early: [other, [early]] }));
  expect(await talk(one, "hello")).toBe("heard hello");

  const client = connect({ host: other.vip, port: other.port, allowHalfOpen: true });
  expect(await heardBy(client)).toBe("early");
  client.end("still there");
  await once(client, "close");
  await untilOpen(plane, 0);
  expect(said).toEqual(["still there"]);
});

describe("who does not read is not written to for ever", () => {
  /** Both have room for some megabytes in the kernel; the plane must not add to it. */
  const MUCH = 64 * 1024 * 1024;

  test.each(["up", "down"] as const)("%s", async (way) => {
    const chunk = Buffer.alloc(1024 * 1024, "x");
    /** Writes until nothing leaves any more; gives how much has left then. */
    const fill = async (socket: Socket): Promise<number> => {
      while (socket.bytesWritten < MUCH && socket.write(chunk)) await new Promise(setImmediate);
      let before = -1;
      while (before !== plane.counters.octetsUp + plane.counters.octetsDown) {
        before = plane.counters.octetsUp + plane.counters.octetsDown;
        while (socket.writableLength < chunk.length && socket.bytesWritten < MUCH) socket.write(chunk);
        for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
      }
      return before;
    };
    await using task = await openTask("a", (socket) => socket.pause());
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [task]] }));
    const client = connect({ host: at.vip, port: at.port });
    client.pause();
    client.on("error", () => {});
    const [served] = await once(task.server, "task");
    const [from, to]: Socket[] = way === "up" ? [client, served] : [served, client];
    if (!from || !to) throw new Error("both were opened");

    const taken = await fill(from);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(MUCH / 2);
    const arrived = new Promise<number>((resolve) => {
      let octets = 0;
      to.on("data", (piece: Buffer) => {
        octets += piece.length;
      });
      to.on("end", () => resolve(octets));
      to.resume();
    });
    from.end();
    expect(await arrived).toBe(from.bytesWritten); // all of it, when it is read on
    client.destroy();
  });
});

describe("a task that takes no connection", () => {
  test("another gets the flow", async () => {
    const dead = { task: "dead", port: await deadPort() };
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [dead, a]] }));
    for (let flow = 0; flow < 4; flow++) expect(await talk(at, "hello")).toBe("a hello");
    expect(plane.counters).toMatchObject({ failures: 2, retries: 2, unserved: 0 });
  });

  test.each([
    [2, "a "],
    [3, "ECONNRESET"],
  ])("of %i dead ones and a living, three are tried", async (count, expected) => {
    const port = await deadPort();
    const dead = Array.from({ length: count }, (_, at) => ({ task: `dead ${at}`, port, weight: 100 }));
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [...dead, a]] }));
    expect(await talk(at)).toBe(expected);
    expect(plane.counters.failures).toBe(count);
  });

  test("the client is reset when all are dead", async () => {
    const port = await deadPort();
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [{ task: "a", port }]] }));
    expect(await talk(at, "hello")).toBe("ECONNRESET");
    await untilOpen(plane, 0);
    expect(plane.counters).toMatchObject({ failures: 1, unserved: 1, connections: { total: 1 } });
  });
});

test("a reset goes on to the other side, either way", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const at = web();
  await plane.apply(stateOf({ web: [at, [a]] }));
  const one = await join(at);
  const other = await join(at);
  const [first, second] = a.sockets;
  if (!first || !second) throw new Error("both were taken");
  first.resetAndDestroy();
  expect(await endOf(one.client)).toBe("ECONNRESET");
  other.client.resetAndDestroy();
  expect(await endOf(second)).toBe("ECONNRESET");
});

describe("a change of duty", () => {
  test.each([
    ["draining keeps its flows and gets no new ones", "draining", "again"],
    ["down ends them at once", "down", "ECONNRESET"],
    ["who is gone, too", undefined, "ECONNRESET"],
  ] as const)("%s", async (_, duty, expected) => {
    await using a = await openTask("a");
    await using b = await openTask("b");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    const { client, name } = await join(at);
    expect(name).toBe("a");
    await plane.apply(stateOf({ web: [at, duty ? [{ ...a, duty }, b] : [b]] }));
    expect(await ask(client, "again")).toBe(expected);
    for (let flow = 0; flow < 3; flow++) expect(await talk(at)).toBe("b ");
    client.destroy();
  });

  test("a frontend that is gone ends its flows", async () => {
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    const { client } = await join(at);
    const ended = endOf(client);
    await plane.apply(stateOf({ other: [web(), [a]] }));
    expect(await ended).toBe("ECONNRESET");
  });

  test("the last that drains keeps its flows, where nobody takes new ones", async () => {
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    const { client } = await join(at);
    await plane.apply(stateOf({ web: [at, [{ ...a, duty: "draining" }]] }));
    expect(await talk(at)).toBe("ECONNREFUSED");
    expect(await ask(client, "again")).toBe("again");
    client.destroy();
  });
});

test("a client is kept at its task, and goes elsewhere when that does not serve", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  await using plane = openPlane();
  const at = { ...web(), affinityMs: 60_000 };
  await plane.apply(stateOf({ web: [at, [a, b]] }));
  const kept = [await talk(at), await talk(at), await talk(at)];
  expect(kept).toEqual(["a ", "a ", "a "]);
  await plane.apply(stateOf({ web: [at, [{ ...a, duty: "draining" }, b]] }));
  expect(await talk(at)).toBe("b ");
  await plane.apply(stateOf({ web: [at, [a, b]] }));
  expect(await talk(at)).toBe("b "); // its client is another's now
});

test("a task that did not serve for a while has lost its clients", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  await using plane = openPlane();
  const at = { ...web(), affinityMs: 60_000 };
  const heavy = { ...b, weight: 9 };
  await plane.apply(stateOf({ web: [at, [a]] }));
  expect(await talk(at)).toBe("a ");
  await plane.apply(stateOf({ web: [at, [a, heavy]] }));
  expect(await talk(at)).toBe("a ");
  await plane.apply(stateOf({ web: [at, [{ ...a, duty: "draining" }, heavy]] }));
  await plane.apply(stateOf({ web: [at, [a, heavy]] }));
  expect(await talk(at)).toBe("b ");
});

describe("a PROXY header is the first that a task hears", () => {
  const hears = () =>
    openTask("a", (socket) => {
      void heardBy(socket).then((heard) => socket.end(heard, "latin1"));
    });

  test("version 1", async () => {
    await using task = await hears();
    await using plane = openPlane();
    const at = { ...web(), proxyProtocol: 1 as const };
    await plane.apply(stateOf({ web: [at, [task]] }));
    const client = connect({ host: at.vip, port: at.port, allowHalfOpen: true });
    await once(client, "connect");
    const from = `${client.localAddress} ${at.vip} ${client.localPort} ${at.port}`;
    client.end("hello");
    expect(await heardBy(client)).toBe(`PROXY TCP4 ${from}\r\nhello`);
  });

  testNeeding({ ipv6: true })("version 2, over IPv6", async () => {
    await using task = await hears();
    await using plane = openPlane();
    const at = { vip: "::1", port: newPort(), proxyProtocol: 2 as const };
    await plane.apply(stateOf({ web: [at, [task]] }));
    const client = connect({ host: at.vip, port: at.port, allowHalfOpen: true });
    await once(client, "connect");
    const from = client.localPort ?? 0;
    client.end("hello");
    const heard = Buffer.from(await heardBy(client), "latin1").toString("hex");
    const [one, ports] = ["00".repeat(15) + "01", [from, at.port].map(hexOf).join("")];
    const hello = Buffer.from("hello").toString("hex");
    expect(heard).toBe(`0d0a0d0a000d0a515549540a21210024${one}${one}${ports}${hello}`);
  });

  const hexOf = (port: number): string => port.toString(16).padStart(4, "0");
});

describe("limits", () => {
  test("one client more than may be is reset at once", async () => {
    await using a = await openTask("a");
    await using plane = openPlane({ limits: { maxConnections: 2 } });
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    const one = await join(at);
    const two = await join(at);
    expect(await talk(at)).toBe("ECONNRESET");
    expect(plane.counters).toMatchObject({ refused: 1, connections: { total: 2, open: 2 } });
    one.client.destroy();
    await untilOpen(plane, 1);
    expect(await talk(at)).toBe("a ");
    two.client.destroy();
  });

  test("who is silent for too long is reset, and where either side speaks, nobody is", async () => {
    const hand = turnedByHand();
    await using a = await openTask("a", (socket) => socket.write("a "));
    await using plane = openPlane({ ...hand, limits: { idleMs: 10_000 } });
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    const silent = await join(at);
    const speaking = await join(at);
    const listening = await join(at);
    const [, hearing, telling] = a.sockets;
    if (!hearing || !telling) throw new Error("all three were taken");
    await hand.pass(9999);
    speaking.client.write("hello");
    await once(hearing, "data");
    telling.write("hello");
    await once(listening.client, "data");
    const ended = endOf(silent.client);
    await hand.pass(1);
    expect(await ended).toBe("ECONNRESET");
    await untilOpen(plane, 2);
    await hand.pass(9998);
    expect(plane.counters.connections.open).toBe(2);
    for (const { client } of [speaking, listening]) client.destroy();
  });
});

test("a client that goes away leaves nothing", async () => {
  const before = await handles();
  {
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = web();
    await plane.apply(stateOf({ web: [at, [a]] }));
    for (let flow = 0; flow < 20; flow++) {
      const client = connect({ host: at.vip, port: at.port }).on("error", () => {});
      await once(client, "connect");
      if (flow % 2 === 0) client.resetAndDestroy();
      else client.destroy();
    }
    expect(await talk(at)).toBe("a ");
    await untilOpen(plane, 0);
  }
  expect(await handles()).toEqual(before);
});

test("no connection fails in 200 changes", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  await using c = await openTask("c");
  await using plane = openPlane();
  const at = web();
  await plane.apply(stateOf({ web: [at, [a, b, c]] }));
  const done = new AbortController();
  const answers = new Map<string, number>();
  const clients = Array.from({ length: 16 }, async () => {
    while (!done.signal.aborted) {
      const said = await talk(at, "x");
      answers.set(said, (answers.get(said) ?? 0) + 1);
    }
  });
  for (let change = 0; change < 200; change += 4) {
    const [gone, ...left] =
      [
        [a, b, c],
        [b, c, a],
        [c, a, b],
      ][change % 3] ?? [];
    if (!gone) throw new Error("there are three");
    await plane.apply(stateOf({ web: [at, [{ ...gone, duty: "draining" }, ...left]] }));
    while ((await activeOf(plane, gone.task)) > 0) await new Promise(setImmediate);
    await plane.apply(stateOf({ web: [at, left] }));
    await plane.apply(stateOf({ web: [at, [...left, { ...gone, weight: 3 }]] }));
    await plane.apply(stateOf({ web: [at, [a, b, c]] }));
    expect(await talk(at, "x")).toMatch(/^[abc] x$/);
  }
  done.abort();
  await Promise.all(clients);
  expect([...answers.keys()].toSorted()).toEqual(["a x", "b x", "c x"]);
});

test("it closes all that it opened, and takes no state any more", async () => {
  await using a = await openTask("a");
  const plane = openPlane();
  const at = web();
  await plane.apply(stateOf({ web: [at, [a]] }));
  const { client } = await join(at);
  const ended = endOf(client);
  await plane[Symbol.asyncDispose]();
  expect(await ended).toBe("ECONNRESET");
  expect(await talk(at)).toBe("ECONNREFUSED");
  await expect(plane.apply(stateOf({}))).rejects.toMatchObject({ code: "ERR_ROTA_CLOSED" });
});
