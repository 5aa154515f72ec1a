import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fitReply, isWhole } from "../../../src/dns/forward/fit.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { ask } from "./cached.ts";
import { reply, told } from "./replies.ts";

const TEN = Array.from({ length: 10 }, (_, at) => `www.example 300 A 192.0.2.${at}`);

describe("a reply of upstream goes to the client", () => {
  test("as it came, but for id, RA, and the question, which is as the client wrote it", () => {
    const came = reply("www.example A", ["NOERROR aa rd ad", "www.example 300 A 192.0.2.1"]);
    const before = Buffer.from(came).toString("hex");
    const given = fitReply(came, ask("wWw.eXample A", { id: 0xbeef }), 512);
    const expected = Buffer.from(came);
    expected.writeUInt16BE(0xbeef, 0);
    expected[3] = (expected[3] ?? 0) | 0x80;
    expected.write("wWw", 13);
    expected.write("eXample", 17);
    expect(Buffer.from(given).toString("hex")).toBe(expected.toString("hex"));
    expect(Buffer.from(came).toString("hex")).toBe(before);
    expect(told(given)).toEqual(["NOERROR aa rd ra ad", "wWw.eXample 300 A 192.0.2.1"]);
  });

  test.each([512, 60])("in octets of its own, others' stay as they are: of %d", (limit) => {
    const options = [[65_001, new Uint8Array(60)]] as const;
    const octets = reply("www.example A", ["NOERROR", ...TEN], { opt: { options } });
    const came = Buffer.from(octets); // as a socket gives it
    const one = fitReply(came, ask("wWw.example A", { id: 1 }), limit);
    const other = fitReply(came, ask("www.eXample A", { id: 2 }), limit);
    expect(came.equals(octets)).toBe(true);
    expect(Buffer.from(one).readUInt16BE(0)).toBe(1);
    expect(Buffer.from(other).readUInt16BE(0)).toBe(2);
  });

  test("with types that nobody here knows, and what stands behind OPT", () => {
    const came = reply("www.example TYPE65280", ["NOERROR"], {
      opt: { options: [[65_001, Uint8Array.of(1, 2, 3)]] },
      behind: [Uint8Array.of(0, 0xff, 0, 0, 1, 0, 0, 0, 5, 0, 1, 7)],
    });
    const given = fitReply(came, ask("www.example TYPE65280"), 512);
    expect(Buffer.from(given.subarray(4)).toString("hex")).toBe(
      Buffer.from(came.subarray(4)).toString("hex"),
    );
  });

  const additional = ["additional: www.example 300 AAAA 2001:db8::1"];
  const whole = reply("www.example A", ["NOERROR", ...TEN, "authority: example 300 SOA 60", ...additional], {
    opt: {},
  });

  test.each([
    ["whole", whole.length, 10, 1, 1, false],
    ["without additional records, which is no cut", whole.length - 1, 10, 1, 0, false],
    ["without authority", 220, 10, 0, 0, true],
    ["with the records that fit", 100, 3, 0, 0, true],
    ["with OPT alone", 40, 0, 0, 0, true],
  ])("%s", (_, limit, answers, authority, additionals, isCut) => {
    const given = fitReply(whole, ask("www.example A", { opt: {} }), limit);
    const [head = "", ...lines] = told(given);
    expect(given.length).toBeLessThanOrEqual(limit);
    expect(head.split(" ").includes("tc")).toBe(isCut);
    expect(head).toContain("edns");
    expect(lines.filter((line) => !line.includes(": "))).toEqual(TEN.slice(0, answers));
    expect(lines.filter((line) => line.startsWith("authority"))).toHaveLength(authority);
    expect(lines.filter((line) => line.startsWith("additional"))).toHaveLength(additionals);
    expect(isWhole(given)).toBe(true);
  });

  test("without the options of an OPT that leaves no room for anything else", () => {
    const options = [[65_001, new Uint8Array(600)]] as const;
    const came = reply("www.example A", ["NOERROR", ...TEN], { opt: { options } });
    const given = fitReply(came, ask("www.example A", { opt: {} }), 512);
    expect(told(given)).toEqual(["NOERROR rd ra edns 1232", ...TEN]);
  });

  test("well-formed, though it was cut in the middle of a record", () => {
    const came = reply("www.example A", ["NOERROR tc", ...TEN]).subarray(0, 100);
    expect(isWhole(came)).toBe(false);
    const given = fitReply(came, ask("www.example A"), 512);
    expect(told(given)).toEqual(["NOERROR tc rd ra", ...TEN.slice(0, 4)]);
    expect(isWhole(given)).toBe(true);
  });
});

