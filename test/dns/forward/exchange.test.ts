import { describe, expect, test } from "vitest";
import { systemTimers } from "../../../src/base/timers.ts";
import { createForwardTally } from "../../../src/dns/forward/counters.ts";
import { createExchange, type Exchange } from "../../../src/dns/forward/exchange.ts";
import { writeQuestion } from "../../../src/dns/forward/question.ts";
import { parseForward } from "../../../src/dns/forward/upstream.ts";
import { readReply } from "../../../src/ask/reply.ts";
import { findFreePort, record, replyTo } from "../../ask/servers.ts";
import { turnedByHand } from "../../by-hand.ts";
import { ask } from "./cached.ts";
import { addressed, openUpstream, saying, silent, type Way, well } from "./upstreams.ts";

const WWW = writeQuestion(ask("wWw.example A", { opt: {} }));

interface Exchanged extends Disposable {
  readonly exchange: Exchange;
  readonly counters: ReturnType<typeof createForwardTally>;
  /** The addresses in the reply, or why there is none. */
  told(question?: Uint8Array): Promise<string[] | string>;
}

function exchanged(spec: string, timers = systemTimers): Exchanged {
  const [target] = parseForward(spec).targets;
  if (target?.kind !== "upstream") throw new Error(`${spec} is no upstream`);
  const counters = createForwardTally();
  const exchange = createExchange(target.upstream, counters, timers);
  return {
    exchange,
    counters,
    async told(question = WWW) {
      try {
        const octets = await exchange.ask(question, new AbortController().signal);
        return readReply(Buffer.from(octets)).answers.map(({ data }) => data);
      } catch (error) {
        return error instanceof Error ? error.message : String(error);
      }
    },
    [Symbol.dispose]: () => exchange[Symbol.dispose](),
  };
}

const flipped = (query: Buffer): Buffer => {
  const reply = addressed(query, "c6336401");
  reply.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0);
  return reply;
};
const replaced = (query: Buffer, text: string, by: string): Buffer =>
  Buffer.from(addressed(query, "c6336401").toString("latin1").replace(text, by), "latin1");
const ofType = (query: Buffer, type: number): Buffer => {
  const reply = addressed(query, "c6336401");
  reply.writeUInt16BE(type, 25);
  return reply;
};

/** A label of the octets that follow the name in the question. */
const GOING_ON = "\u0007example\u0004\0\u0001\0\u0001\0";

/** What comes in front of the true reply. */
const LIES: readonly (readonly [string, (query: Buffer) => Buffer])[] = [
  ["another id", flipped],
  ["another name", (query) => replaced(query, "wWw", "wWx")],
  ["a longer name", (query) => replaced(query, "\u0007example\0", "\u0007example\u0001a\0")],
  ["a name that goes on like type and class", (query) => replaced(query, "\u0007example\0", GOING_ON)],
  ["two questions", (query) => Buffer.from(addressed(query, "c6336401")).fill(2, 5, 6)],
  ["another type", (query) => ofType(query, 28)],
  ["another class", (query) => Buffer.from(addressed(query, "c6336401")).fill(3, 28, 29)],
  ["no question", (query) => Buffer.concat([addressed(query).subarray(0, 4), Buffer.alloc(8)])],
  ["a query", (query) => query],
  ["another opcode", (query) => Buffer.from(addressed(query, "c6336401")).fill(0xa8, 2, 3)],
  ["11 octets", (query) => addressed(query).subarray(0, 11)],
  ["nothing", () => Buffer.alloc(0)],
];

