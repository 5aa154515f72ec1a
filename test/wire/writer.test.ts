import { describe, expect, test } from "vitest";
import { RotaError } from "../../src/base/error.ts";
import { parseAddress } from "../../src/model/address.ts";
import { parseName } from "../../src/model/name.ts";
import type { Question, Reply } from "../../src/wire/message.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { writeFault, writeReply } from "../../src/wire/writer.ts";
import { join, nameOctets, pairs, question } from "./query.ts";

const WHOLE = { limit: 65_535, additionalsLimit: 65_535 };

function asked(text: string, type = 1): Question {
  return { name: parseName(text), type, class: 1, octets: question(text, type) };
}

const REPLY: Reply = {
  id: 0x1234,
  opcode: 0,
  rcode: 0,
  authoritative: false,
  recursionDesired: false,
  recursionAvailable: false,
  checkingDisabled: false,
  question: asked("web"),
  answers: [],
  authority: [],
  additionals: [],
  edns: undefined,
};
const EDNS = {
  udpSize: 1232,
  dnssecOk: false,
  extendedError: undefined,
  keepalive: undefined,
  clientSubnet: undefined,
};

/** What stands behind the question. */
function behindQuestion(reply: Reply): Uint8Array {
  return writeReply(reply, WHOLE).subarray(12 + (reply.question?.octets.length ?? 0));
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString("hex");
}

function header(octets: Uint8Array) {
  const [id, flags, qd, an, ns, ar] = Array.from({ length: 6 }, (_, at) =>
    Buffer.from(octets).readUInt16BE(at * 2),
  );
  return { id, flags, counts: [qd, an, ns, ar] };
}

function tc(octets: Uint8Array): number {
  return (header(octets).flags ?? 0) & 0x0200;
}

/** 101 labels that no other has with the same end. */
function long(end: number): string {
  return `${"a.".repeat(100)}z${end}`;
}

function a(name: string, ttl = 5): ResourceRecord {
  return { type: "A", name: parseName(name), ttl, address: parseAddress("10.0.1.11") };
}

function srv(name: string, target: string): ResourceRecord {
  return {
    type: "SRV",
    name: parseName(name),
    ttl: 5,
    priority: 1,
    weight: 2,
    port: 80,
    target: parseName(target),
  };
}

/** What follows an owner: type, class IN, TTL 5, RDLENGTH, rdata. */
function rest(type: number, rdata: Uint8Array): string {
  return hex(join(pairs(type, 1, 0, 5, rdata.length), rdata));
}

describe("the header", () => {
  test.each<[string, Partial<Reply>, number]>([
    ["nothing", {}, 0x8000],
    ["AA", { authoritative: true }, 0x8400],
    ["RD, but not RA", { recursionDesired: true }, 0x8100],
    ["RA", { recursionAvailable: true }, 0x8080],
    ["CD, but not AD", { checkingDisabled: true }, 0x8010],
    ["NXDOMAIN", { rcode: 3 }, 0x8003],
    ["opcode 15 and NOTIMP", { opcode: 15, rcode: 4 }, 0xf804],
    ["BADVERS, of which 4 bits are 0", { rcode: 16, edns: EDNS }, 0x8000],
  ])("says %s", (_, part, flags) => {
    expect(header(writeReply({ ...REPLY, ...part }, WHOLE))).toMatchObject({ id: 0x1234, flags });
  });

  test("counts what there is, OPT among the additional records", () => {
    const [one, two, three] = [[a("web")], [a("a"), a("b")], [a("c"), a("d"), a("e")]];
    const reply = { ...REPLY, answers: one, authority: two, additionals: three, edns: EDNS };
    expect(header(writeReply(reply, WHOLE)).counts).toEqual([1, 1, 2, 4]);
    expect(header(writeReply({ ...REPLY, question: undefined }, WHOLE)).counts).toEqual([0, 0, 0, 0]);
  });

  test("is all there is of a reply to what cannot be read", () => {
    const fault = {
      rcode: 1,
      id: 0xbeef,
      opcode: 0,
      recursionDesired: true,
      checkingDisabled: true,
    } as const;
    expect(hex(writeFault(fault))).toBe("beef81110000000000000000");
    expect(
      hex(writeFault({ ...fault, rcode: 4, opcode: 6, recursionDesired: false, checkingDisabled: false })),
    ).toBe("beefb0040000000000000000");
  });
});

