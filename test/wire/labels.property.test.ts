import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Question } from "../../src/wire/message.ts";
import { readQuery } from "../../src/wire/reader.ts";
import { writeReply } from "../../src/wire/writer.ts";
import { anyLabels, fitLabels } from "./arbitrary.ts";
import { nameOctets, query } from "./query.ts";

test("labels of any octets are one name if they are the same but for the case of letters, and else two", () => {
  const pair = anyLabels.chain((labels) => fc.tuple(fc.constant(labels), likeness(labels)));
  const seen = new Set<boolean>();
  fc.assert(
    fc.property(pair, ([one, other]) => {
      const isSame = foldApart(one) === foldApart(other);
      seen.add(isSame);
      expect(read(one).name === read(other).name).toBe(isSame);
    }),
    { numRuns: 1000 },
  );
  expect(seen.size).toBe(2);
});

test("labels of any octets are echoed octet for octet, and an answer of that name is a pointer at them", () => {
  fc.assert(
    fc.property(anyLabels, (labels) => {
      const question = read(labels);
      const reply = writeReply(
        {
          id: 0,
          opcode: 0,
          rcode: 0,
          authoritative: true,
          recursionDesired: false,
          recursionAvailable: false,
          checkingDisabled: false,
          question,
          answers: [{ type: "TXT", name: question.name, ttl: 5, strings: ["a"] }],
          authority: [],
          additionals: [],
          edns: undefined,
        },
        { limit: 512, additionalsLimit: 512 },
      );
      const name = nameOctets(labels);
      const end = 12 + name.length + 4;
      expect([...reply.subarray(12, end - 4)]).toEqual([...name]);
      const owner = labels.length === 0 ? [0] : [0xc0, 12];
      expect([...reply.subarray(end)]).toEqual([...owner, 0, 16, 0, 1, 0, 0, 0, 5, 0, 2, 1, 0x61]);
    }),
    { numRuns: 500 },
  );
});

function read(labels: readonly Uint8Array[]): Question {
  const reading = readQuery(query({ name: labels }));
  if (reading.kind !== "query") throw new Error("not read");
  return reading.query.question;
}

/** The labels in numbers, ASCII letters in lower case: worked out apart from the reader. */
function foldApart(labels: readonly Uint8Array[]): string {
  return labels
    .map((label) => [...label].map((octet) => (octet > 64 && octet < 91 ? octet + 32 : octet)).join(" "))
    .join(".");
}

/** Labels that a careless reader may take for these. */
function likeness(labels: readonly Uint8Array[]): fc.Arbitrary<readonly Uint8Array[]> {
  return fc.oneof(
    anyLabels,
    // The same octets, cut into labels at other places.
    fc.array(fc.integer({ min: 1, max: 63 }), { minLength: 1 }).map((lengths) => recut(labels, lengths)),
    // A dot in a label in place of what separates two.
    fc.constant(
      fitLabels([new Uint8Array(Buffer.concat(labels.flatMap((label) => [Buffer.from("."), label])))]),
    ),
    // One bit of each octet turned: 0x20 is the case of letters, and of others not.
    fc.integer({ min: 0, max: 7 }).map((bit) => turn(labels, () => 1 << bit)),
    // The case of letters turned.
    fc.constant(turn(labels, (octet) => (/[a-z]/i.test(String.fromCharCode(octet)) ? 0x20 : 0))),
  );
}

function turn(labels: readonly Uint8Array[], bits: (octet: number) => number): Uint8Array[] {
  return labels.map((label) => label.map((octet) => octet ^ bits(octet)));
}

function recut(labels: readonly Uint8Array[], lengths: readonly number[]): Uint8Array[] {
  let rest: Uint8Array = Buffer.concat(labels);
  const cut: Uint8Array[] = [];
  for (let at = 0; rest.length > 0; at++) {
    const length = lengths[at % lengths.length] ?? 63;
    cut.push(rest.subarray(0, length));
    rest = rest.subarray(length);
  }
  return fitLabels(cut);
}
