import { describe, expect, test } from "vitest";
import { join, message, nameOctets, optRecord, pairs, pointer, question } from "../../wire/query.ts";
import { ask, cached } from "./cached.ts";
import { reply, told, timed } from "./replies.ts";

const WWW = "www.example A";
const ANSWER = ["NOERROR rd ra", "www.example 300 A 192.0.2.1"];
const SECOND = 1000;
const DAY = 86_400;

describe("time", () => {
  test("every TTL counts down, and the first to end ends the answer", () => {
    const { keep, find, clock } = cached();
    keep(WWW, [
      "NOERROR rd ra",
      "www.example 300 A 192.0.2.1",
      "www.example 200 TYPE65280 00ff",
      "authority: example 7200 NS ns.example",
      "additional: ns.example 100 AAAA 2001:db8::1",
    ]);
    clock.turn(40_999);
    expect(find(WWW)).toEqual([
      "fresh",
      "NOERROR rd ra",
      "www.example 260 A 192.0.2.1",
      String.raw`www.example 160 TYPE65280 \# 2 00ff`,
      "authority: example 7160 NS ns.example",
      "additional: ns.example 60 AAAA 2001:db8::1",
    ]);
    clock.turn(59_000);
    expect(find(WWW).at(-1)).toBe("additional: ns.example 1 AAAA 2001:db8::1");
    clock.turn(1);
    expect(find(WWW)).toEqual(["nothing"]);
  });

  test.each([
    ["a week is cut to a day", 7 * DAY, "86400"],
    ["the highest bit means a long time (RFC 8767 section 4)", 0x8000_0001, "86400"],
    ["a day stays a day", DAY, "86400"],
    ["a second", 1, "1"],
    ["0 is for this moment only", 0, undefined],
  ])("a TTL: %s", (_, ttl, expected) => {
    const { keep, find } = cached();
    keep(WWW, ["NOERROR", `www.example ${ttl} A 192.0.2.1`]);
    expect(find(WWW)[2]?.split(" ")[1]).toBe(expected);
  });

  test("what stands in OPT where others have a TTL is no TTL", () => {
    const { keep, find, clock } = cached();
    keep(WWW, ANSWER, { opt: { dnssecOk: true, udpSize: 4096 }, asked: { opt: { dnssecOk: true } } });
    clock.turn(100 * SECOND);
    expect(find(WWW, { opt: { dnssecOk: true } })).toEqual([
      "fresh",
      "NOERROR rd ra edns 1232 do",
      "www.example 200 A 192.0.2.1",
    ]);
  });

  test("a newer answer takes the place of the old", () => {
    const { keep, find, clock } = cached();
    keep(WWW, ANSWER);
    clock.turn(200 * SECOND);
    keep(WWW, ["NOERROR", "www.example 300 A 192.0.2.2"]);
    clock.turn(200 * SECOND);
    expect(find(WWW)).toContain("www.example 100 A 192.0.2.2");
  });
});

