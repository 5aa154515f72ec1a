import { describe, expect, test } from "vitest";
import { readReply } from "../../src/ask/reply.ts";
import { silentLog } from "../../src/base/log.ts";
import { createTally } from "../../src/dns/counters.ts";
import { createRespond } from "../../src/dns/respond.ts";
import { answer } from "../../src/dns/answer.ts";
import { createRotation } from "../../src/dns/rotation.ts";
import { createViewers, parseTrusted } from "../../src/dns/viewers.ts";
import { formatAddress } from "../../src/model/address.ts";
import { WHOLE_VIEW } from "../../src/model/view.ts";
import { type Asked, message, nameOctets, optRecord, pairs, query, question, record } from "../wire/query.ts";
import { checkedWeb, rosterOf } from "../registry/checked.ts";
import { served } from "./served.ts";

const many = Array.from({ length: 200 }, (_, at) => `10.1.${at >> 8}.${at & 255}`);
const server = served({
  services: {
    web: { endpoint_mode: "dnsrr", ports: [{ name: "http", target: 80 }], tasks: ["192.0.2.1", "192.0.2.2"] },
    crowd: { endpoint_mode: "dnsrr", ports: [{ name: "http", target: 80 }], tasks: many },
  },
});

/** What a reply's header and OPT say, in dig's words. */
function told(octets: Uint8Array, transport: "udp" | "tcp" = "udp"): string {
  const reply = server.respond(octets, transport);
  if (!reply) return "silence";
  const { rcode, flags, answers, edns, question } = readReply(Buffer.from(reply));
  const opcode = ((reply[2] ?? 0) >> 3) & 15;
  return [
    rcode.name,
    `id ${((reply[0] ?? 0) << 8) | (reply[1] ?? 0)}`,
    ...(opcode > 0 ? [`opcode ${opcode}`] : []),
    flags.join(" "),
    ...(question ? [] : ["no question"]),
    ...(answers.length > 0 ? [`${answers.length} answers`] : []),
    ...(edns ? [`edns ${edns.version} ${edns.udpSize}${edns.dnssecOk ? " do" : ""}`] : []),
    ...(edns?.extendedErrors.map(({ code }) => `ede ${code}`) ?? []),
  ].join(", ");
}

const soa = { name: "rota.internal", type: 6 };

// RFC 8906 section 8, in its order; `dig` in test/clients asks the same of a running server.
describe("RFC 8906: every server survives", () => {
  test.each([
    ["plain", query({ ...soa, flags: 0 }), "NOERROR, id 4660, qr aa, 1 answers"],
    ["unknown type", query({ ...soa, type: 666, flags: 0 }), "NOERROR, id 4660, qr aa"],
    ["AD", query({ ...soa, flags: 0x0020 }), "NOERROR, id 4660, qr aa, 1 answers"],
    ["CD is repeated", query({ ...soa, flags: 0x0010 }), "NOERROR, id 4660, qr aa cd, 1 answers"],
    [
      "RD is repeated, RA is not set",
      query({ ...soa, flags: 0x0100 }),
      "NOERROR, id 4660, qr aa rd, 1 answers",
    ],
    ["Z is not repeated", query({ ...soa, flags: 0x0040 }), "NOERROR, id 4660, qr aa, 1 answers"],
    ["AA", query({ ...soa, flags: 0x0400 }), "NOERROR, id 4660, qr aa, 1 answers"],
    [
      "opcode 15",
      message({ flags: 0x7800, counts: [0, 0, 0, 0], parts: [] }),
      "NOTIMP, id 4660, opcode 15, qr, no question",
    ],
    ["EDNS 0", query({ ...soa, flags: 0, opt: {} }), "NOERROR, id 4660, qr aa, 1 answers, edns 0 1232"],
    ["EDNS 100", query({ ...soa, flags: 0, opt: { version: 100 } }), "BADVERS, id 4660, qr, edns 0 1232"],
    ["EDNS 1", query({ ...soa, flags: 0, opt: { version: 1 } }), "BADVERS, id 4660, qr, edns 0 1232"],
    [
      "option 100",
      query({ ...soa, flags: 0, opt: { options: [[100, pairs()]] } }),
      "NOERROR, id 4660, qr aa, 1 answers, edns 0 1232",
    ],
    [
      "DO",
      query({ ...soa, flags: 0, opt: { dnssecOk: true } }),
      "NOERROR, id 4660, qr aa, 1 answers, edns 0 1232 do",
    ],
    [
      "EDNS 100 and DO",
      query({ ...soa, flags: 0, opt: { version: 100, dnssecOk: true } }),
      "BADVERS, id 4660, qr, edns 0 1232 do",
    ],
    [
      "a cookie",
      query({ ...soa, flags: 0, opt: { options: [[10, new Uint8Array(8)]] } }),
      "NOERROR, id 4660, qr aa, 1 answers, edns 0 1232",
    ],
    [
      "a client subnet",
      query({ ...soa, flags: 0, opt: { options: [[8, pairs(1, 0)]] } }),
      "NOERROR, id 4660, qr aa, 1 answers, edns 0 1232",
    ],
  ])("%s", (_, octets, expected) => {
    expect(told(octets)).toBe(expected);
  });
});

