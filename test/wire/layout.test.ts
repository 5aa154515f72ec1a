import { describe, expect, test } from "vitest";
import { type Layout, rcodeOf, readLayout } from "../../src/wire/layout.ts";
import { join, message, nameOctets, optRecord, pairs, pointer, question, record } from "./query.ts";

const WWW = question("www.example");
const ADDRESS = record(pointer(12), 1, Uint8Array.of(192, 0, 2, 1));
const NS = record(nameOctets("example"), 2, nameOctets("ns.example"));
const WHOLE = message({ flags: 0x8180, counts: [1, 1, 1, 1], parts: [WWW, ADDRESS, NS, optRecord({})] });

/** `29 | answer A 29..45 | whole` */
function told(layout: Layout | undefined): string {
  if (!layout) return "nothing";
  const places = layout.records.map(({ section, type, start, end }) => `${section} ${type} ${start}..${end}`);
  return [layout.questionEnd, ...places, layout.isWhole ? "whole" : "cut"].join(" | ");
}

describe("where records lie", () => {
  test.each([
    ["all sections", WHOLE, "29 | answer 1 29..45 | authority 2 45..76 | additional 41 76..87 | whole"],
    ["a question alone", message({ counts: [1, 0, 0, 0], parts: [WWW] }), "29 | whole"],
    ["cut in RDATA", WHOLE.subarray(0, 75), "29 | answer 1 29..45 | cut"],
    ["cut in an owner", WHOLE.subarray(0, 50), "29 | answer 1 29..45 | cut"],
    ["cut between records", WHOLE.subarray(0, 45), "29 | answer 1 29..45 | cut"],
    ["something behind", join(WHOLE, Uint8Array.of(0)), told(readLayout(WHOLE)).replace("whole", "cut")],
    ["cut behind the question", WHOLE.subarray(0, 29), "29 | cut"],
    ["cut in the question's class", WHOLE.subarray(0, 28), "nothing"],
    ["cut in the question's name", WHOLE.subarray(0, 20), "nothing"],
    ["a header", message({ counts: [1, 0, 0, 0], parts: [] }), "nothing"],
    ["half a header", WHOLE.subarray(0, 7), "nothing"],
    ["no question", message({ counts: [0, 0, 0, 0], parts: [WWW] }), "nothing"],
    ["two questions", message({ counts: [2, 0, 0, 0], parts: [WWW, WWW] }), "nothing"],
    [
      "an owner that points at itself",
      message({ counts: [1, 1, 0, 0], parts: [WWW, record(pointer(29), 1, pairs())] }),
      "29 | cut",
    ],
  ])("%s", (_, octets, expected) => {
    expect(told(readLayout(octets))).toBe(expected);
  });

  test("TTL and RDATA", () => {
    const [address] = readLayout(WHOLE)?.records ?? [];
    expect([address?.ttlAt, address?.rdataAt]).toEqual([29 + 2 + 4, 29 + 2 + 10]);
  });
});

test("of the rcode, the upper bits stand in OPT (RFC 6891 section 6.1.3)", () => {
  const opt = join(Uint8Array.of(0), pairs(41, 1232), Uint8Array.of(0x01, 0, 0, 0, 0, 0));
  const badvers = message({ flags: 0x8187, counts: [1, 0, 0, 1], parts: [WWW, opt] });
  expect(rcodeOf(badvers, readLayout(badvers)?.records[0])).toBe(23);
  expect(rcodeOf(badvers, undefined)).toBe(7);
});
