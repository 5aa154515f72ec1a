import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readReply } from "../../src/ask/reply.ts";
import { query } from "../wire/query.ts";
import { served } from "./served.ts";

const server = served({
  services: {
    web: {
      aliases: ["www", "a.b"],
      ports: [{ name: "http", target: 80 }],
      labels: { team: "shop" },
      tasks: [
        { id: "t", slot: 1, address: ["192.0.2.1", "2001:db8::1"] },
        { id: "u", address: "192.0.2.2" },
      ],
    },
    api: {
      endpoint_mode: "dnsrr",
      namespace: "shop",
      ports: [{ name: "http", target: 80 }],
      tasks: Array.from({ length: 60 }, (_, at) => `192.0.2.${at + 1}`),
    },
    none: { endpoint_mode: "dnsrr", when_empty: "servfail" },
  },
});

/** Labels that mean something here come often, and others, too. */
const label = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "web",
      "www",
      "tasks",
      "_http",
      "_tcp",
      "api",
      "shop",
      "t",
      "1",
      "none",
      "b",
      "a",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom("rota", "internal", "in-addr", "arpa", "ip6", "192", "0", "2", "ns"),
  },
  {
    weight: 1,
    arbitrary: fc
      .uint8Array({ minLength: 1, maxLength: 63 })
      .map((octets) => Buffer.from(octets).toString("latin1")),
  },
);
const suffix = fc.constantFrom(
  [],
  ["rota", "internal"],
  ["Rota", "INTERNAL"],
  ["2", "0", "192", "in-addr", "arpa"],
);
const name = fc
  .tuple(fc.array(label, { maxLength: 5 }), suffix)
  .map(([labels, end]) => [...labels, ...end].map((text) => Buffer.from(text, "latin1")));
const asked = fc.record({
  name,
  type: fc.oneof(fc.constantFrom(1, 28, 33, 16, 12, 6, 2, 255, 15, 65), fc.nat(65_535)),
  class: fc.constantFrom(1, 1, 1, 3, 255),
  id: fc.nat(65_535),
  flags: fc.constantFrom(0, 0x0100, 0x0110, 0x0020),
  opt: fc.option(fc.record({ udpSize: fc.nat(65_535), dnssecOk: fc.boolean() }), { nil: undefined }),
});

test("whatever is asked, the reply is to that question, honest about its size, and denies nothing without an SOA", () => {
  fc.assert(
    fc.property(asked, fc.constantFrom("udp" as const, "tcp" as const), (wanted, transport) => {
      const octets = query(wanted);
      const reply = Buffer.from(server.respond(octets, transport) ?? []);
      const { id, flags, rcode, answers, authority, additionals, edns } = readReply(reply);
      expect(id).toBe(wanted.id);
      expect(flags).toContain("qr");
      expect(flags).not.toContain("ra");
      expect(reply.subarray(12, 12 + octets.length - 12 - (wanted.opt ? 11 : 0))).toEqual(
        Buffer.from(octets.subarray(12, octets.length - (wanted.opt ? 11 : 0))),
      );
      expect(edns !== undefined).toBe(wanted.opt !== undefined);
      const isOurs = ["NOERROR", "NXDOMAIN"].includes(rcode.name);
      const isDenial = isOurs && answers.length === 0 && !flags.includes("tc");
      expect(authority.map(({ type }) => type)).toEqual(isDenial ? ["SOA"] : []);
      if (rcode.name === "NXDOMAIN") expect(answers).toEqual([]);
      if (transport === "tcp") {
        expect(flags).not.toContain("tc");
        return;
      }
      expect(reply.length).toBeLessThanOrEqual(Math.min(Math.max(512, wanted.opt?.udpSize ?? 0), 1232));
      // Ten times the query at most, but for the set itself that was asked for.
      const isSetAlone = additionals.length === 0 && authority.length === 0;
      expect(isSetAlone || reply.length <= 10 * octets.length).toBe(true);
    }),
    { numRuns: 3000 },
  );
  expect(server.counters.defects).toBe(0);
});

test("no octets whatever make it throw, answer an answer, or send more than fits", () => {
  const start = server.counters.defects;
  const mutated = fc
    .tuple(
      asked.map((wanted) => query(wanted)),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
      fc.nat(),
    )
    .map(([octets, changes, cut]) => {
      for (const [at, octet] of changes) octets[at % octets.length] = octet;
      return cut % 3 === 0 ? octets.subarray(0, cut % octets.length) : octets;
    });
  fc.assert(
    fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 600 })), (octets) => {
      const reply = server.respond(octets, "udp");
      if (!reply) return;
      expect((octets[2] ?? 0) & 0x80, "an answer").toBe(0);
      expect((reply[2] ?? 0) & 0x80).toBe(0x80);
      expect(reply.length).toBeLessThanOrEqual(1232);
    }),
    { numRuns: 10_000 },
  );
  expect(server.counters.defects).toBe(start);
});
