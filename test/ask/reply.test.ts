import { Packet } from "dns2";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RotaError } from "../../src/base/error.ts";
import { readReply } from "../../src/ask/reply.ts";
import { type Parts, record, replyTo } from "./servers.ts";

/** id 7, `web.` A IN. */
const QUERY = Buffer.from("000701000001000000000000037765620000010001", "hex");
/** Where the first record's data begins in a reply to it. */
const FIRST_DATA = 33;

describe("a record is read as dig prints it", () => {
  it.each<[string, number, string, string]>([
    ["A", 1, "0a00010b", "10.0.1.11"],
    ["AAAA", 28, "fd000000000000000000000000000013", "fd00::13"],
    ["NS", 2, "026e73c00c", "ns.web."],
    ["CNAME", 5, "c00c", "web."],
    [
      "PTR to a name with a dot, a space, a NUL and a high octet in its labels",
      12,
      "04612e622002 00ff 00",
      String.raw`a\.b\032.\000\255.`,
    ],
    ["PTR to the root", 12, "00", "."],
    ["MX", 15, "000a c00c", "10 web."],
    ["SRV", 33, "0001 0002 1f90 0161c00c", "1 2 8080 a.web."],
    [
      "SOA",
      6,
      "c00c 0161c00c 00000001 00000002 00000003 00000004 fffffffe",
      "web. a.web. 1 2 3 4 4294967294",
    ],
    ["TXT of two strings", 16, "03613d62 0163", '"a=b" "c"'],
    [
      "TXT with a quote, a backslash and octets that are no UTF-8",
      16,
      "04225cff0a",
      String.raw`"\"\\\255\010"`,
    ],
    ["TXT of an empty string", 16, "00", '""'],
    ["CAA", 257, "00 05 6973737565 63612e", '0 issue "ca."'],
    ["HTTPS, which has no form here", 65, "0001 00", String.raw`\# 3 000100`],
    ["a type without a name and without data", 65_280, "", String.raw`\# 0`],
  ])("%s", (_, type, hex, text) => {
    const reply = read({ answers: [record(type, hex.replaceAll(" ", ""))] });
    expect(reply.answers.map(({ data }) => data)).toEqual([text]);
  });
});

it("a message's header, sections and EDNS are told apart", () => {
  const packet = Packet.parse(QUERY);
  packet.header = new Packet.Header({ id: 7, qr: 1, aa: 1, rd: 1, ra: 1, rcode: 3 });
  packet.authorities.push(new Packet.Resource({ name: "web", type: 2, class: 1, ttl: 9, ns: "ns.web" }));
  packet.additionals.push(
    new Packet.Resource({ name: "ns.web", type: 1, class: 3, ttl: 8, address: "10.0.0.1" }),
  );
  expect(readReply(packet.toBuffer())).toEqual({
    id: 7,
    flags: ["qr", "aa", "rd", "ra"],
    rcode: { number: 3, name: "NXDOMAIN" },
    question: { name: "web.", class: "IN", type: "A" },
    answers: [],
    authority: [{ name: "web.", ttl: 9, class: "IN", type: "NS", data: "ns.web." }],
    additionals: [{ name: "ns.web.", ttl: 8, class: "CH", type: "A", data: "10.0.0.1" }],
    edns: undefined,
  });
});

it("OPT gives the upper bits of the rcode, and every extended error among other options", () => {
  const options = ["000b00020064", "000f00020014", "000f0006001d68656c6c", "000f0002ffff"].join("");
  const opt = Buffer.concat([
    Buffer.from("00002904d001018000", "hex"),
    Buffer.of(0, options.length / 2),
    Buffer.from(options, "hex"),
  ]);
  const reply = read({ flags: 7, additionals: [opt, record(1, "0a00010b")] });
  expect(reply.rcode).toEqual({ number: 23, name: "BADCOOKIE" });
  expect(reply.additionals).toHaveLength(1);
  expect(reply.edns).toEqual({
    version: 1,
    udpSize: 1232,
    dnssecOk: true,
    extendedErrors: [
      { code: 20, name: "Not Authoritative", text: "" },
      { code: 29, name: "Synthesized", text: "hell" },
      { code: 65_535, name: "", text: "" },
    ],
  });
});

describe("names that stand in each other", () => {
  it("are read once: 1,000 records may lead to one that is in 120 pieces", () => {
    const name = `${"a.".repeat(120)}web.`;
    const target = record(2, pointer(FIRST_DATA + 4 * 119));
    const reply = read({
      answers: [record(65_280, chain(120)), ...Array.from({ length: 1000 }, () => target)],
    });
    expect(new Set(reply.answers.slice(1).map(({ data }) => data))).toEqual(new Set([name]));
  });

  it("are told apart by where they begin", () => {
    const answers = [record(2, "0161016200"), record(2, "c023"), record(2, "c021"), record(2, "c025")];
    expect(read({ answers }).answers.map(({ data }) => data)).toEqual(["a.b.", "b.", "a.b.", "."]);
  });

  it("may be pointers to pointers, any number of them", () => {
    const answers = [record(65_280, pointers(200)), record(5, pointer(FIRST_DATA + 399))];
    expect(read({ answers }).answers[1]?.data).toBe(".");
  });

  it("are not longer together than a name may be", () => {
    const longest = [record(5, `${"0161".repeat(120)}00`), record(5, `${"0162".repeat(7)}c021`)];
    expect(read({ answers: longest }).answers[1]?.data).toHaveLength(254);
    const longer = [...longest, record(5, "0163c11e")]; // a label before the second
    expect(() => read({ answers: longer })).toThrow("a name is too long");
  });
});

