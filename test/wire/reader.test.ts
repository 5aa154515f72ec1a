import { describe, expect, test } from "vitest";
import { formatName } from "../../src/model/name.ts";
import type { Query } from "../../src/wire/message.ts";
import { readQuery } from "../../src/wire/reader.ts";
import {
  type AskedOpt,
  join,
  message,
  nameOctets,
  optRecord,
  pairs,
  pointer,
  query,
  question,
  record,
} from "./query.ts";

const WEB = question("web.rota.internal");
/** Where the first octet behind the header and WEB stands. */
const BEHIND_WEB = 12 + WEB.length;
const ROOT = Uint8Array.of(0);
const NO_RDATA = new Uint8Array(0);

/** What a reading is, in a word. */
function verdict(octets: Uint8Array): string {
  const reading = readQuery(octets);
  if (reading.kind !== "faulty") return reading.kind;
  return ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP"][reading.fault.rcode] ?? "other";
}

function readGood(octets: Uint8Array): Query {
  const reading = readQuery(octets);
  if (reading.kind !== "query") throw new Error(`not a query but ${verdict(octets)}`);
  return reading.query;
}

/** Labels of these lengths. */
function labels(...lengths: readonly number[]): Uint8Array[] {
  return lengths.map((length) => new Uint8Array(length).fill(0x61));
}

/** A query for WEB with these records behind it, all of them in the additional section. */
function withAdditionals(...records: readonly Uint8Array[]): Uint8Array {
  return message({ counts: [1, 0, 0, records.length], parts: [WEB, ...records] });
}

function withName(octets: Uint8Array): Uint8Array {
  return message({ counts: [1, 0, 0, 0], parts: [octets, pairs(1, 1)] });
}

describe("what a query says is read", () => {
  test("the question is folded for finding and kept as asked for repeating", () => {
    const octets = query({ name: "wEb.RoTa.InTeRnAl", type: 28, class: 3 });
    const read = readGood(octets).question;
    expect(formatName(read.name)).toBe("web.rota.internal.");
    expect([read.type, read.class]).toEqual([28, 3]);
    expect(Buffer.from(read.octets)).toEqual(Buffer.from(question("wEb.RoTa.InTeRnAl", 28, 3)));
  });

  test("only ASCII letters are folded: octets next to them and over 127 keep their meaning", () => {
    const label = Uint8Array.of(0x40, 0x41, 0x5a, 0x5b, 0x60, 0x61, 0x7a, 0x7b, 0xc4, 0xdc);
    expect(formatName(readGood(query({ name: [label] })).question.name)).toBe("\\@az[`az{\\196\\220.");
  });

  test.each([
    ["nothing", 0x0000, {}],
    ["RD", 0x0100, { recursionDesired: true }],
    ["CD", 0x0010, { checkingDisabled: true }],
    ["AD", 0x0020, { authenticDataWanted: true }],
    ["AA, TC, RA, Z, rcode", 0x06cf, {}],
  ])("of the flags with %s set, RD, AD and CD are told", (_, flags, expected) => {
    expect(readGood(query({ name: "web", id: 0xbeef, flags }))).toMatchObject({
      recursionDesired: false,
      authenticDataWanted: false,
      checkingDisabled: false,
      id: 0xbeef,
      opcode: 0,
      ...expected,
    });
  });

  const PLAIN = {
    version: 0,
    udpSize: 1232,
    dnssecOk: false,
    wantsKeepalive: false,
    clientSubnet: undefined,
  };

  test.each<[string, AskedOpt | undefined, Query["edns"]]>([
    ["no OPT", undefined, undefined],
    ["a plain one", {}, PLAIN],
    ["DO and a size", { udpSize: 65_535, dnssecOk: true }, { ...PLAIN, udpSize: 65_535, dnssecOk: true }],
    ["a version", { version: 100 }, { ...PLAIN, version: 100 }],
    [
      "an option of no meaning, with and without a value",
      {
        options: [
          [100, Uint8Array.of(1, 2, 3)],
          [65_001, NO_RDATA],
        ],
      },
      PLAIN,
    ],
    [
      "a keepalive behind a cookie",
      {
        options: [
          [10, new Uint8Array(8)],
          [11, NO_RDATA],
        ],
      },
      { ...PLAIN, wantsKeepalive: true },
    ],
  ])("OPT: %s", (_, opt, expected) => {
    expect(readGood(query({ name: "web", opt })).edns).toEqual(expected);
  });

  test("OPT is found among other records", () => {
    const octets = withAdditionals(
      record(pointer(12), 250, Uint8Array.of(1)),
      optRecord({ udpSize: 999 }),
      record(ROOT, 1, new Uint8Array(4)),
    );
    expect(readGood(octets).edns?.udpSize).toBe(999);
  });
});