describe("the question", () => {
  test("is repeated in the case in which it was asked, and its answers point at it", () => {
    const octets = writeReply({ ...REPLY, question: asked("wEb.RoTa"), answers: [a("web.rota")] }, WHOLE);
    expect(Buffer.from(octets.subarray(12)).toString("latin1")).toContain(
      "\x03wEb\x04RoTa\0\0\x01\0\x01\xc0\x0c",
    );
  });

  test("is pointed into in whatever case it was asked", () => {
    const written = hex(behindQuestion({ ...REPLY, question: asked("wEb.RoTa"), answers: [a("x.rota")] }));
    expect(written.startsWith("0178c010")).toBe(true);
  });

  test("may be missing, and then nothing points at the one before", () => {
    writeReply(REPLY, WHOLE);
    const octets = writeReply({ ...REPLY, question: undefined, answers: [a("web")] }, WHOLE);
    expect(hex(octets.subarray(12))).toBe(hex(nameOctets("web")) + rest(1, Uint8Array.of(10, 0, 1, 11)));
  });

  test("of one reply is not pointed at by the next", () => {
    writeReply({ ...REPLY, question: asked("web.rota"), answers: [a("b.rota")] }, WHOLE);
    const octets = writeReply(
      { ...REPLY, question: asked("db"), answers: [a("web.rota"), a("b.rota")] },
      WHOLE,
    );
    expect(Buffer.from(octets).toString("latin1")).toContain("\x03web\x04rota\0");
  });
});

describe("names", () => {
  // The question "b.rota" has `rota` at 14, its first record's rdata begins at 36.
  const base = { ...REPLY, question: asked("b.rota") };

  test.each<[string, ResourceRecord[], string[]]>([
    ["the question's name is a pointer at it", [a("b.rota")], ["c00c", rest(1, Uint8Array.of(10, 0, 1, 11))]],
    ["a suffix of the question is a pointer into it", [a("rota")], ["c00e"]],
    ["a name beneath the question is labels and a pointer", [a("x.y.b.rota")], ["01780179c00c"]],
    ["a sibling is a label and a pointer", [a("c.rota")], ["0163c00e"]],
    ["a label that only begins alike is no suffix", [a("rot")], ["03726f7400"]],
    ["an end of a label is no suffix", [a("ta")], ["02746100"]],
    ["the same labels under another name are no suffix", [a("b.x")], ["0162017800"]],
    ["the root is one octet, never a pointer", [a(".")], ["00", "00010001"]],
    ["a label that repeats itself is told apart", [a("b.b.rota"), a("b.b.b.rota")], ["0162c00c", "0162c018"]],
    [
      "NS and PTR name a suffix by a pointer",
      [
        { type: "NS", name: parseName("rota"), ttl: 5, target: parseName("ns.rota") },
        { type: "PTR", name: parseName("rota"), ttl: 5, target: parseName("ns.rota") },
      ],
      [`c00e${rest(2, Uint8Array.of(2, 0x6e, 0x73, 0xc0, 14))}`, `c00e${rest(12, Uint8Array.of(0xc0, 36))}`],
    ],
    [
      "SOA names its server and its mailbox by pointers",
      [
        {
          type: "SOA",
          name: parseName("rota"),
          ttl: 5,
          primary: parseName("b.rota"),
          mailbox: parseName("b.b.rota"),
          serial: 0xffffffff,
          refresh: 1,
          retry: 2,
          expire: 3,
          minimum: 4,
        },
      ],
      [`c00e${rest(6, join(pairs(0xc00c, 0x0162, 0xc00c, 0xffff, 0xffff, 0, 1, 0, 2, 0, 3, 0, 4)))}`],
    ],
  ])("%s", (_, answers, expected) => {
    const written = hex(behindQuestion({ ...base, answers }));
    let from = 0;
    for (const part of expected) {
      expect(written.slice(from)).toContain(part);
      from = written.indexOf(part, from) + part.length;
    }
    expect(written.startsWith(expected[0] ?? "")).toBe(true);
  });

  test("a SRV target has no pointer in it, though all of it was written before (RFC 2782)", () => {
    const answers = [srv("_http._tcp.b.rota", "b.rota"), srv("_http._tcp.b.rota", "c.b.rota")];
    const written = hex(behindQuestion({ ...REPLY, question: asked("_http._tcp.b.rota", 33), answers }));
    const rdata = ["b.rota", "c.b.rota"].map((target) => join(pairs(1, 2, 80), nameOctets(target)));
    for (const octets of rdata) expect([...octets]).not.toContain(0xc0);
    expect(written).toBe(rdata.map((octets) => `c00c${rest(33, octets)}`).join(""));
  });

  test("an address in the additional section points at the SRV target that it belongs to", () => {
    const answers = [srv("b.rota", "t1.web")];
    const written = hex(behindQuestion({ ...base, answers, additionals: [a("t1.web"), a("web")] }));
    const target = 12 + base.question.octets.length + 2 + 10 + 6;
    expect(written).toContain(`${hex(nameOctets("t1.web"))}${hex(pairs(0xc000 | target))}0001`);
    expect(written).toContain(`${hex(pairs(0xc000 | (target + 3)))}0001`);
  });

  test("no pointer goes beyond 16 KiB", () => {
    // Long TXT records push names beyond; the second time they would be pointers.
    const filling: ResourceRecord[] = Array.from({ length: 70 }, () => ({
      type: "TXT",
      name: parseName("b.rota"),
      ttl: 5,
      strings: ["x".repeat(255)],
    }));
    const octets = writeReply(
      { ...base, answers: [...filling, a("late"), a("late"), a("late.rota")] },
      WHOLE,
    );
    const late = hex(nameOctets("late"));
    expect(octets.length).toBeGreaterThan(0x4000);
    expect(hex(octets).split(late)).toHaveLength(3);
    expect(hex(octets)).toContain(`${late.slice(0, -2)}c00e`);
  });

  test("more names than are remembered are written in full", () => {
    const answers = Array.from({ length: 30 }, (_, end) => a(long(end)));
    const written = hex(behindQuestion({ ...base, answers: [...answers, a(long(0)), a(long(29))] }));
    expect(written.split(hex(nameOctets(long(0))))).toHaveLength(2);
    expect(written.split(hex(nameOctets(long(29))))).toHaveLength(3);
  });
});