describe("each client is answered as it asked", () => {
  test("id, RD, the case of the question, and in it of the names that point there", () => {
    const { keep, cache } = cached();
    keep(WWW, ANSWER);
    const reply = cache.find(ask("wWw.ExAmPlE A", { id: 0xbeef, flags: 0 }))?.reply ?? new Uint8Array();
    expect([reply[0], reply[1]]).toEqual([0xbe, 0xef]);
    expect(told(reply)).toEqual(["NOERROR ra", "wWw.ExAmPlE 300 A 192.0.2.1"]);
    expect(Buffer.from(reply.subarray(12, 12 + 17))).toEqual(Buffer.from(question("wWw.ExAmPlE")));
  });

  test("OPT goes to who has one, whether or not upstream sent one", () => {
    const { keep, find } = cached();
    keep(WWW, ANSWER, { opt: { udpSize: 4096, options: [[10, new Uint8Array(16)]] } });
    keep("plain.example A", ["NOERROR", "plain.example 300 A 192.0.2.1"]);
    expect(find(WWW)[1]).toBe("NOERROR rd ra");
    expect(find(WWW, { opt: {} })[1]).toBe("NOERROR rd ra edns 1232");
    expect(find("plain.example A", { opt: {} })[1]).toBe("NOERROR rd ra edns 1232");
  });

  test("AA is upstream's authority and goes, RA is ours and comes, AD and CD stay", () => {
    const { keep, find } = cached();
    keep(WWW, ["NOERROR aa ad", "www.example 300 A 192.0.2.1"]);
    expect(find(WWW, { flags: 0 })[1]).toBe("NOERROR ra ad");
    keep(WWW, ANSWER, { asked: { flags: 0x0010 } });
    expect(find(WWW, { flags: 0x0010 })[1], "CD is the client's").toBe("NOERROR ra cd");
  });

  test("what upstream said besides is said again (RFC 8914)", () => {
    const { keep, find } = cached();
    const lines = ["NXDOMAIN", "authority: example 300 SOA 300"];
    keep(WWW, lines, { opt: { options: [[15, join(pairs(15), Buffer.from("blocked"))]] } });
    expect(find(WWW, { opt: {} })[1]).toBe("NXDOMAIN rd ra edns 1232 ede 15 Blocked");
    expect(find(WWW)[1]).toBe("NXDOMAIN rd ra");
  });

  test.each([
    [
      "the first of several",
      [
        [15, pairs(15)],
        [15, pairs(4)],
      ] as const,
      " ede 15 Blocked",
    ],
    [
      "behind another option",
      [
        [10, pairs(1, 2, 3, 4)],
        [15, pairs(15)],
      ] as const,
      " ede 15 Blocked",
    ],
    [
      "none, where it is too short for its code",
      [
        [15, pairs()],
        [15, pairs()],
      ] as const,
      "",
    ],
  ])("of what upstream said besides: %s", (_, options, expected) => {
    const { keep, find } = cached();
    keep(WWW, ANSWER, { opt: { options } });
    expect(find(WWW, { opt: {} })[1]).toBe(`NOERROR rd ra edns 1232${expected}`);
  });

  test("two replies from one answer share no octets, nor with what was kept", () => {
    const { cache } = cached();
    const octets = reply(WWW, ["NOERROR rd ra", `www.example ${7 * DAY} A 192.0.2.1`]);
    const before = Buffer.from(octets);
    cache.keep(ask(WWW), octets);
    expect(Buffer.from(octets)).toEqual(before);
    octets.fill(0xff);
    cache.find(ask(WWW))?.reply.fill(0xff);
    expect(told(cache.find(ask(WWW))?.reply)).toEqual(["NOERROR rd ra", `www.example ${DAY} A 192.0.2.1`]);
  });

  // AD without DO: RFC 6840 section 5.7. DO alone wants AD told too.
  const secure = { opt: { dnssecOk: true } };
  test.each([
    ["another case", "wWw.Example A", {}, "WWW.example A", {}, "fresh"],
    ["without EDNS", WWW, { opt: {} }, WWW, {}, "fresh"],
    ["without RD", WWW, {}, WWW, { flags: 0 }, "fresh"],
    ["DO and AD is DO", WWW, secure, WWW, { ...secure, flags: 0x0120 }, "fresh"],
    ["DO", WWW, { opt: {} }, WWW, secure, "nothing"],
    ["not DO", WWW, secure, WWW, { opt: {} }, "nothing"],
    ["CD", WWW, {}, WWW, { flags: 0x0110 }, "nothing"],
    ["not CD", WWW, { flags: 0x0110 }, WWW, {}, "nothing"],
    ["CD and DO", WWW, { flags: 0x0110 }, WWW, { ...secure, flags: 0x0110 }, "nothing"],
    ["AD", WWW, {}, WWW, { flags: 0x0120 }, "nothing"],
    ["not AD", WWW, { flags: 0x0120 }, WWW, {}, "nothing"],
    ["another type", WWW, {}, "www.example AAAA", {}, "nothing"],
    ["a type that differs in its upper octet", WWW, {}, "www.example CAA", {}, "nothing"],
    ["another class", WWW, {}, WWW, { class: 3 }, "nothing"],
    ["another name", WWW, {}, "ww.example A", {}, "nothing"],
  ])(
    "an answer is for others, too, unless it may be another for them: %s",
    (_, text, asked, other, by, kind) => {
      const served = cached();
      served.keep(text, ANSWER, { asked });
      expect(served.kind(text, asked)).toBe("fresh");
      expect(served.kind(other, by)).toBe(kind);
    },
  );
});