describe("silence", () => {
  test.each(Array.from({ length: 12 }, (_, length) => length))("for %i octets", (length) => {
    expect(verdict(query({ name: "web" }).subarray(0, length))).toBe("ignored");
  });

  test.each([0x8000, 0x8180, 0xf800])("for an answer (flags %i)", (flags) => {
    expect(verdict(query({ name: "web", flags }))).toBe("ignored");
  });
});

describe("NOTIMP", () => {
  test.each(Array.from({ length: 15 }, (_, index) => index + 1))("for opcode %i", (opcode) => {
    const flags = opcode << 11;
    expect(verdict(query({ name: "web", flags }))).toBe("NOTIMP");
    expect(verdict(message({ flags, counts: [0, 0, 0, 0], parts: [] }))).toBe("NOTIMP");
    expect(verdict(message({ flags, counts: [9, 9, 9, 9], parts: [Uint8Array.of(0xff)] }))).toBe("NOTIMP");
  });
});

test("a fault tells what the reply repeats", () => {
  const octets = message({ id: 0xbeef, flags: 0x7910, counts: [0, 0, 0, 0], parts: [] });
  expect(readQuery(octets)).toEqual({
    kind: "faulty",
    fault: { rcode: 4, id: 0xbeef, opcode: 15, recursionDesired: true, checkingDisabled: true },
  });
});

describe("the question", () => {
  test.each<[string, Uint8Array, string]>([
    ["one", query({ name: "web" }), "query"],
    ["the root's", query({ name: "." }), "query"],
    ["none, only a header", message({ counts: [0, 0, 0, 0], parts: [] }), "FORMERR"],
    ["none, with an OPT", message({ counts: [0, 0, 0, 1], parts: [optRecord({})] }), "FORMERR"],
    ["two", message({ counts: [2, 0, 0, 0], parts: [WEB, WEB] }), "FORMERR"],
    ["one announced, none there", message({ counts: [1, 0, 0, 0], parts: [] }), "FORMERR"],
    ["its class cut short", query({ name: "web" }).subarray(0, -1), "FORMERR"],
    ["its type missing", query({ name: "web" }).subarray(0, -4), "FORMERR"],
    ["its name without an end", withName(Uint8Array.of(3, 0x77, 0x65)).subarray(0, 15), "FORMERR"],
    ["its label reaching out of the message", withName(Uint8Array.of(63)), "FORMERR"],
    ["label of 63 octets", query({ name: labels(63) }), "query"],
    ["label of 64 octets", query({ name: labels(64) }), "FORMERR"],
    ["name of 255 octets", query({ name: labels(63, 63, 63, 61) }), "query"],
    ["name of 256 octets", query({ name: labels(63, 63, 63, 62) }), "FORMERR"],
    ["127 labels", query({ name: labels(...Array<number>(127).fill(1)) }), "query"],
    ["128 labels", query({ name: labels(...Array<number>(128).fill(1)) }), "FORMERR"],
    ["a label type of bits 01", withName(join(Uint8Array.of(0x41), new Uint8Array(70))), "FORMERR"],
    ["a label type of bits 10", withName(join(Uint8Array.of(0x80), new Uint8Array(140))), "FORMERR"],
    ["a pointer at itself", withName(pointer(12)), "FORMERR"],
    ["a pointer into the header", withName(pointer(4)), "FORMERR"],
    ["a pointer at its own beginning", withName(join(Uint8Array.of(1, 0x61), pointer(12))), "FORMERR"],
    ["a pointer behind it", withName(pointer(20)), "FORMERR"],
  ])("%s", (_, octets, expected) => {
    expect(verdict(octets)).toBe(expected);
  });

  test("a name of 255 octets is read whole", () => {
    expect(readGood(query({ name: labels(63, 63, 63, 61) })).question.name).toHaveLength(255);
  });
});

