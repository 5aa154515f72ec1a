import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readReply, type ReplyRecord } from "../../../src/ask/reply.ts";
import { writeReply } from "../../../src/wire/writer.ts";
import { anyReply } from "../../wire/arbitrary.ts";
import { question } from "../../wire/query.ts";
import { ask, cached } from "./cached.ts";
import { reply } from "./replies.ts";

const WWW = "www.example A";
const ROOM = { limit: 65_535, additionalsLimit: 65_535 };
const DAY = 86_400;

const good = fc.constantFrom(
  reply(WWW, ["NOERROR", "www.example 300 A 192.0.2.1", "www.example 300 A 192.0.2.2"]),
  reply(WWW, ["NOERROR", "www.example 9 CNAME web.example", "web.example 300 A 192.0.2.1"], {
    opt: { options: [[15, Uint8Array.of(0, 3)]] },
  }),
  reply(WWW, ["NXDOMAIN", "authority: example 300 SOA 60"], { opt: { dnssecOk: true } }),
);
/** A good reply with a few octets changed behind its flags, maybe cut. */
const mutated = fc
  .tuple(good, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }), fc.nat(), fc.nat(4))
  .map(([octets, changes, cut, dice]) => {
    const changed = octets.slice(0, dice === 0 ? cut % octets.length : undefined);
    for (const [at, octet] of changes) changed[at % changed.length] = octet;
    return changed;
  });
/** A header that leads into records of nothing but what was drawn: pointers, lengths, counts. */
const pointers = fc
  .tuple(
    fc.array(fc.constantFrom(0xc0, 0x0c, 0x1d, 0x00, 0x01, 0x3f, 0xff), { maxLength: 400 }),
    fc.nat(65_535),
  )
  .map(([octets, count]) => {
    const head = reply(WWW, ["NOERROR"]);
    head.set([count >> 8, count & 0xff], 6);
    return Buffer.concat([head, Uint8Array.from(octets)]);
  });

test("whatever upstream sends, nothing throws, and what is given of it is whole and answers the question", () => {
  let kept = 0;
  fc.assert(
    fc.property(fc.oneof(mutated, pointers, fc.uint8Array({ maxLength: 300 })), (octets) => {
      const { cache, clock } = cached();
      cache.keep(ask(WWW), octets);
      clock.turn(500);
      const found = cache.find(ask("WwW.eXample", { id: 0xbeef, opt: {} }));
      if (!found) return;
      kept += found.kind === "fresh" ? 1 : 0;
      expect(Buffer.from(found.reply.subarray(0, 29))).toEqual(
        Buffer.concat([Uint8Array.of(0xbe, 0xef), found.reply.subarray(2, 12), question("WwW.eXample")]),
      );
      // What RDATA means is the client's to find out (RFC 3597): where upstream's cannot be read, neither can ours.
      if (!readable(octets)) return;
      const { answers, authority, additionals, edns } = readReply(Buffer.from(found.reply));
      expect(edns?.version).toBe(0);
      for (const { ttl } of [...answers, ...authority, ...additionals]) {
        expect(ttl).toBeGreaterThan(0);
        expect(ttl).toBeLessThanOrEqual(DAY);
      }
    }),
    { numRuns: 10_000 },
  );
  expect(kept, "so that this tests something").toBeGreaterThan(500);
});

test("no octet is read beyond the reply's end", () => {
  const of = (octets: Uint8Array, beyond: number): Uint8Array | undefined => {
    const around = Buffer.alloc(octets.length + 600, beyond);
    around.set(octets, 300);
    const { cache } = cached();
    cache.keep(ask(WWW), around.subarray(300, 300 + octets.length));
    return cache.find(ask(WWW))?.reply;
  };
  fc.assert(
    fc.property(fc.oneof(mutated, pointers), (octets) => {
      const alone = of(octets, 0x00);
      expect(of(octets, 0xc0)).toEqual(alone);
      expect(of(octets, 0x01)).toEqual(alone);
    }),
    { numRuns: 1500 },
  );
});

test("what was kept is given as upstream said it, TTLs aside, which lose what time has passed", () => {
  let kept = 0;
  fc.assert(
    fc.property(
      anyReply(0, 6),
      fc.constantFrom(0, 3),
      fc.nat(20),
      ({ asked, reply: given }, rcode, seconds) => {
        const { cache, clock } = cached();
        const octets = writeReply({ ...given, opcode: 0, rcode }, ROOM);
        const { question, ...said } = readReply(Buffer.from(octets));
        const client = ask(`${asked} ${question?.type}`);
        cache.keep(client, octets);
        clock.turn(seconds * 1000);
        const found = cache.find(client);
        if (found?.kind !== "fresh") return;
        kept += 1;
        const got = readReply(Buffer.from(found.reply));
        const isNegative = got.authority.some(({ type }) => type === "SOA");
        for (const section of ["answers", "authority", "additionals"] as const) {
          expect(got[section].map(untimed)).toEqual(said[section].map(untimed));
          for (const [index, { ttl }] of got[section].entries()) {
            const full = Math.min(said[section][index]?.ttl ?? 0, DAY);
            // That of an SOA may be less: its minimum counts, too.
            if (isNegative) expect(ttl).toBeLessThanOrEqual(full - seconds);
            if (!isNegative) expect(ttl).toBe(full - seconds);
          }
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(kept, "so that this tests something").toBeGreaterThan(100);
});

function readable(octets: Uint8Array): boolean {
  try {
    readReply(Buffer.from(octets));
    return true;
  } catch {
    return false;
  }
}

function untimed(record: ReplyRecord): ReplyRecord {
  return { ...record, ttl: 0 };
}

test("after whatever happened, no more octets are kept than are allowed", () => {
  const names = fc.nat(40).map((index) => `host${index}.example A`);
  const steps = fc.array(
    fc.oneof(
      fc.tuple(fc.constant("keep" as const), names, fc.nat(600)),
      fc.tuple(fc.constant("fail" as const), names, fc.constant(0)),
      fc.tuple(fc.constant("turn" as const), names, fc.nat(400_000)),
    ),
    { maxLength: 60, size: "max" },
  );
  fc.assert(
    fc.property(steps, fc.nat(8000), (all, maxOctets) => {
      const served = cached(maxOctets);
      for (const [step, name, number] of all) {
        const owner = name.split(" ")[0];
        if (step === "keep")
          served.keep(name, [
            "NOERROR",
            `${owner} 300 A 192.0.2.1`,
            `${owner} 9 TYPE65280 ${"00".repeat(number)}`,
          ]);
        if (step === "fail") served.fail(name);
        if (step === "turn") served.clock.turn(number);
        served.kind(name);
        expect(served.cache.counters.octets).toBeLessThanOrEqual(maxOctets);
      }
    }),
    { numRuns: 300 },
  );
});