describe("what is not there is kept by SOA (RFC 2308)", () => {
  test.each([
    ["the minimum", ["NXDOMAIN", "authority: example 3600 SOA 60"], "authority: example 60 SOA 60"],
    ["the SOA's TTL", ["NXDOMAIN", "authority: example 30 SOA 60"], "authority: example 30 SOA 60"],
    ["no such type", ["NOERROR", "authority: example 3600 SOA 60"], "authority: example 60 SOA 60"],
    [
      "three hours at most",
      ["NXDOMAIN", `authority: example ${DAY} SOA ${DAY}`],
      `authority: example 10800 SOA ${DAY}`,
    ],
    [
      "an alias of nothing",
      ["NXDOMAIN", "www.example 20 CNAME gone.example", "authority: example 3600 SOA 60"],
      "authority: example 60 SOA 60",
    ],
    ["0 is for this moment only", ["NXDOMAIN", "authority: example 3600 SOA 0"], "nothing"],
    ["no SOA", ["NXDOMAIN"], "nothing"],
    ["no SOA, nothing of this type", ["NOERROR"], "nothing"],
    ["an alias that leads on", ["NOERROR", "www.example 20 CNAME gone.example"], "nothing"],
    ["a referral", ["NOERROR", "authority: example 3600 NS ns.example"], "nothing"],
    ["an SOA elsewhere", ["NXDOMAIN", "additional: example 3600 SOA 60"], "nothing"],
    ["an SOA that is cut", ["NXDOMAIN", "authority: example 3600 TYPE6 0000"], "nothing"],
  ])("%s", (_, lines, expected) => {
    const { keep, find } = cached();
    keep(WWW, lines);
    expect(find(WWW).at(-1)).toBe(expected);
  });

  test("it counts down and is over", () => {
    const { keep, find, clock } = cached();
    keep(WWW, ["NXDOMAIN", "authority: example 3600 SOA 60"]);
    clock.turn(59 * SECOND);
    expect(find(WWW)).toEqual(["fresh", "NXDOMAIN rd ra", "authority: example 1 SOA 60"]);
    clock.turn(SECOND);
    expect(find(WWW)).toEqual(["nothing"]);
  });

  test("an SOA that was asked for is an answer like others", () => {
    const { keep, find } = cached();
    keep("example SOA", ["NOERROR", "example 3600 SOA 60"]);
    expect(find("example SOA").at(-1)).toBe("example 3600 SOA 60");
  });

  test("NXDOMAIN is no answer, whatever stands there", () => {
    const { keep, kind } = cached();
    keep("www.example ANY", ["NXDOMAIN", "www.example 300 CNAME example"]);
    expect(kind("www.example ANY")).toBe("nothing");
  });

  test("whatever answers ANY is an answer, and so is the alias that was asked for", () => {
    const { keep, kind } = cached();
    keep("www.example ANY", ["NOERROR", "www.example 300 CNAME example"]);
    keep("www.example CNAME", ["NOERROR", "www.example 300 CNAME example"]);
    expect([kind("www.example ANY"), kind("www.example CNAME")]).toEqual(["fresh", "fresh"]);
  });
});