describe("names of other records", () => {
  const long = labels(63, 63, 63, 58); // 252 octets

  test.each<[string, Uint8Array, string]>([
    ["root", record(ROOT, 1, NO_RDATA), "query"],
    ["in full", record(nameOctets("a.b"), 1, NO_RDATA), "query"],
    ["a pointer at the question", record(pointer(12), 1, NO_RDATA), "query"],
    ["a label and a pointer into the question", record(label("a", 16), 1, NO_RDATA), "query"],
    ["a pointer at the root's octet of the question", record(pointer(BEHIND_WEB - 5), 1, NO_RDATA), "query"],
    ["a pointer at itself", record(pointer(BEHIND_WEB), 1, NO_RDATA), "FORMERR"],
    ["a pointer at its own first label", record(label("a", BEHIND_WEB), 1, NO_RDATA), "FORMERR"],
    ["a pointer at the octet behind it", record(pointer(BEHIND_WEB + 2), 1, NO_RDATA), "FORMERR"],
    ["a pointer into its own rdata", record(pointer(BEHIND_WEB + 12), 1, ROOT), "FORMERR"],
    ["a pointer out of the message", record(pointer(0x3fff), 1, NO_RDATA), "FORMERR"],
    ["a pointer at a zero octet of the header", record(pointer(4), 1, NO_RDATA), "FORMERR"],
    ["a pointer cut in half", Uint8Array.of(0xc0), "FORMERR"],
    ["a label type of bits 01", record(Uint8Array.of(0x40, 12), 1, NO_RDATA), "FORMERR"],
    ["a label type of bits 10", record(Uint8Array.of(0x80, 12), 1, NO_RDATA), "FORMERR"],
    ["a label reaching out of the message", Uint8Array.of(63, 0x61), "FORMERR"],
    ["name of 256 octets", record(nameOctets(labels(63, 63, 63, 62)), 1, NO_RDATA), "FORMERR"],
    ["name of 255 octets", record(nameOctets(labels(63, 63, 63, 61)), 1, NO_RDATA), "query"],
  ])("%s", (_, octets, expected) => {
    expect(verdict(withAdditionals(octets))).toBe(expected);
  });

  test.each([
    ["255", 2, "query"],
    ["256", 3, "FORMERR"],
  ])("a name of %s octets by way of a pointer", (_, first, expected) => {
    const owner = join(nameOctets(labels(first)).subarray(0, -1), pointer(12));
    const octets = message({
      counts: [1, 0, 0, 1],
      parts: [question(long), record(owner, 1, NO_RDATA)],
    });
    expect(verdict(octets)).toBe(expected);
  });

  test("two pointers that lead to one another are refused", () => {
    // The first record's rdata points ahead, into the second record's owner, which points back.
    const there = BEHIND_WEB + 11; // rdata of the first
    const back = there + 2; // owner of the second
    const octets = withAdditionals(record(ROOT, 1, pointer(back)), record(pointer(there), 1, NO_RDATA));
    expect(verdict(octets)).toBe("FORMERR");
  });

  test("a pointer to a pointer that leads forward again is refused, though to before the name", () => {
    const there = BEHIND_WEB + 11;
    const octets = withAdditionals(
      record(ROOT, 1, join(pointer(there + 2), ROOT)),
      record(pointer(there), 1, NO_RDATA),
    );
    expect(verdict(octets)).toBe("FORMERR");
  });

  test("a pointer to a name that runs on into the pointer is refused", () => {
    // Three octets of rdata are a label's beginning, whose end is the next owner: labels would be read for ever.
    const there = BEHIND_WEB + 11;
    const octets = withAdditionals(
      record(ROOT, 1, Uint8Array.of(1, 0x61)),
      record(pointer(there), 1, NO_RDATA),
    );
    expect(verdict(octets)).toBe("FORMERR");
  });

  test.each([
    [127, "query"],
    [128, "FORMERR"],
  ])("%i pointers in a row: %s", (count, expected) => {
    // Rdata full of pointers, each to the one in front of it, the first to the question; the next owner is the last.
    const rdataAt = BEHIND_WEB + 11;
    const chain = Array.from({ length: count - 1 }, (_, at) =>
      pointer(at === 0 ? 12 : rdataAt + 2 * (at - 1)),
    );
    const octets = withAdditionals(
      record(ROOT, 1, join(...chain)),
      record(pointer(rdataAt + 2 * (count - 2)), 1, NO_RDATA),
    );
    expect(verdict(octets)).toBe(expected);
  });
});