describe("what is not a question for an address gets", () => {
  test.each([
    ["an answer", query({ name: "web", flags: 0x8000 }), "silence"],
    ["eleven octets", new Uint8Array(11), "silence"],
    ["no question", message({ counts: [0, 0, 0, 0], parts: [] }), "FORMERR, id 4660, qr, no question"],
    [
      "two questions",
      message({ counts: [2, 0, 0, 0], parts: [question("web"), question("web")] }),
      "FORMERR, id 4660, qr, no question",
    ],
    [
      "two OPT",
      message({ counts: [1, 0, 0, 2], parts: [question("web"), optRecord({}), optRecord({})] }),
      "FORMERR, id 4660, qr, no question",
    ],
    [
      "octets at the end",
      message({ counts: [1, 0, 0, 0], parts: [question("web"), pairs(1)] }),
      "FORMERR, id 4660, qr, no question",
    ],
    ["class CH", query({ name: "version.bind", type: 16, class: 3, flags: 0 }), "REFUSED, id 4660, qr"],
    ["class ANY", query({ name: "web", class: 255, flags: 0 }), "NOERROR, id 4660, qr, 2 answers"],
    ["AXFR over UDP", query({ ...soa, type: 252, flags: 0 }), "FORMERR, id 4660, qr"],
    ["IXFR", query({ ...soa, type: 251, flags: 0 }), "REFUSED, id 4660, qr"],
    ["MAILA", query({ ...soa, type: 254, flags: 0 }), "NOTIMP, id 4660, qr"],
    ["TKEY", query({ ...soa, type: 249, flags: 0 }), "NOTIMP, id 4660, qr"],
    ["OPT as a type", query({ ...soa, type: 41, flags: 0 }), "FORMERR, id 4660, qr"],
    [
      "a name elsewhere, EDNS",
      query({ name: "example.com", flags: 0, opt: {} }),
      "REFUSED, id 4660, qr, edns 0 1232, ede 20",
    ],
    [
      "UPDATE",
      message({ flags: 0x2800, counts: [1, 0, 0, 0], parts: [question("rota.internal", 6)] }),
      "NOTIMP, id 4660, opcode 5, qr, no question",
    ],
    [
      "a record it did not ask for",
      message({
        counts: [1, 1, 0, 0],
        parts: [question("web"), record(nameOctets("web"), 1, new Uint8Array(4))],
      }),
      "NOERROR, id 4660, qr aa, 2 answers",
    ],
  ])("%s", (_, octets, expected) => {
    expect(told(octets)).toBe(expected);
  });

  test("AXFR over TCP: REFUSED", () => {
    expect(told(query({ ...soa, type: 252, flags: 0 }), "tcp")).toBe("REFUSED, id 4660, qr");
  });
});

test.each([
  ["refused", "REFUSED"],
  ["servfail", "SERVFAIL"],
  ["nxdomain", "NXDOMAIN"],
] as const)("--outside %s: a name elsewhere gets %s", (outside, rcode) => {
  expect(served({ services: {} }, { outside }).ask("example.com A")).toEqual([rcode]);
});

