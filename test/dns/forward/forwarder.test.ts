import { describe, expect, test } from "vitest";
import { replyTo } from "../../ask/servers.ts";
import { ask } from "./cached.ts";
import { forwarding, tell } from "./forwarding.ts";
import { openUpstream, saying, silent, type Way, well } from "./upstreams.ts";

const ONE = ["NOERROR rd ra", "www.example 5 A 192.0.2.1"];
const CACHE = { cacheOctets: 1_000_000 };

/** An upstream that does what it is told, until it is told otherwise. */
function changing(first: Way): { way: Way; become(next: Way): void } {
  let now = first;
  return {
    way: (query, from) => now(query, from),
    become(next) {
      now = next;
    },
  };
}

describe("a name of others", () => {
  test("is asked of the upstream", async () => {
    await using upstream = await openUpstream();
    using forward = forwarding([`127.0.0.1:${upstream.port}`]);
    expect(await forward.ask("www.example A")).toEqual(ONE);
    expect(forward.counters).toMatchObject({ asked: 1, waiting: 0, failed: 0 });
  });

  test("is asked of those named for the longest zone that holds it", async () => {
    await using root = await openUpstream();
    await using corp = await openUpstream();
    await using lab = await openUpstream();
    using forward = forwarding([
      `127.0.0.1:${root.port}`,
      `corp.example=127.0.0.1:${corp.port}`,
      `lab.corp.example=127.0.0.1:${lab.port}`,
    ]);
    const names = [
      "corp.example",
      "a.CORP.example",
      "lab.corp.example",
      "a.b.lab.corp.example",
      "xcorp.example",
      ".",
    ];
    for (const name of names) await forward.ask(`${name} A`);
    expect(root.asked).toEqual(["udp xcorp.example. A", "udp . A"]);
    expect(corp.asked).toEqual(["udp corp.example. A", "udp a.CORP.example. A"]);
    expect(lab.asked).toEqual(["udp lab.corp.example. A", "udp a.b.lab.corp.example. A"]);
    expect(forward.forwarder.isRouted(ask("lab.corp.example A").question.name)).toBe(true);
    expect(forward.forwarder.isRouted(ask("xcorp.example A").question.name)).toBe(false);
  });

  test("is asked of nobody where only other zones have upstreams", async () => {
    await using corp = await openUpstream();
    using forward = forwarding([`corp.example=127.0.0.1:${corp.port}`]);
    expect(await forward.ask("www.example A")).toEqual(["none"]);
    expect(corp.asked).toEqual([]);
  });

  test("is not asked for by who does not want recursion", async () => {
    await using upstream = await openUpstream();
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    expect(await forward.ask("www.example A", { flags: 0 })).toEqual(["none"]);
    expect(upstream.asked).toEqual([]);
    await forward.ask("www.example A");
    expect(await forward.ask("www.example A", { flags: 0 })).toEqual(["NOERROR ra", ONE[1]]);
  });

  test("is asked once, however many ask at once", async () => {
    const held: (() => void)[] = [];
    await using upstream = await openUpstream((query, from) => held.push(() => well(query, from)));
    using forward = forwarding([`127.0.0.1:${upstream.port}`]);
    const many = Array.from({ length: 10 }, (_, at) =>
      forward.ask(at % 2 === 0 ? "www.example A" : "WWW.Example A"),
    );
    await upstream.askedTimes(1);
    expect(forward.counters).toMatchObject({ waiting: 10, joined: 9 });
    for (const answer of held) answer();
    for (const told of await Promise.all(many)) expect(told).toEqual(ONE);
    expect(upstream.asked).toEqual(["udp www.example. A"]);
    expect(forward.counters.waiting).toBe(0);
  });

  test("is asked again where another answer may be due: DO, CD, AD, EDNS at all", async () => {
    await using upstream = await openUpstream(silent);
    using forward = forwarding([`127.0.0.1:${upstream.port}`]);
    const kinds = [
      {},
      { opt: {} },
      { opt: { dnssecOk: true } },
      { flags: 0x0110 },
      { flags: 0x0120 },
      { flags: 0x0100 },
    ];
    for (const asked of kinds) void forward.ask("www.example A", asked);
    void forward.ask("www.example AAAA");
    await upstream.askedTimes(6);
    expect(forward.counters.joined).toBe(1);
    expect(upstream.queries.map((query) => query.readUInt16BE(2).toString(16)).toSorted()).toEqual([
      "100",
      "100",
      "100",
      "100",
      "110",
      "120",
    ]);
    expect(upstream.queries.filter((query) => query.readUInt16BE(10) === 1)).toHaveLength(2);
  });

  test("is refused when too many wait, joined ones counted", async () => {
    await using upstream = await openUpstream(silent);
    using forward = forwarding([`127.0.0.1:${upstream.port}`], { maxWaiting: 3 });
    for (const name of ["a", "a", "b"]) void forward.ask(`${name}.example A`);
    expect(await forward.ask("c.example A")).toEqual(["full"]);
    expect(await forward.ask("a.example A")).toEqual(["full"]);
    expect(forward.counters).toMatchObject({ waiting: 3, refused: 2 });
    await upstream.askedTimes(2);
    await forward.hand.pass(4000);
    expect(forward.counters).toMatchObject({ waiting: 0, failed: 2 });
  });

  test("gets no answer when nobody answers", async () => {
    await using upstream = await openUpstream(silent);
    using forward = forwarding([`127.0.0.1:${upstream.port}`]);
    const asked = forward.ask("www.example A");
    await upstream.askedTimes(1);
    await forward.hand.pass(4000);
    expect(await asked).toEqual(["nobody"]);
  });

  test("gets what upstream says, whatever it says", async () => {
    await using upstream = await openUpstream(saying(2));
    using forward = forwarding([`127.0.0.1:${upstream.port}`]);
    expect(await forward.ask("www.example A")).toEqual(["SERVFAIL rd ra"]);
  });

  test("is answered by the next when the first is dead, and by the next at once from then on", async () => {
    await using dead = await openUpstream(silent);
    await using good = await openUpstream();
    using forward = forwarding([`127.0.0.1:${dead.port},127.0.0.1:${good.port}`]);
    const first = forward.ask("a.example A");
    await dead.askedTimes(1);
    await forward.hand.pass(400);
    expect(await first).toEqual(["NOERROR rd ra", "a.example 5 A 192.0.2.1"]);
    for (const name of ["b", "c", "d"]) {
      expect(await forward.ask(`${name}.example A`)).toEqual([
        "NOERROR rd ra",
        `${name}.example 5 A 192.0.2.1`,
      ]);
    }
    expect(dead.asked).toEqual(["udp a.example. A"]);
    expect(forward.counters.late).toBe(1);
  });
});