describe("octets that are not to be kept", () => {
  const good = reply(WWW, ANSWER);
  const address = timed(pointer(12), 300, 1, Uint8Array.of(192, 0, 2, 1));
  const asked = question("www.example");
  const made = (parts: readonly Uint8Array[], counts: [number, number, number, number], flags = 0x8180) =>
    message({ flags, counts, parts });
  const withOption = (code: number, octets: Uint8Array): Uint8Array =>
    reply(WWW, ANSWER, { opt: { options: [[code, octets]] } });
  const subnet = (scope: number): Uint8Array => withOption(8, Uint8Array.of(0, 1, 24, scope, 192, 0, 2));
  // The option says that it has 9 octets, and has 2.
  const overlong = join(Uint8Array.of(0), pairs(41, 1232, 0, 0, 6, 15, 9, 3));

  test.each([
    ["nothing at all", new Uint8Array(0)],
    ["half a header", good.subarray(0, 7)],
    ["cut in a record", good.subarray(0, -1)],
    ["cut in the question", good.subarray(0, 20)],
    ["more behind the last record", join(good, Uint8Array.of(0))],
    ["a record fewer than promised", made([asked, address], [1, 2, 0, 0])],
    ["TC", reply(WWW, ["NOERROR rd ra tc", ...ANSWER.slice(1)])],
    ["a query", made([asked, address], [1, 1, 0, 0], 0x0180)],
    ["opcode 4", made([asked, address], [1, 1, 0, 0], 0xa180)],
    ["no question", made([timed(nameOctets("www.example"), 300, 1, pairs(1, 2))], [0, 1, 0, 0])],
    ["two questions", made([asked, asked, address], [2, 1, 0, 0])],
    ["another name", made([question("wwx.example"), address], [1, 1, 0, 0])],
    ["a longer name", made([question("www.example.x"), address], [1, 1, 0, 0])],
    ["another type", made([question("www.example", 28), address], [1, 1, 0, 0])],
    ["another class", made([question("www.example", 1, 3), address], [1, 1, 0, 0])],
    ["an owner that points forward", made([asked, timed(pointer(60), 300, 1, pairs(1, 2))], [1, 1, 0, 0])],
    ["an owner that points at itself", made([asked, timed(pointer(29), 300, 1, pairs(1, 2))], [1, 1, 0, 0])],
    ["FORMERR", reply(WWW, ["FORMERR"])],
    ["NOTIMP", reply(WWW, ["NOTIMP"])],
    [
      "BADVERS, the upper bits in OPT",
      made([asked, address, Uint8Array.of(0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 0)], [1, 1, 0, 1]),
    ],
    ["two OPTs", reply(WWW, ANSWER, { opt: {}, behind: [optRecord({})] })],
    ["OPT among the answers", made([asked, address, optRecord({})], [1, 2, 0, 0])],
    ["an option that runs on", made([asked, address, overlong], [1, 1, 0, 1])],
    ["signed by TSIG", reply(WWW, ANSWER, { behind: [timed(Uint8Array.of(0), 0, 250, pairs(1))] })],
    ["signed by SIG(0)", reply(WWW, ANSWER, { behind: [timed(Uint8Array.of(0), 300, 24, pairs(0))] })],
    ["for one subnet (RFC 7871)", subnet(24)],
  ])("%s", (_, octets) => {
    const { cache, kind } = cached();
    cache.keep(ask(WWW), octets);
    expect(kind(WWW)).toBe("nothing");
    expect(cache.counters).toMatchObject({ entries: 0, octets: 0 });
  });

  test("for all subnets", () => {
    const { cache, find } = cached();
    cache.keep(ask(WWW), subnet(0));
    expect(find(WWW, { opt: {} })).toEqual([
      "fresh",
      "NOERROR rd ra edns 1232",
      "www.example 300 A 192.0.2.1",
    ]);
  });

  test("what stands behind OPT is left out", () => {
    const { keep, find } = cached();
    const behind = [timed(nameOctets("ns.example"), 300, 1, Uint8Array.of(192, 0, 2, 3))];
    keep(WWW, [...ANSWER, "additional: ns.example 300 A 192.0.2.2"], { opt: {}, behind });
    expect(find(WWW)).toEqual(["fresh", ...ANSWER, "additional: ns.example 300 A 192.0.2.2"]);
  });

  test("a message so long that no OPT fits behind it", () => {
    const { cache, kind } = cached(10_000_000);
    const text = (octets: number): Uint8Array => timed(pointer(12), 300, 1, new Uint8Array(octets));
    // Header, question and record take 12 + 17 + 12 octets, OPT with an EDE 17.
    const longest = 65_535 - 41 - 17;
    cache.keep(ask(WWW), made([asked, text(longest + 1)], [1, 1, 0, 0]));
    expect(kind(WWW)).toBe("nothing");
    cache.keep(ask(WWW), made([asked, text(longest)], [1, 1, 0, 0]));
    expect(cache.find(ask(WWW, { opt: {} }))?.reply.length).toBe(65_535 - 6);
  });

  test.each([
    ["garbage leaves what was kept", good.subarray(0, -1), "fresh"],
    ["TC leaves what was kept", reply(WWW, ["NOERROR tc"]), "fresh"],
    ["an answer for this moment ends it", reply(WWW, ["NOERROR", "www.example 0 A 192.0.2.9"]), "nothing"],
    ["a denial without SOA ends it", reply(WWW, ["NXDOMAIN"]), "nothing"],
  ])("%s", (_, octets, expected) => {
    const { cache, keep, kind, stale, clock } = cached();
    keep(WWW, ANSWER);
    cache.keep(ask(WWW), octets);
    expect(kind(WWW)).toBe(expected);
    clock.turn(301 * SECOND);
    expect(stale(WWW)[0]).toBe(expected === "fresh" ? "NOERROR rd ra" : "nothing");
  });
});
