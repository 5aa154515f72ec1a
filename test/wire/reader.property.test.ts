import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readQuery } from "../../src/wire/reader.ts";
import { writeFault, writeReply } from "../../src/wire/writer.ts";
import { anyLabels } from "./arbitrary.ts";
import { join, nameOctets, optRecord, pairs, pointer, query, record } from "./query.ts";

const someOctets = fc.uint8Array({ maxLength: 600, size: "max" });

const goodQuery = fc
  .record({
    name: anyLabels,
    type: fc.integer({ min: 0, max: 0xffff }),
    opt: fc.option(
      fc.record({
        version: fc.integer({ min: 0, max: 255 }),
        dnssecOk: fc.boolean(),
        options: fc.array(fc.tuple(fc.constantFrom(3, 8, 10, 12, 100), fc.uint8Array({ maxLength: 40 })), {
          maxLength: 3,
        }),
      }),
      { nil: undefined },
    ),
  })
  .map((asked) => query(asked));

/** What somebody who wants to break the reader does to a query that it reads. */
const mutation: fc.Arbitrary<(octets: Uint8Array) => Uint8Array> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(7)).map(([where, bit]) => (octets: Uint8Array) => {
    const at = where % Math.max(1, octets.length);
    return octets.map((octet, index) => (index === at ? octet ^ (1 << bit) : octet));
  }),
  fc.nat().map((where) => (octets: Uint8Array) => octets.subarray(0, where % (octets.length + 1))),
  fc.tuple(fc.nat(), fc.nat(), fc.nat()).map(([from, to, at]) => (octets: Uint8Array) => {
    const [copied, before] = [from % (octets.length + 1), at % (octets.length + 1)];
    const again = octets.subarray(copied, copied + (to % 300));
    return join(octets.subarray(0, before), again, octets.subarray(before));
  }),
  // The counts, which random octets would hardly ever hit.
  fc.tuple(fc.constantFrom(4, 6, 8, 10), fc.constantFrom(0, 1, 2, 3, 65_535)).map(
    ([at, count]) =>
      (octets: Uint8Array) =>
        octets.length < 12 ? octets : join(octets.subarray(0, at), pairs(count), octets.subarray(at + 2)),
  ),
  fc
    .oneof(
      fc.constant(optRecord({})),
      fc.tuple(fc.nat(0x3fff), someOctets).map(([to, rdata]) => record(pointer(to), 1, rdata)),
      anyLabels.map((labels) => record(nameOctets(labels), 41, new Uint8Array(3))),
    )
    .map((more) => (octets: Uint8Array) => join(octets, more)),
);

const brokenQuery = fc
  .tuple(goodQuery, fc.array(mutation, { minLength: 1, maxLength: 5 }))
  .map(([octets, mutations]) => mutations.reduce((broken, mutate) => mutate(broken), octets));

test("good queries are read", () => {
  fc.assert(
    fc.property(goodQuery, (octets) => {
      expect(readAndAnswer(octets)).toBe("query");
    }),
    { numRuns: 500 },
  );
});

test("no octets whatever make the reader throw", () => {
  fc.assert(
    fc.property(someOctets, (octets) => {
      expect(readAndAnswer(octets)).toMatch(/^(?:ignored|faulty|query)$/);
    }),
    { numRuns: 1000 },
  );
});

test("no octets whatever behind a good header make the reader throw", () => {
  const counts = fc.array(fc.constantFrom(0, 1, 2, 65_535), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(counts, someOctets, (counts, octets) => {
      expect(readAndAnswer(join(pairs(1, 0, 1, ...counts), octets))).toMatch(/^(?:faulty|query)$/);
    }),
    { numRuns: 1000 },
  );
});

test("no change to a good query makes the reader throw", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(brokenQuery, (octets) => {
      seen.add(readAndAnswer(octets));
    }),
    { numRuns: 5000 },
  );
  // The changes lead everywhere, else this would say little.
  expect([...seen].toSorted()).toEqual(["faulty", "ignored", "query"]);
});

/** Reads, and answers whatever was read: no step may throw. */
function readAndAnswer(octets: Uint8Array): string {
  const reading = readQuery(octets);
  if (reading.kind === "ignored") return "ignored";
  if (reading.kind === "faulty")
    return writeFault(reading.fault).length === 12 ? "faulty" : "a fault too long";
  const { question, edns, ...header } = reading.query;
  if (question.octets.length !== question.name.length + 4) return "a question that is not its name";
  if (question.name.length > 255 || !question.name.endsWith("\0")) return "a name that is none";
  const reply = writeReply(
    {
      ...header,
      rcode: 0,
      authoritative: true,
      recursionAvailable: false,
      question,
      answers: [{ type: "PTR", name: question.name, ttl: 5, target: question.name }],
      authority: [],
      additionals: [],
      edns: edns && {
        udpSize: 1232,
        dnssecOk: edns.dnssecOk,
        extendedError: undefined,
        keepalive: 1,
        clientSubnet: edns.clientSubnet === "malformed" ? undefined : edns.clientSubnet,
      },
    },
    { limit: 512, additionalsLimit: 512 },
  );
  return reply.length <= 512 ? "query" : "a reply too long";
}