describe("upstreams that change", () => {
  test("are asked from then on, and those that stay are known still", async () => {
    await using one = await openUpstream();
    await using other = await openUpstream();
    using forward = forwarding([`127.0.0.1:${one.port}`], CACHE);
    await forward.ask("www.example A");
    forward.route([`127.0.0.1:${other.port}`]);
    expect(forward.forwarder.upstreamsOf(ask("www.example A").question.name)).toEqual([
      `udp://127.0.0.1:${other.port}`,
    ]);
    await forward.ask("www.example A"); // what one said is not what the other says
    expect(one.asked).toHaveLength(1);
    expect(other.asked).toHaveLength(1);
    forward.route([]);
    expect(await forward.ask("www.example A")).toEqual(["none"]);
  });

  test("may still answer what they were asked, and are let go of then", async () => {
    const held: (() => void)[] = [];
    await using upstream = await openUpstream((query, from) => held.push(() => well(query, from)));
    using forward = forwarding([`tcp://127.0.0.1:${upstream.port}`]);
    const asked = forward.ask("www.example A");
    await upstream.askedTimes(1);
    forward.route([]);
    await forward.hand.pass(100);
    for (const answer of held) answer();
    expect(await asked).toEqual(ONE);
    await forward.hand.pass(3900);
    await upstream.hungUp();
    expect(forward.hand.pending).toBe(0);
  });

  test("are tried from when this server can be asked, each as it comes", async () => {
    await using one = await openUpstream();
    await using other = await openUpstream();
    using forward = forwarding([`127.0.0.1:${one.port}`]);
    await forward.ask("www.example A");
    expect(one.trials).toBe(0);
    forward.forwarder.look();
    await one.triedTimes(1);
    forward.route([`127.0.0.1:${one.port},127.0.0.1:${other.port}`]);
    await other.triedTimes(1);
    expect(one.trials).toBe(1);
  });
});