describe("a reply over UDP", () => {
  test.each([
    ["512 octets without EDNS", undefined, 512],
    ["512 octets to who says less", 100, 512],
    ["what the client takes", 700, 700],
    ["1232 octets at most, whatever the client says", 4096, 1232],
  ])("has %s, with TC and the records that fit", (_, udpSize, limit) => {
    const reply = server.respond(query({ name: "crowd", opt: udpSize ? { udpSize } : undefined }), "udp");
    expect(reply?.length).toBeLessThanOrEqual(limit);
    expect(reply?.length).toBeGreaterThan(limit - 16);
    const { flags, answers, edns } = readReply(Buffer.from(reply ?? []));
    expect(flags).toContain("tc");
    expect(answers.length).toBeGreaterThan(25);
    expect(edns !== undefined).toBe(udpSize !== undefined);
  });

  test("has no additional records beyond ten times its query, and all of them over TCP", () => {
    const tasks = Array.from({ length: 8 }, (_, at) => ({ address: [`10.9.0.${at}`, `fd00::${at}`] }));
    const eight = served({ services: { web: { endpoint_mode: "dnsrr", ports: [80], tasks } } });
    const asked = query({ name: "_80._tcp.web", type: 33, opt: {} });
    const reply = Buffer.from(eight.respond(asked, "udp") ?? []);
    expect(reply.length).toBeLessThanOrEqual(10 * asked.length);
    expect(reply.length).toBeGreaterThan(10 * asked.length - 30);
    expect(readReply(reply)).toMatchObject({
      answers: { length: 8 },
      flags: expect.not.arrayContaining(["tc"]),
    });
    const whole = readReply(Buffer.from(eight.respond(asked, "tcp") ?? []));
    expect(whole.additionals).toHaveLength(16);
  });

  test("is whole over TCP", () => {
    const { flags, answers } = readReply(Buffer.from(server.respond(query({ name: "crowd" }), "tcp") ?? []));
    expect(flags).not.toContain("tc");
    expect(answers).toHaveLength(200);
  });
});

test("edns-tcp-keepalive is told over TCP to who asks, and to nobody over UDP", () => {
  const asked = query({ name: "web", opt: { options: [[11, new Uint8Array()]] } });
  const tail = (transport: "udp" | "tcp"): string =>
    Buffer.from(server.respond(asked, transport) ?? []).toString("hex");
  expect(tail("tcp")).toMatch(/000b00020064$/); // 100 x 100 ms
  const short = served({ services: {} }, { idleMs: 2500 });
  expect(Buffer.from(short.respond(asked, "tcp") ?? []).toString("hex")).toMatch(/000b00020019$/);
  const long = served({ services: {} }, { idleMs: 86_400_000 });
  expect(Buffer.from(long.respond(asked, "tcp") ?? []).toString("hex")).toMatch(/000b0002ffff$/);
  expect(tail("udp")).not.toContain("000b0002");
});

describe("a client subnet (RFC 7871)", () => {
  const trusting = served(
    { services: { web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] } } },
    { trust: ["10.0.0.53", "fd00::/8"] },
  );

  /** The rcode, and in hex the option of the reply. */
  function heard(subnet: string, asked: Partial<Asked> = {}, client = "10.0.0.53"): string {
    const options = subnet === "" ? [] : ([[8, Buffer.from(subnet, "hex")]] as const);
    const octets = query({ name: "web", opt: { options }, ...asked });
    const reply = Buffer.from(trusting.respond(octets, "udp", client) ?? []).toString("hex");
    const rcode = readReply(Buffer.from(reply, "hex")).rcode.name;
    const [, option] = /0008(00(?:04|05|06|07|08|14)000[012].*)$/.exec(reply) ?? [];
    return option === undefined ? rcode : `${rcode} ${option}`;
  }

  test.each([
    ["comes back, and the reply is for it", "000118000a0001", {}, "NOERROR 0007000118180a0001"],
    ["also with what there is not", "000118000a0001", { name: "no" }, "NXDOMAIN 0007000118180a0001"],
    ["also with what is of others", "000118000a0001", { name: "a.example" }, "REFUSED 0007000118180a0001"],
    ["of IPv6", "00022000fd000001", {}, "NOERROR 000800022020fd000001"],
    ["of no bits comes back for everybody", "00010000", {}, "NOERROR 000400010000"],
    ["of no family is FORMERR", "00000000", {}, "FORMERR"],
    ["with a bit too many is FORMERR", "000118000a000180", {}, "FORMERR"],
    ["is not told of if it is not asked with", "", {}, "NOERROR"],
  ])("of a client that is trusted %s", (_, subnet, asked, expected) => {
    expect(heard(subnet, asked)).toBe(expected);
  });

  test.each([
    ["well-formed", "000118000a0001"],
    ["malformed", "000118000a000180"],
    ["of no octets", ""],
  ])("of others means nothing: %s", (_, subnet) => {
    expect(heard(subnet, {}, "10.0.0.54")).toBe("NOERROR");
    expect(heard(subnet, {}, "fe80::53%eth0")).toBe("NOERROR");
  });

  test("is looked at when the version is known, not before", () => {
    const octets = query({
      name: "web",
      opt: { version: 1, options: [[8, Buffer.from("000118000a000180", "hex")]] },
    });
    const reply = Buffer.from(trusting.respond(octets, "udp", "fd00::53") ?? []);
    expect(readReply(reply).rcode.name).toBe("BADVERS");
  });

  test("chooses the view of who is believed, of others their own address does", () => {
    const looked: string[] = [];
    const { registry } = trusting;
    const viewers = createViewers({
      registry: {
        serial: 1,
        viewOf(address, length) {
          looked.push(`${formatAddress(address)}/${length}`);
          return WHOLE_VIEW;
        },
      },
      trusted: [parseTrusted("10.0.0.53")],
      scope: "all",
    });
    const authority = { registry, rotation: createRotation(), nameServers: () => [], isRouted: () => false };
    const respond = createRespond({
      answer: (question, view) => answer(question, authority, view),
      outside: "refused",
      forwarder: undefined,
      viewers,
      idleMs: 1000,
      counters: createTally(),
      log: silentLog,
    });
    const asked = query({ name: "web", opt: { options: [[8, Buffer.from("000118000a0001", "hex")]] } });
    void respond(asked, "udp", "10.0.0.99");
    expect(looked).toEqual(["10.0.0.99/32"]);
    looked.length = 0;
    void respond(asked, "tcp", "10.0.0.53");
    expect(looked).toEqual(["10.0.0.53/32", "10.0.1.0/24"]);
  });

  test("leaves no less room for records than it takes", () => {
    const crowd = served(
      { services: { crowd: { endpoint_mode: "dnsrr", tasks: many } } },
      { trust: ["127.0.0.1"] },
    );
    const options = [[8, Buffer.from(`00028000fd00${"00".repeat(13)}01`, "hex")]] as const;
    const reply = crowd.respond(query({ name: "crowd", opt: { udpSize: 700, options } }), "udp");
    expect(reply?.length).toBeLessThanOrEqual(700);
    expect(reply?.length).toBeGreaterThan(700 - 16);
    expect(Buffer.from(reply ?? []).toString("hex")).toMatch(/00028080fd00(?:00){13}01$/);
  });
});