describe("strings of TXT", () => {
  test.each<[string, string[], Uint8Array]>([
    ["two", ["team=shop", "x"], join(Buffer.from("\x09team=shop\x01x"))],
    ["UTF-8", ["é"], Uint8Array.of(2, 0xc3, 0xa9)],
    ["an empty one", [""], Uint8Array.of(0)],
    ["none, which is one empty (RFC 6763 section 6.1)", [], Uint8Array.of(0)],
    ["255 octets", ["x".repeat(255)], join(Uint8Array.of(255), Buffer.from("x".repeat(255)))],
  ])("%s", (_, strings, rdata) => {
    const answers: ResourceRecord[] = [{ type: "TXT", name: parseName("web"), ttl: 5, strings }];
    expect(hex(behindQuestion({ ...REPLY, answers }))).toBe(`c00c${rest(16, rdata)}`);
  });

  test("of over 255 octets break a promise, and the next reply is none the worse", () => {
    const strings = ["é".repeat(128)];
    const answers: ResourceRecord[] = [a("x.web"), { type: "TXT", name: parseName("web"), ttl: 5, strings }];
    expect(() => writeReply({ ...REPLY, answers }, WHOLE)).toThrow(
      new RotaError(
        "ERR_ROTA_DECLARATION",
        `could not write "${"é".repeat(30)}…" into a TXT record: it has 256 octets, shorten it to 255`,
      ),
    );
    expect(hex(behindQuestion({ ...REPLY, question: asked("db"), answers: [a("x.web")] }))).toMatch(
      /^01780377656200/,
    );
  });
});