describe("sections", () => {
  const plain = record(pointer(12), 1, new Uint8Array(4));

  test.each<[string, Uint8Array, string]>([
    ["records in all of them", message({ counts: [1, 1, 1, 1], parts: [WEB, plain, plain, plain] }), "query"],
    ["an answer announced, none there", message({ counts: [1, 1, 0, 0], parts: [WEB] }), "FORMERR"],
    ["authority announced, none there", message({ counts: [1, 0, 1, 0], parts: [WEB] }), "FORMERR"],
    ["an additional announced, none there", message({ counts: [1, 0, 0, 1], parts: [WEB] }), "FORMERR"],
    ["65,535 announced, one there", message({ counts: [1, 65_535, 0, 0], parts: [WEB, plain] }), "FORMERR"],
    ["a record cut in its fixed part", withAdditionals(plain.subarray(0, 11)), "FORMERR"],
    ["a record cut in its rdata", withAdditionals(plain.subarray(0, -1)), "FORMERR"],
    ["a trailing octet", join(query({ name: "web" }), ROOT), "FORMERR"],
    ["a trailing octet behind OPT", join(query({ name: "web", opt: {} }), ROOT), "FORMERR"],
    [
      "a record more than announced",
      message({ counts: [1, 0, 0, 1], parts: [WEB, plain, plain] }),
      "FORMERR",
    ],
  ])("%s", (_, octets, expected) => {
    expect(verdict(octets)).toBe(expected);
  });
});

describe("OPT", () => {
  const opt = optRecord({});
  const options = (...octets: readonly number[]) =>
    withAdditionals(record(ROOT, 41, Uint8Array.from(octets), 1232));

  test.each<[string, Uint8Array, string]>([
    ["once", withAdditionals(opt), "query"],
    ["twice", withAdditionals(opt, opt), "FORMERR"],
    ["in the answer section", message({ counts: [1, 1, 0, 0], parts: [WEB, opt] }), "FORMERR"],
    ["in the authority section", message({ counts: [1, 0, 1, 0], parts: [WEB, opt] }), "FORMERR"],
    ["owned by a name", withAdditionals(optRecord({}, nameOctets("a"))), "FORMERR"],
    ["owned by a pointer", withAdditionals(optRecord({}, pointer(12))), "FORMERR"],
    ["owned by a pointer at a root", withAdditionals(optRecord({}, pointer(BEHIND_WEB - 5))), "FORMERR"],
    ["an option without a value", options(0, 100, 0, 0), "query"],
    ["an option whose value is one octet short", options(0, 100, 0, 2, 9), "FORMERR"],
    ["an option whose value is one octet long", options(0, 100, 0, 2, 9, 9, 9), "FORMERR"],
    ["an option cut in its length", options(0, 100, 0), "FORMERR"],
    ["an option of 65,535 octets", options(0, 100, 255, 255), "FORMERR"],
    ["keepalive of length 0", options(0, 11, 0, 0), "query"],
    ["keepalive of length 1", options(0, 11, 0, 1, 0), "FORMERR"],
    ["keepalive of length 2", options(0, 11, 0, 2, 0, 0), "FORMERR"],
  ])("%s", (_, octets, expected) => {
    expect(verdict(octets)).toBe(expected);
  });
});