test("labels with dots, NULs, spaces and high octets are told apart, and come back octet for octet", () => {
  const odd = [Buffer.from("we.b"), Buffer.from("\0 x"), Buffer.from([0xff, 0xc3])];
  const asked = query({ name: [...odd, Buffer.from("rota"), Buffer.from("internal")] });
  const reply = Buffer.from(server.respond(asked, "udp") ?? []);
  expect(readReply(reply).rcode.name).toBe("NXDOMAIN");
  expect(reply.subarray(12, asked.length)).toEqual(Buffer.from(asked.subarray(12)));
  // One label "web.rota" is not the labels web and rota.
  expect(told(query({ name: [Buffer.from("web.rota"), Buffer.from("internal")], flags: 0 }))).toContain(
    "REFUSED",
  );
});

test("a defect of our own is SERVFAIL, counted, and nobody else's trouble", () => {
  const broken = served(
    { services: { web: { endpoint_mode: "dnsrr", order: "random", tasks: ["192.0.2.1", "192.0.2.2"] } } },
    {
      random: () => {
        throw new Error("a defect");
      },
    },
  );
  expect(broken.ask("web A")).toEqual(["SERVFAIL"]);
  expect(broken.ask("nosuch A")[0]).toBe("NXDOMAIN aa");
  expect(broken.counters).toMatchObject({ defects: 1, queries: { udp: 2 } });
});

test("what is answered is counted", () => {
  const { ask, counters } = served({ services: { web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] } } });
  ask("web A");
  ask("web A", { transport: "tcp" });
  ask("nosuch.rota.internal A");
  ask("web A", { flags: 0x8000 });
  expect(counters.queries).toEqual({ udp: 2, tcp: 1 });
  expect([...counters.replies]).toEqual([
    [0, 2],
    [3, 1],
  ]);
  expect(counters.ignored).toBe(1);
  const before = server.counters.truncated;
  server.respond(query({ name: "crowd" }), "udp");
  server.respond(query({ name: "web" }), "udp");
  expect(server.counters.truncated).toBe(before + 1);
});

test("a service whose first checks are under way is said to be not ready (RFC 8914 section 4.15)", () => {
  const { source, respond } = served({});
  source.publish(rosterOf(checkedWeb(["a 192.0.2.1"])));
  const octets = respond(query({ name: "web", type: 1, opt: {} }), "udp");
  const { rcode, edns } = readReply(Buffer.from(octets ?? []));
  expect([rcode.name, edns?.extendedErrors[0]?.name]).toEqual(["SERVFAIL", "Not Ready"]);
});