describe("OPT", () => {
  test.each<[string, Partial<Reply>, string]>([
    ["a size", { edns: EDNS }, "00 0029 04d0 00 00 0000 0000"],
    ["DO", { edns: { ...EDNS, dnssecOk: true } }, "00 0029 04d0 00 00 8000 0000"],
    ["BADVERS, of which 8 bits stand here", { rcode: 16, edns: EDNS }, "00 0029 04d0 01 00 0000 0000"],
    ["NXDOMAIN, of which none stand here", { rcode: 3, edns: EDNS }, "00 0029 04d0 00 00 0000 0000"],
    [
      "an extended error",
      { edns: { ...EDNS, extendedError: 18 } },
      "00 0029 04d0 00 00 0000 0006 000f 0002 0012",
    ],
    [
      "extended error 0",
      { edns: { ...EDNS, extendedError: 0 } },
      "00 0029 04d0 00 00 0000 0006 000f 0002 0000",
    ],
    ["a keepalive", { edns: { ...EDNS, keepalive: 300 } }, "00 0029 04d0 00 00 0000 0006 000b 0002 012c"],
    [
      "both",
      { edns: { ...EDNS, extendedError: 23, keepalive: 0 } },
      "00 0029 04d0 00 00 0000 000c 000f 0002 0017 000b 0002 0000",
    ],
    [
      "a client's subnet, and that the reply is for it",
      { edns: { ...EDNS, clientSubnet: { family: 1, address: parseAddress("10.0.8.0"), length: 21 } } },
      "00 0029 04d0 00 00 0000 000b 0008 0007 0001 15 15 0a0008",
    ],
    [
      "a whole address",
      { edns: { ...EDNS, clientSubnet: { family: 2, address: parseAddress("fd00::1"), length: 128 } } },
      "00 0029 04d0 00 00 0000 0018 0008 0014 0002 80 80 fd00 0000 0000 0000 0000 0000 0000 0001",
    ],
    [
      "a client that is not to be told, behind an error",
      {
        edns: {
          ...EDNS,
          extendedError: 20,
          clientSubnet: { family: 1, address: parseAddress("0.0.0.0"), length: 0 },
        },
      },
      "00 0029 04d0 00 00 0000 000e 000f 0002 0014 0008 0004 0001 00 00",
    ],
    ["nothing if it was not asked for", {}, ""],
  ])("says %s", (_, part, expected) => {
    expect(hex(behindQuestion({ ...REPLY, ...part }))).toBe(expected.replaceAll(" ", ""));
  });
});