describe("work is bounded by the length", () => {
  /** As many records as fit into `size` octets, behind rdata that is `shared`. */
  function crowd(size: number, shared: Uint8Array, owner: Uint8Array): Uint8Array {
    const first = record(ROOT, 1, shared);
    const one = record(owner, 1, NO_RDATA);
    const count = Math.floor((size - BEHIND_WEB - first.length) / one.length);
    return message({
      counts: [1, count + 1, 0, 0],
      parts: [WEB, first, ...Array<Uint8Array>(count).fill(one)],
    });
  }

  const sharedAt = BEHIND_WEB + 11;
  const manyPointers = join(
    ...Array.from({ length: 7000 }, (_, at) => pointer(at === 0 ? 12 : sharedAt + 2 * (at - 1))),
  );
  const manyLabels = nameOctets(labels(...Array<number>(127).fill(1)));
  /** Each label with a pointer behind it to the one before: as much work as 255 octets can make. */
  const labelsAndPointers = join(
    ...Array.from({ length: 118 }, (_, at) => label("a", at === 0 ? 12 : sharedAt + 4 * (at - 1))),
  );

  test.each<[string, (size: number) => Uint8Array, string]>([
    ["owners of one octet", (size) => crowd(size, NO_RDATA, ROOT), "query"],
    [
      "owners at the end of 7,000 pointers",
      (size) => crowd(size, manyPointers, pointer(sharedAt + 13_998)),
      "FORMERR",
    ],
    ["owners at 127 labels", (size) => crowd(size, manyLabels, pointer(sharedAt)), "query"],
    [
      "owners at 118 labels, each with a pointer",
      (size) => crowd(size, labelsAndPointers, pointer(sharedAt + 4 * 117)),
      "query",
    ],
  ])("64 KiB of records, %s", (_, crowdOf, expected) => {
    expect(verdict(crowdOf(65_535))).toBe(expected);
    const [half, whole] = [countReads(crowdOf(32_768)), countReads(crowdOf(65_535))];
    // A record of 12 octets costs at most 127 labels and 127 pointers, a read for the one and three for the other.
    expect(whole).toBeLessThan(65_535 * 60);
    expect(whole).toBeLessThanOrEqual(half * 2.1);
  });

  test("octets that are only claimed are not walked through", () => {
    const claiming = join(optRecord({}).subarray(0, -2), pairs(65_532));
    expect(verdict(withAdditionals(claiming))).toBe("FORMERR");
    expect(countReads(withAdditionals(claiming))).toBeLessThan(200);
  });
});

/** One label, and then a pointer. */
function label(text: string, offset: number): Uint8Array {
  return join(nameOctets(text).subarray(0, -1), pointer(offset));
}

/** How many octets are looked at while `octets` are read. */
function countReads(octets: Uint8Array): number {
  let reads = 0;
  const counted = new Proxy(octets, {
    get(target, key) {
      if (typeof key === "string" && /^\d+$/.test(key)) reads++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  readQuery(counted);
  return reads;
}
