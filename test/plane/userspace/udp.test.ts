import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLog } from "../../../src/base/log.ts";
import { systemTimers } from "../../../src/base/timers.ts";
import { createTally } from "../../../src/plane/userspace/counters.ts";
import { createCrew } from "../../../src/plane/userspace/crew.ts";
import { USERSPACE_LIMITS } from "../../../src/plane/userspace/limits.ts";
import { createShared } from "../../../src/plane/userspace/shared.ts";
import { createSocketCarrier } from "../../../src/plane/userspace/socket-carrier.ts";
import { openUdpFlow } from "../../../src/plane/userspace/udp-flow.ts";
import { turnedByHand } from "../../by-hand.ts";
import { handles } from "../../health/leftovers.ts";
import { testNeeding } from "../../needing.ts";
import { type Behind, frontendOf, newPort, newVip, openPlane, stateOf } from "./carried.ts";

const dns = () => ({ vip: newVip(), port: newPort(), protocol: "udp" as const });

test("a client's datagrams go to one task, whose replies come from the VIP; another client is another flow", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  await using plane = openPlane();
  const at = dns();
  expect(await plane.apply(stateOf({ dns: [at, [a, b]] }))).toEqual({ carried: 1, troubles: [] });
  await using one = await openClient(at);
  await using other = await openClient(at);
  expect([await one.ask("1"), await one.ask("2"), await other.ask("3"), await one.ask("4")]).toEqual([
    "a 1",
    "a 2",
    "b 3",
    "a 4",
  ]);
  expect(one.from).toEqual(new Set([`${at.vip}:${at.port}`]));
  expect(plane.counters).toMatchObject({ flows: { total: 2, open: 2 }, octetsUp: 4, octetsDown: 12 });
});

test("all that comes at once arrives, however large", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const at = dns();
  await plane.apply(stateOf({ dns: [at, [a]] }));
  await using client = await openClient(at);
  const large = "x".repeat(60_000);
  expect((await client.askAll([large, "", "2"])).toSorted()).toEqual(["a ", "a 2", `a ${large}`]);
});

test.each([
  ["datagrams", Array.from({ length: 17 }, (_, number) => String(number)), 16],
  ["octets", ["x".repeat(40_000), "y".repeat(25_537), "z".repeat(25_536)], 2],
])("of what comes before the task's socket is made, so many %s wait and no more", async (_, sent, kept) => {
  await using a = await openTask("a");
  const tally = createTally();
  using shared = createShared(USERSPACE_LIMITS, tally, {
    log: silentLog,
    clock: systemClock,
    timers: systemTimers,
    carrier: createSocketCarrier(),
  });
  const crew = createCrew(frontendOf(dns(), [a]), a.port, shared);
  const replies: string[] = [];
  await new Promise<void>((resolve) => {
    const flow = openUdpFlow(crew, "", shared, {
      reply(octets) {
        replies.push(Buffer.from(octets).toString());
        if (replies.length === kept) flow.end();
      },
      ended: resolve,
    });
    for (const words of sent) flow.send(Buffer.from(words));
    expect(tally.dropped).toBe(sent.length - kept);
  });
  const waited = sent.filter((words) => a.heard.includes(words));
  expect(waited).toHaveLength(kept);
});

describe("nobody waits", () => {
  test("where nobody serves: refused", async () => {
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [a]] }));
    await using client = await openClient(at);
    expect(await client.ask("1")).toBe("a 1");
    await plane.apply(stateOf({ dns: [at, [{ ...a, duty: "down" }]] }));
    await using next = await openClient(at);
    expect(await next.ask("2")).toBe("ECONNREFUSED");
    await plane.apply(stateOf({ dns: [at, [a]] }));
    await using again = await openClient(at);
    expect(await again.ask("3")).toBe("a 3");
  });

  test("on a dead task: another has the datagram", async () => {
    const dead = { task: "dead", port: await deadPort() };
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [{ ...dead, weight: 9 }, a]] }));
    await using client = await openClient(at);
    expect(await client.ask("1")).toBe("a 1");
    expect(await client.ask("2")).toBe("a 2");
    expect(plane.counters).toMatchObject({ failures: 1, retries: 1, flows: { total: 1, open: 1 } });
  });

  test("and after three dead ones the flow ends", async () => {
    const port = await deadPort();
    const dead = ["a", "b", "c", "d"].map((task) => ({ task, port }));
    await using plane = openPlane();
    const at = dns();
    await plane.apply(stateOf({ dns: [at, dead] }));
    await using client = await openClient(at);
    client.send("1");
    while (plane.counters.unserved === 0) await new Promise(setImmediate);
    expect(plane.counters).toMatchObject({
      failures: 3,
      retries: 2,
      dropped: 1,
      flows: { total: 1, open: 0 },
    });
  });

  test("on a task that dies: the next datagram goes to another", async () => {
    await using a = await openTask("a");
    await using b = await openTask("b");
    await using plane = openPlane();
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [{ ...a, weight: 2 }, b]] }));
    await using client = await openClient(at);
    expect(await client.ask("1")).toBe("a 1");
    await a[Symbol.asyncDispose]();
    client.send("lost");
    while (plane.counters.flows.open > 0) await new Promise(setImmediate);
    expect(await client.ask("2")).toBe("b 2");
  });
});