describe("over UDP", () => {
  test("the question goes as the client wrote it, with an id and from a port of its own, again and again", async () => {
    const ports = new Set<number>();
    await using upstream = await openUpstream((query, from) => {
      ports.add(from.port);
      well(query, from);
    });
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    for (let times = 0; times < 20; times++) expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(new Set(upstream.queries.map((query) => query.readUInt16BE(0))).size).toBeGreaterThan(15);
    expect(upstream.queries[0]?.subarray(2).toString("latin1")).toBe(Buffer.from(WWW).toString("latin1", 2));
    expect(ports.size).toBeGreaterThan(15);
  });

  test.each(LIES)("%s instead of the reply is passed by, and counted", async (_, lie) => {
    const way: Way = (query, from) => {
      from.send(lie(query));
      from.send(addressed(query));
    };
    await using upstream = await openUpstream(way);
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(asker.counters.strays).toBe(1);
  });

  test("a reply from another port does not arrive", async () => {
    const way: Way = (query, from) => {
      from.sendFromElsewhere(addressed(query, "c6336401"));
      from.send(addressed(query));
    };
    await using upstream = await openUpstream(way);
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(asker.counters.strays).toBe(0);
  });

  test("512 questions at once have ports of their own, more share them under other ids", async () => {
    const [ports, ids] = [new Set<number>(), new Set<string>()];
    const held: (() => void)[] = [];
    await using upstream = await openUpstream((query, from) => {
      ports.add(from.port);
      ids.add(`${from.port} ${query.readUInt16BE(0)}`);
      held.push(() => well(query, from));
    });
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    const asked = [];
    for (let round = 0; round < 8; round++) {
      for (let times = 0; times < 100; times++) asked.push(asker.told());
      await upstream.askedTimes(asked.length); // no more than a socket's buffer holds
    }
    expect(ports.size).toBe(512);
    expect(ids.size).toBe(800);
    for (const answer of held) answer();
    expect(new Set((await Promise.all(asked)).flat())).toEqual(new Set(["192.0.2.1"]));
    ports.clear();
    const next = asker.told();
    await upstream.askedTimes(801);
    held.at(-1)?.();
    expect(await next).toEqual(["192.0.2.1"]);
    expect(ports.size).toBe(1);
  });

  test("letters in another case are the same name", async () => {
    const way: Way = (query, from) => from.send(replaced(query, "wWw", "www"));
    await using upstream = await openUpstream(way);
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["198.51.100.1"]);
  });

  test("who guesses the id is not believed: TCP tells", async () => {
    const way: Way = (query, from) => {
      if (from.transport === "tcp") return from.send(addressed(query));
      for (let guesses = 0; guesses < 8; guesses++) from.send(flipped(query));
    };
    await using upstream = await openUpstream(way);
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(upstream.asked).toEqual(["udp wWw.example. A", "tcp wWw.example. A"]);
    expect(asker.counters.retried).toBe(1);
  });

  test("a reply that is cut is asked for over TCP", async () => {
    const way: Way = (query, from) =>
      from.send(from.transport === "tcp" ? addressed(query) : replyTo(query, { flags: 0x0200 }));
    await using upstream = await openUpstream(way);
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(upstream.asked).toEqual(["udp wWw.example. A", "tcp wWw.example. A"]);
    expect(asker.counters.retried).toBe(1);
  });

  test("a reply that is cut is better than none, where TCP does not get through", async () => {
    const way: Way = (query, from) => {
      if (from.transport === "udp")
        return from.send(replyTo(query, { flags: 0x0200, answers: [record(1, "c0000207")] }));
      upstream.hangUp();
    };
    const upstream = await openUpstream(way);
    await using _ = upstream;
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["192.0.2.7"]);
  });

  test("a reply that cannot be read is an error, and counted", async () => {
    await using upstream = await openUpstream((query, from) => from.send(addressed(query).subarray(0, -1)));
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toBe("its reply cannot be read");
    expect(asker.counters.garbage).toBe(1);
  });

  test("nobody there is told at once", async () => {
    using asker = exchanged(`127.0.0.1:${await findFreePort()}`);
    expect(await asker.told()).toContain("ECONNREFUSED");
  });

  test("an aborted signal ends it", async () => {
    await using upstream = await openUpstream(silent);
    using asker = exchanged(`127.0.0.1:${upstream.port}`);
    const abort = new AbortController();
    const asked = asker.exchange.ask(WWW, abort.signal);
    await upstream.askedTimes(1);
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
  });
});