describe("what is kept", () => {
  test("is given at once, and counted down", async () => {
    await using upstream = await openUpstream();
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    await forward.ask("www.example A");
    await forward.hand.pass(2000);
    const found = forward.forwarder.forward(ask("wWw.example A"));
    if (found instanceof Promise) throw new Error("that waits");
    expect(tell(found)).toEqual(["NOERROR rd ra", "wWw.example 3 A 192.0.2.1"]);
    expect(upstream.asked).toHaveLength(1);
  });

  test("is asked for again when it is over, and before if many ask", async () => {
    await using upstream = await openUpstream();
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    await forward.ask("www.example A");
    for (let times = 0; times < 10; times++) await forward.ask("www.example A");
    await forward.hand.pass(4600);
    expect(await forward.ask("www.example A")).toEqual(["NOERROR rd ra", "www.example 1 A 192.0.2.1"]);
    await upstream.askedTimes(2);
    expect(forward.cache?.counters.prefetches).toBe(1);
  });

  test("is given when upstream is late, though its time is over; upstream's answer is kept when it comes", async () => {
    const { way, become } = changing(well);
    await using upstream = await openUpstream(way);
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    await forward.ask("www.example A");
    await forward.hand.pass(60_000);
    const held: (() => void)[] = [];
    become((query, from) => held.push(() => well(query, from)));
    const asked = forward.ask("www.example A", { opt: {} });
    await upstream.askedTimes(2);
    await forward.hand.pass(1799);
    expect(forward.cache?.counters.stale).toBe(0);
    await forward.hand.pass(1);
    expect(await asked).toEqual(["NOERROR rd ra edns 1232 ede 3 Stale Answer", "www.example 30 A 192.0.2.1"]);
    expect(forward.counters.waiting).toBe(0);
    for (const answer of held) answer();
    while ((await forward.ask("www.example A", { flags: 0 }))[1] !== ONE[1]) await new Promise(setImmediate);
    expect(await forward.ask("www.example A")).toEqual(ONE);
  });

  test.each([
    ["fails", saying(2)],
    ["refuses", saying(5)],
  ])("is given when upstream %s, though its time is over", async (_, failing) => {
    const { way, become } = changing(well);
    await using upstream = await openUpstream(way);
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    await forward.ask("www.example A");
    await forward.hand.pass(60_000);
    become(failing);
    expect(await forward.ask("www.example A")).toEqual(["NOERROR rd ra", "www.example 30 A 192.0.2.1"]);
    // And upstream is left alone for a while.
    await forward.ask("www.example A");
    expect(upstream.asked).toHaveLength(2);
  });

  test("is given when too many wait, though its time is over", async () => {
    const { way, become } = changing(well);
    await using upstream = await openUpstream(way);
    using forward = forwarding([`127.0.0.1:${upstream.port}`], { ...CACHE, maxWaiting: 1 });
    await forward.ask("www.example A");
    await forward.hand.pass(60_000);
    become(silent);
    void forward.ask("other.example A");
    expect(await forward.ask("www.example A")).toEqual(["NOERROR rd ra", "www.example 30 A 192.0.2.1"]);
  });

  test.each([
    ["SERVFAIL", saying(2), "SERVFAIL rd ra"],
    ["nothing", silent, "nobody"],
  ])("%s: upstream is left alone for a second", async (_, way, first) => {
    await using upstream = await openUpstream(way);
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    const asked = forward.ask("www.example A", { opt: {} });
    await upstream.askedTimes(1);
    await forward.hand.pass(first === "nobody" ? 4000 : 0);
    expect((await asked)[0]).toMatch(new RegExp(`^${first}`));
    const times = upstream.asked.length;
    expect(await forward.ask("www.example A", { opt: {} })).toEqual([
      "SERVFAIL rd ra edns 1232 ede 13 Cached Error",
    ]);
    expect(upstream.asked).toHaveLength(times);
    await forward.hand.pass(1000);
    void forward.ask("www.example A", { opt: {} });
    await upstream.askedTimes(times + 1);
  });

  test("not what is cut", async () => {
    await using upstream = await openUpstream((query, from) => {
      if (from.transport === "udp") from.send(replyTo(query, { flags: 0x0200 }));
      else upstream.hangUp();
    });
    using forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
    for (let times = 0; times < 2; times++) expect((await forward.ask("www.example A"))[0]).toContain("tc");
    expect(forward.cache?.counters.entries).toBe(0);
  });
});

test("nobody waits for a first upstream that was dead from the start", async () => {
  await using dead = await openUpstream(silent);
  await using good = await openUpstream();
  using forward = forwarding([`127.0.0.1:${dead.port},127.0.0.1:${good.port}`]);
  forward.forwarder.look();
  await Promise.all([dead.triedTimes(1), good.triedTimes(1)]);
  // Both are asked, one soon after the other, unless the reply to the trial is here already.
  const first = forward.ask("www.example A");
  await forward.hand.pass(20);
  expect(await first).toEqual(ONE);
  for (const name of ["b.example", "c.example"]) {
    expect(await forward.ask(`${name} A`)).toEqual(["NOERROR rd ra", `${name} 5 A 192.0.2.1`]);
  }
  expect(dead.asked.length).toBeLessThanOrEqual(1);
  expect(forward.counters.late).toBe(0);
});

test("when the signal aborts, who waits is told that there is nobody, and nothing is left", async () => {
  await using upstream = await openUpstream(silent);
  const forward = forwarding([`127.0.0.1:${upstream.port}`], CACHE);
  forward.forwarder.look();
  const asked = forward.ask("www.example A");
  await upstream.askedTimes(1);
  forward[Symbol.dispose]();
  expect(await asked).toEqual(["nobody"]);
  expect(await forward.ask("other.example A")).toEqual(["none"]);
  await forward.hand.pass(0);
  expect(forward.hand.pending).toBe(0);
});