describe("a message that is not as it says is refused", () => {
  it.each<[string, Parts, string]>([
    [
      "an address of 3 octets",
      { answers: [record(1, "0a0001")] },
      "an address has too few octets or too many",
    ],
    [
      "an address of 5 octets",
      { answers: [record(1, "0a00010101")] },
      "an address has too few octets or too many",
    ],
    [
      "an IPv6 address of 15 octets",
      { answers: [record(28, "00".repeat(15))] },
      "longer or shorter than it says",
    ],
    [
      "a name that is shorter than its record",
      { answers: [record(2, "c00c00")] },
      "longer or shorter than it says",
    ],
    [
      "a name that is longer than its record",
      { answers: [record(2, "03776562")] },
      "a name ends beyond the message",
    ],
    ["SOA without its numbers", { answers: [record(6, "c00cc00c")] }, "longer or shorter than it says"],
    ["TXT beyond its record", { answers: [record(16, "05616263")] }, "longer or shorter than it says"],
    ["CAA without a tag", { answers: [record(257, "00")] }, "longer or shorter than it says"],
    ["a pointer at itself", { answers: [record(5, "c021")] }, "a name points forward"],
    ["a pointer forward", { answers: [record(5, "c0ff")] }, "a name points forward"],
    ["a label of 64 octets", { answers: [record(5, "40" + "61".repeat(64) + "00")] }, "a name is too long"],
    [
      "a name of 256 octets",
      { answers: [record(5, "0161".repeat(125) + "046161616100")] },
      "a name is too long",
    ],
    ["more names than octets, as they overlap", { answers: overlapping() }, "its names overlap"],
    [
      "an option beyond OPT",
      { additionals: [Buffer.from("0000290000000000000004000f0002", "hex")] },
      "EDNS option",
    ],
    [
      "an option of 3 octets",
      { additionals: [Buffer.from("0000290000000000000003000f00", "hex")] },
      "EDNS option",
    ],
  ])("%s", (_, parts, message) => {
    expect(() => read(parts)).toThrow(`its answer cannot be read: `);
    expect(() => read(parts)).toThrow(message);
  });

  it("anywhere it is cut off", () => {
    const whole = replyTo(QUERY, {
      answers: [record(33, "0001000200500161c00c"), record(16, "03613d62")],
      additionals: [record(1, "0a00010b"), Buffer.from("00002904d0000000000006000f00020014", "hex")],
    });
    expect(readReply(whole).answers).toHaveLength(2);
    for (let octets = 12; octets < whole.length; octets++) {
      expect(() => readReply(whole.subarray(0, octets)), `${octets} octets`).toThrow(RotaError);
    }
  });

  it("but octets behind its end do not matter", () => {
    const whole = replyTo(QUERY, { answers: [record(1, "0a00010b")] });
    expect(readReply(Buffer.concat([whole, Buffer.alloc(9, 0xff)]))).toEqual(readReply(whole));
  });

  it("whatever octets it has: they are read, or refused with a RotaError", () => {
    const types = fc.constantFrom(1, 2, 5, 6, 12, 15, 16, 28, 33, 41, 48, 99, 257, 65_280);
    const records = fc.array(
      fc
        .tuple(types, fc.uint8Array({ maxLength: 40 }))
        .map(([type, data]) => record(type, Buffer.from(data))),
      { maxLength: 5 },
    );
    const seen = new Set<string>();
    fc.assert(
      fc.property(records, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }), (answers, spoilt) => {
        const message = replyTo(QUERY, { answers });
        for (const [where, octet] of spoilt) message[where % message.length] = octet;
        seen.add(outcomeOf(message));
      }),
      { numRuns: 3000 },
    );
    expect([...seen].toSorted()).toEqual(["read", "refused"]);
  });
});

function read(parts: Parts): ReturnType<typeof readReply> {
  return readReply(replyTo(QUERY, parts));
}

function outcomeOf(message: Buffer): "read" | "refused" {
  try {
    readReply(message);
    return "read";
  } catch (error) {
    if (error instanceof RotaError && error.code === "ERR_ROTA_ASK") return "refused";
    throw error;
  }
}

/**
 * 64 names of three labels each, each an octet behind the one before, and a record pointing at each: what begins at
 * each octet of a label is another name.
 */
function overlapping(): Buffer[] {
  const labels = Buffer.concat([Buffer.alloc(192, 63), Buffer.alloc(64)]);
  const targets = Array.from({ length: 64 }, (_, at) => record(5, pointer(FIRST_DATA + at)));
  return [record(65_280, labels), ...targets];
}

/** Names of one label and a pointer at the one before; the first points at the question. */
function chain(count: number): Buffer {
  const labels = Array.from({ length: count }, (_, at) => [
    Buffer.from("\x01a"),
    at === 0 ? Buffer.from("c00c", "hex") : pointer(FIRST_DATA + 4 * (at - 1)),
  ]);
  return Buffer.concat(labels.flat());
}

/** The root's octet and `count` pointers, each at the one before: the first record's data. */
function pointers(count: number): Buffer {
  const targets = Array.from({ length: count }, (_, at) => pointer(FIRST_DATA + Math.max(0, 2 * at - 1)));
  return Buffer.concat([Buffer.of(0), ...targets]);
}

function pointer(at: number): Buffer {
  return Buffer.of(0xc0 | (at >> 8), at & 0xff);
}