describe("a reply of upstream for a client's subnet", () => {
  const subnet = { family: 1, address: parseAddress("10.0.1.0"), length: 24 } as const;
  const option = "00080007000118180a0001";
  const query = ask("www.example A", { opt: {} });
  const hex = (octets: Uint8Array): string => Buffer.from(octets).toString("hex");
  const plain = reply("www.example A", ["NOERROR", ...TEN], { opt: {} });

  test("says so behind what it says already", () => {
    const given = fitReply(plain, query, 512, subnet);
    expect(hex(given)).toMatch(new RegExp(`00002904d000000000000b${option}$`));
    expect(given.length).toBe(plain.length + 11);
    expect(isWhole(given)).toBe(true);
    const options = [[65_001, Uint8Array.of(1, 2, 3)]] as const;
    const told = fitReply(reply("www.example A", ["NOERROR"], { opt: { options } }), query, 512, subnet);
    expect(hex(told)).toMatch(new RegExp(`0012fde90003010203${option}$`));
    expect(isWhole(told)).toBe(true);
  });

  test.each([
    ["whole where there is just room", plain.length + 11, 10],
    ["with a record less where there is not", plain.length + 10, 9],
  ])("is %s", (_, limit, answers) => {
    const given = fitReply(plain, query, limit, subnet);
    expect(given.length).toBeLessThanOrEqual(limit);
    expect(told(given).slice(1)).toEqual(TEN.slice(0, answers));
    expect(hex(given).endsWith(option)).toBe(true);
    expect(isWhole(given)).toBe(true);
  });

  test("has OPT at its end, where nothing behind it can be moved", () => {
    const behind = [Uint8Array.of(0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 192, 0, 2, 1)];
    const came = reply("www.example A", ["NOERROR", ...TEN], { opt: {}, behind });
    const given = fitReply(came, query, 512, subnet);
    expect(hex(given).endsWith(option)).toBe(true);
    expect(told(given).slice(1)).toEqual(TEN);
    expect(isWhole(given)).toBe(true);
  });

  test("is as it was where upstream knows no EDNS", () => {
    const came = reply("www.example A", ["NOERROR", ...TEN]);
    expect(told(fitReply(came, query, 512, subnet))).toEqual(["NOERROR rd ra", ...TEN]);
  });
});

test("whatever upstream says behind its question, what the client gets is well-formed and no larger than it may be", () => {
  const head = reply("www.example A", ["NOERROR tc"]);
  const query = ask("www.example A");
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ minLength: 6, maxLength: 6 }),
      fc.integer({ min: 29, max: 600 }),
      fc.constantFrom(undefined, { family: 1, address: parseAddress("10.0.1.0"), length: 24 } as const),
      (rest, counts, limit, subnet) => {
        const came = Buffer.concat([head, rest]);
        came.set(
          counts.map((octet, at) => (at % 2 === 0 ? 0 : octet % 8)),
          6,
        );
        const given = fitReply(came, query, limit, subnet);
        expect(given.length).toBeLessThanOrEqual(Math.max(limit, head.length));
        expect(isWhole(given)).toBe(true);
      },
    ),
    { numRuns: 2000 },
  );
});
