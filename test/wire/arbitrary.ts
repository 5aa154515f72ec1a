import * as fc from "fast-check";
import { type Address, fromOctets, mask } from "../../src/model/address.ts";
import { type Name, parseName } from "../../src/model/name.ts";
import type { ClientSubnet, EdnsReply, Reply } from "../../src/wire/message.ts";
import { RCODE } from "../../src/wire/message.ts";
import type { ResourceRecord } from "../../src/wire/record.ts";
import { nameOctets } from "./query.ts";

/** Whatever the wire can carry, for property tests. */

/** Few labels and few zones, so that names share suffixes and are one another's suffixes. */
const hostLabel = fc.oneof(
  fc.constantFrom("a", "b", "web", "tasks", "x-1", "_http", "_tcp"),
  fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/),
);
const zone = fc.constantFrom("rota.internal", "internal", "a.a.a", "10.in-addr.arpa", "b.rota.internal");

export const hostName: fc.Arbitrary<string> = fc
  .tuple(fc.array(hostLabel, { maxLength: 5 }), zone)
  .map(([labels, zone]) => [...labels, zone].join("."));

const name: fc.Arbitrary<Name> = fc.oneof(hostName, fc.constant(".")).map(parseName);

const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
/** RFC 2181 section 8. */
const u31 = fc.integer({ min: 0, max: 0x7fff_ffff });

const four: fc.Arbitrary<Address> = octets(4).map((all) => fromOctets(all));
/** Not ::ffff:0:0/96, which `parseAddress` refuses to read back. */
const six: fc.Arbitrary<Address> = octets(16)
  .filter((all) => !all.slice(0, 10).every((octet) => octet === 0) || all[10] !== 255 || all[11] !== 255)
  .map((all) => fromOctets(all));

const text = fc
  .string({ unit: "grapheme", maxLength: 60 })
  .filter((string) => Buffer.byteLength(string) <= 255);

const owned = { name, ttl: u31 };

export const anyRecord: fc.Arbitrary<ResourceRecord> = fc.oneof(
  fc.record({ type: fc.constant("A" as const), ...owned, address: four }),
  fc.record({ type: fc.constant("AAAA" as const), ...owned, address: six }),
  fc.record({ type: fc.constant("NS" as const), ...owned, target: name }),
  fc.record({ type: fc.constant("PTR" as const), ...owned, target: name }),
  fc.record({
    type: fc.constant("SOA" as const),
    ...owned,
    primary: name,
    mailbox: name,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u31,
  }),
  fc.record({
    type: fc.constant("SRV" as const),
    ...owned,
    priority: u16,
    weight: u16,
    port: u16,
    target: name,
  }),
  fc.record({
    type: fc.constant("TXT" as const),
    ...owned,
    strings: fc.array(text, { minLength: 1, maxLength: 4 }),
  }),
);

const anySubnet: fc.Arbitrary<ClientSubnet> = fc.oneof(
  fc.tuple(four, fc.nat(32)).map(([address, length]) => ({
    family: 1 as const,
    address: mask(address, length),
    length,
  })),
  fc.tuple(six, fc.nat(128)).map(([address, length]) => ({
    family: 2 as const,
    address: mask(address, length),
    length,
  })),
);

const anyEdns: fc.Arbitrary<EdnsReply> = fc.record({
  udpSize: u16,
  dnssecOk: fc.boolean(),
  extendedError: fc.option(u16, { nil: undefined }),
  keepalive: fc.option(u16, { nil: undefined }),
  clientSubnet: fc.option(anySubnet, { nil: undefined }),
});

/** A reply of so many records a section; its question as asked is `asked`. */
export function anyReply(
  minLength: number,
  maxLength: number,
): fc.Arbitrary<{ readonly asked: string; readonly reply: Reply }> {
  const records = fc.array(anyRecord, { minLength, maxLength, size: "max" });
  return fc
    .record({
      asked: fc.tuple(hostName, fc.infiniteStream(fc.boolean())).map(([text, upper]) => mixCase(text, upper)),
      type: u16,
      reply: fc.record({
        id: u16,
        opcode: fc.integer({ min: 0, max: 15 }),
        rcode: fc.constantFrom(...Object.values(RCODE).filter((rcode) => rcode < 16)),
        authoritative: fc.boolean(),
        recursionDesired: fc.boolean(),
        recursionAvailable: fc.boolean(),
        checkingDisabled: fc.boolean(),
        answers: records,
        authority: records,
        additionals: records,
        edns: fc.option(anyEdns, { nil: undefined }),
      }),
      ownersAsked: fc.boolean(),
    })
    .map(({ asked, type, reply, ownersAsked }) => {
      const question = {
        name: parseName(asked),
        type,
        class: 1,
        octets: Buffer.concat([nameOctets(asked), Uint8Array.of(type >> 8, type, 0, 1)]),
      };
      const answers = ownersAsked
        ? reply.answers.map((answer) => ({ ...answer, name: question.name }))
        : reply.answers;
      return { asked, reply: { ...reply, question, answers } };
    });
}

/** Labels of any octets, together at most a name of 255; often letters, dots and other octets that deceive. */
export const anyLabels: fc.Arbitrary<Uint8Array[]> = fc
  .array(
    fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 63, size: "max" }),
      fc
        .stringMatching(/^[aAzZ@[.\\\0 \xe4\xc4]{1,5}$/)
        .map((text) => new Uint8Array(Buffer.from(text, "latin1"))),
    ),
    { maxLength: 12 },
  )
  .map(fitLabels);

/** Those labels that fit into a name one after the other. */
export function fitLabels(labels: readonly Uint8Array[]): Uint8Array[] {
  let size = 1;
  const fitting: Uint8Array[] = [];
  for (const label of labels) {
    if (label.length === 0 || label.length > 63 || size + 1 + label.length > 255) continue;
    size += 1 + label.length;
    fitting.push(label);
  }
  return fitting;
}

export function mixCase(text: string, upper: Iterator<boolean>): string {
  return text.replaceAll(/[a-z]/g, (letter) => (upper.next().value === true ? letter.toUpperCase() : letter));
}

function octets(length: number): fc.Arbitrary<number[]> {
  return fc.oneof(
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length }),
    // Runs of zeros, which people write as "::".
    fc.array(fc.constantFrom(0, 0, 0, 1), { minLength: length, maxLength: length }),
  );
}