describe("a change of duty", () => {
  test.each([
    ["draining keeps its flows", "draining", "a 2"],
    ["down ends them", "down", "b 2"],
    ["who is gone, too", undefined, "b 2"],
  ] as const)("%s", async (_, duty, expected) => {
    await using a = await openTask("a");
    await using b = await openTask("b");
    await using plane = openPlane();
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [a]] }));
    await using client = await openClient(at);
    expect(await client.ask("1")).toBe("a 1");
    await plane.apply(stateOf({ dns: [at, duty ? [{ ...a, duty }, b] : [b]] }));
    expect(await client.ask("2")).toBe(expected);
    await using next = await openClient(at);
    expect(await next.ask("3")).toBe("b 3");
  });

  test("the last that drains keeps its flows, and behind the last of them its port is refused", async () => {
    const hand = turnedByHand();
    await using a = await openTask("a");
    await using plane = openPlane({ ...hand, limits: { udpIdleMs: 1000 } });
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [a]] }));
    await using client = await openClient(at);
    expect(await client.ask("1")).toBe("a 1");
    await plane.apply(stateOf({ dns: [at, [{ ...a, duty: "draining" }]] }));
    expect(await client.ask("2")).toBe("a 2");
    await using next = await openClient(at);
    next.send("3");
    while (plane.counters.dropped === 0) await new Promise(setImmediate);
    await hand.pass(1000);
    expect(await next.ask("4")).toBe("ECONNREFUSED");
    expect(a.heard).toEqual(["1", "2"]);
  });
});

describe("limits", () => {
  test("a flow ends when it is silent for so long", async () => {
    const hand = turnedByHand();
    await using a = await openTask("a");
    await using plane = openPlane({ ...hand, limits: { udpIdleMs: 1000 } });
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [a]] }));
    await using one = await openClient(at);
    await using other = await openClient(at);
    await one.ask("1");
    await other.ask("2");
    await hand.pass(999);
    await other.ask("3");
    expect(plane.counters.flows.open).toBe(2);
    await hand.pass(1);
    expect(plane.counters.flows.open).toBe(1);
    await hand.pass(999);
    expect(plane.counters.flows).toEqual({ total: 2, open: 0 });
  });

  test("of one more than may be, the one that is silent for longest ends", async () => {
    await using a = await openTask("a");
    await using b = await openTask("b");
    await using plane = openPlane({ limits: { maxFlows: 2 } });
    const at = { ...dns(), balance: "rotate" as const };
    await plane.apply(stateOf({ dns: [at, [a, b]] }));
    await using one = await openClient(at);
    await using two = await openClient(at);
    await using three = await openClient(at);
    const first = await one.ask("");
    await two.ask("");
    await one.ask("");
    await three.ask("");
    expect(plane.counters).toMatchObject({ evicted: 1, flows: { total: 3, open: 2 } });
    expect(await one.ask("")).toBe(first); // its flow is the same
    expect(plane.counters.flows.total).toBe(3);
    await two.ask("");
    expect(plane.counters.flows.total).toBe(4); // and that one's a new one
  });
});

testNeeding({ ipv6: true })("over IPv6, to a task over IPv4", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const at = { ...dns(), vip: "::1" };
  await plane.apply(stateOf({ dns: [at, [a]] }));
  await using client = await openClient(at);
  expect(await client.ask("1")).toBe("a 1");
});

test("it closes all that it opened", async () => {
  const before = await handles();
  {
    await using a = await openTask("a");
    await using plane = openPlane();
    const at = dns();
    await plane.apply(stateOf({ dns: [at, [a]] }));
    await using client = await openClient(at);
    await client.ask("1");
  }
  expect(await handles()).toEqual(before);
});

interface UdpTask extends AsyncDisposable, Behind {
  /** What it was sent, in its order. */
  readonly heard: string[];
}

/** A task that replies to each datagram with its name in front. */
async function openTask(task: string): Promise<UdpTask> {
  const socket = createSocket("udp4").bind({ address: "127.0.0.1", port: 0 });
  await once(socket, "listening");
  const heard: string[] = [];
  socket.on("message", (octets, from) => {
    heard.push(octets.toString());
    socket.send(`${task} ${octets.toString()}`, from.port, from.address);
  });
  return { task, port: socket.address().port, heard, [Symbol.asyncDispose]: () => close(socket) };
}

async function deadPort(): Promise<number> {
  await using task = await openTask("gone");
  return task.port;
}

interface Client extends AsyncDisposable {
  /** Where replies came from. */
  readonly from: ReadonlySet<string>;
  send(words: string): void;
  /** The next reply, or the code of an error. */
  ask(words: string): Promise<string>;
  /** As many replies as were sent, or as many as are wanted. */
  askAll(words: readonly string[], wanted?: number): Promise<string[]>;
}

async function openClient({ vip, port }: { readonly vip: string; readonly port: number }): Promise<Client> {
  const socket = createSocket(vip.includes(":") ? "udp6" : "udp4");
  socket.connect(port, vip);
  await once(socket, "connect");
  const from = new Set<string>();
  const replies: string[] = [];
  let wake = (): void => {};
  const hear = (reply: string): void => {
    replies.push(reply);
    wake();
  };
  socket.on("message", (octets, { address, port }: RemoteInfo) => {
    from.add(`${address}:${port}`);
    hear(octets.toString());
  });
  socket.on("error", (error) => hear("code" in error ? String(error.code) : error.message));
  const take = async (count: number): Promise<string[]> => {
    while (replies.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return replies.splice(0, count);
  };
  return {
    from,
    send: (words) => socket.send(words),
    async ask(words) {
      socket.send(words);
      return (await take(1))[0] ?? "";
    },
    askAll(words, wanted = words.length) {
      for (const each of words) socket.send(each);
      return take(wanted);
    },
    [Symbol.asyncDispose]: () => close(socket),
  };
}

const closed = new WeakSet<Socket>();

async function close(socket: Socket): Promise<void> {
  if (closed.has(socket)) return;
  closed.add(socket);
  const closing = once(socket, "close");
  socket.close();
  await closing;
}