describe("room", () => {
  // Header and question are 21 octets, each answer 16, OPT 11.
  const answers = Array.from({ length: 40 }, () => a("web"));

  test.each([
    ["all fit to the octet", 40, 21 + 16 * 40, 40, 0],
    ["one octet is missing for the last", 40, 21 + 16 * 40 - 1, 39, 0x0200],
    ["512 octets", 40, 512, 30, 0x0200],
    ["nothing to leave out", 0, 512, 0, 0],
  ])("without OPT, %s", (_, count, limit, kept, truncated) => {
    const octets = writeReply(
      { ...REPLY, answers: answers.slice(0, count) },
      { limit, additionalsLimit: limit },
    );
    expect(header(octets).counts).toEqual([1, kept, 0, 0]);
    expect(tc(octets)).toBe(truncated);
    expect(octets).toHaveLength(21 + 16 * kept);
  });

  test.each([
    ["all fit to the octet", 32 + 16 * 40, 40, 0],
    ["one octet is missing for the last", 32 + 16 * 40 - 1, 39, 0x0200],
    ["512 octets", 512, 30, 0x0200],
  ])("with OPT, which is always there: %s", (_, limit, kept, truncated) => {
    const octets = writeReply({ ...REPLY, answers, edns: EDNS }, { limit, additionalsLimit: limit });
    expect(header(octets).counts).toEqual([1, kept, 0, 1]);
    expect(tc(octets)).toBe(truncated);
    expect(hex(octets.subarray(-11))).toBe("00002904d0000000000000");
  });

  // What is left out brings names with it, which what comes behind it must not point at.
  const large: ResourceRecord = {
    type: "PTR",
    name: parseName("c.d"),
    ttl: 5,
    target: parseName("far.away.e.c.d"),
  };

  test("answers that do not fit take authority and additional records with them", () => {
    const reply = { ...REPLY, answers: [...answers, large], authority: [a("c.d")], additionals: [a("c.d")] };
    const octets = writeReply(reply, { limit: 21 + 16 * 40 + 20, additionalsLimit: 65_535 });
    expect(header(octets).counts).toEqual([1, 40, 0, 0]);
    expect(tc(octets)).toBe(0x0200);
    expect(octets).toHaveLength(21 + 16 * 40);
  });

  test("authority that does not fit says TC, and takes the additional records with it", () => {
    const reply = { ...REPLY, answers, authority: [a("web"), large], additionals: [a("c.d")] };
    const octets = writeReply(reply, { limit: 21 + 16 * 41 + 20, additionalsLimit: 65_535 });
    expect(header(octets).counts).toEqual([1, 40, 1, 0]);
    expect(tc(octets)).toBe(0x0200);
    expect(octets).toHaveLength(21 + 16 * 41);
  });

  /** Each of 18 octets: a set of its own. */
  const sets = [a("a.web"), a("b.web"), a("c.web")];

  test.each([
    ["the limit", 21 + 16 * 30 + 18, 65_535, 1],
    ["a limit of their own", 65_535, 21 + 16 * 30 + 18, 1],
    ["a limit of their own that answers are already beyond", 65_535, 100, 0],
    ["nothing", 65_535, 65_535, 3],
  ])("additional records are left out without TC by %s", (_, limit, additionalsLimit, kept) => {
    const reply = { ...REPLY, answers: answers.slice(0, 30), additionals: sets };
    const octets = writeReply(reply, { limit, additionalsLimit });
    expect(header(octets).counts).toEqual([1, 30, 0, kept]);
    expect(tc(octets)).toBe(0);
  });

  test("OPT counts towards the additional records' limit", () => {
    const reply = { ...REPLY, additionals: sets, edns: EDNS };
    const octets = writeReply(reply, { limit: 65_535, additionalsLimit: 32 + 18 * 2 });
    expect(header(octets).counts).toEqual([1, 0, 0, 3]);
    expect(octets).toHaveLength(32 + 18 * 2);
  });

  // RFC 2181 section 9: a cache would take a part for the whole.
  test("of a set of additional records all are given or none", () => {
    const additionals = [a("a.web"), a("a.web"), a("b.web"), a("b.web"), a("c.web")];
    const octets = writeReply({ ...REPLY, additionals }, { limit: 512, additionalsLimit: 21 + 34 * 2 - 1 });
    expect(header(octets).counts).toEqual([1, 0, 0, 2]);
    expect(tc(octets)).toBe(0);
    expect(octets).toHaveLength(21 + 34);
  });

  test("a message never has over 65,535 octets, whatever the limit", () => {
    const strings = Array.from({ length: 30 }, () => "x".repeat(255));
    const large: ResourceRecord = { type: "TXT", name: parseName("web"), ttl: 5, strings };
    const room = { limit: Infinity, additionalsLimit: Infinity };
    const octets = writeReply(
      { ...REPLY, answers: Array.from({ length: 20 }, () => large), edns: EDNS },
      room,
    );
    expect(header(octets).counts).toEqual([1, 8, 0, 1]);
    expect(octets.length).toBeLessThanOrEqual(65_535);
    expect(tc(octets)).toBe(0x0200);
  });

  test("wherever the 65,535th octet comes to lie in a record, the record is left out", () => {
    const name = "name-of-over-16-octets.rota";
    const size = nameOctets(name).length + 10 + 6 + nameOctets(`${name}.a`).length;
    for (let left = 0; left < size; left++) {
      const strings = [...Array<string>(255).fill("x".repeat(255)), "x".repeat(221 - left)];
      const filling: ResourceRecord = { type: "TXT", name: parseName("web"), ttl: 5, strings };
      const octets = writeReply({ ...REPLY, answers: [filling, srv(name, `${name}.a`)] }, WHOLE);
      expect(octets).toHaveLength(65_535 - left);
      expect(header(octets).counts).toEqual([1, 1, 0, 0]);
    }
  });

  test("a record of over 65,535 octets is left out", () => {
    const strings = Array.from({ length: 300 }, () => "x".repeat(255));
    const large: ResourceRecord = { type: "TXT", name: parseName("web"), ttl: 5, strings };
    const octets = writeReply({ ...REPLY, answers: [a("web"), large, a("web")] }, WHOLE);
    expect(header(octets).counts).toEqual([1, 1, 0, 0]);
  });
});

test("a reply is the caller's own: the next one does not change it", () => {
  const first = writeReply({ ...REPLY, answers: [a("web")] }, WHOLE);
  const before = hex(first);
  writeReply({ ...REPLY, id: 0xffff, question: asked("another"), answers: [a("web")] }, WHOLE);
  expect(hex(first)).toBe(before);
});