describe("over TCP", () => {
  test("all questions share one connection, and are answered in any order", async () => {
    const held: (() => void)[] = [];
    const way: Way = (query, from) => {
      held.unshift(() => well(query, from));
      if (held.length === 3) for (const answer of held) answer();
    };
    await using upstream = await openUpstream(way);
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`);
    const questions = ["a.example A", "b.example A", "c.example A"].map((text) => writeQuestion(ask(text)));
    const told = await Promise.all(questions.map((question) => asker.told(question)));
    expect(told).toEqual([["192.0.2.1"], ["192.0.2.1"], ["192.0.2.1"]]);
    expect(upstream.asked).toEqual(["tcp a.example. A", "tcp b.example. A", "tcp c.example. A"]);
    expect(upstream.connections).toBe(1);
    expect(new Set(upstream.queries.map((query) => query.readUInt16BE(0))).size).toBe(3);
  });

  test("a connection that was closed while nobody used it is opened again", async () => {
    await using upstream = await openUpstream();
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    upstream.hangUp();
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(upstream.connections).toBe(2);
  });

  test("one that is closed on every question is not opened for ever", async () => {
    const upstream = await openUpstream(() => upstream.hangUp());
    await using _ = upstream;
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toBe("the connection was closed");
    expect(upstream.connections).toBe(1);
  });

  test("nor is one that was closed before anything came on it", async () => {
    const upstream = await openUpstream(() => {
      if (upstream.asked.length === 2) upstream.hangUp();
    });
    await using _ = upstream;
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`);
    const closed = "the connection was closed";
    expect(await Promise.all([asker.told(), asker.told()])).toEqual([closed, closed]);
    expect(upstream.connections).toBe(1);
  });

  test("4,096 questions wait on it at most", async () => {
    await using upstream = await openUpstream(silent);
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`, turnedByHand().timers);
    const asked = Array.from({ length: 4096 }, () => asker.told());
    expect(await asker.told()).toBe("too many questions wait for it");
    await upstream.askedTimes(4096);
    expect(new Set(upstream.queries.map((query) => query.readUInt16BE(0))).size).toBe(4096);
    upstream.hangUp();
    await Promise.all(asked);
  });

  test("a lie is passed by, and a hundred end the connection", async () => {
    const way: Way = (query, from) => {
      for (let lies = 0; lies < 100; lies++) from.send(flipped(query));
    };
    await using upstream = await openUpstream(way);
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`, turnedByHand().timers);
    expect(await asker.told()).toBe("the connection was closed");
    expect(asker.counters.strays).toBe(100);
  });

  test("a connection on which nothing is said for 2 s is let go of", async () => {
    const hand = turnedByHand();
    let isSilent = false;
    await using upstream = await openUpstream((query, from) => (isSilent ? undefined : well(query, from)));
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`, hand.timers);
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    await hand.pass(3000);
    isSilent = true;
    const asked = asker.told();
    await upstream.askedTimes(2);
    expect(upstream.connections).toBe(1);
    isSilent = false;
    await hand.pass(2000);
    // It had replied before, so that the question is asked on another one.
    expect(await asked).toEqual(["192.0.2.1"]);
    expect(upstream.connections).toBe(2);
  });

  test("a connection that nobody uses is closed after 8 s", async () => {
    const hand = turnedByHand();
    await using upstream = await openUpstream();
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`, hand.timers);
    await asker.told();
    await hand.pass(7999);
    await asker.told();
    await hand.pass(7999);
    await asker.told();
    expect(upstream.connections).toBe(1);
    await hand.pass(8000);
    expect(hand.pending).toBe(0);
    await upstream.hungUp();
  });

  test("what nobody waits for any more disturbs nobody when it comes", async () => {
    const late: (() => void)[] = [];
    const way: Way = (query, from) => {
      if (late.length > 0) return well(query, from);
      late.push(() => well(query, from));
    };
    await using upstream = await openUpstream(way);
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`);
    const abort = new AbortController();
    const asked = asker.exchange.ask(WWW, abort.signal);
    await upstream.askedTimes(1);
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    for (const answer of late) answer();
    expect(await asker.told()).toEqual(["192.0.2.1"]);
    expect(asker.counters.strays).toBe(0);
    expect(upstream.connections).toBe(1);
  });

  test("an rcode is a reply", async () => {
    await using upstream = await openUpstream(saying(2));
    using asker = exchanged(`tcp://127.0.0.1:${upstream.port}`);
    expect(await asker.told()).toEqual([]);
  });
});
