import { Packet } from "dns2";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAddress } from "../../src/model/address.ts";
import { formatName, type Name } from "../../src/model/name.ts";
import type { EdnsReply } from "../../src/wire/message.ts";
import { type ResourceRecord, TYPE } from "../../src/wire/record.ts";
import { writeReply } from "../../src/wire/writer.ts";
import { anyReply } from "./arbitrary.ts";
import { join, optRecord, pairs } from "./query.ts";

type Decoded = (typeof Packet)["prototype"]["answers"][number];

describe("what is written, dns2 decodes to the same", () => {
  test.each([
    ["a few records of every kind", 0, 6, 200],
    ["so many records that names stand beyond the 16 KiB that a pointer reaches", 250, 400, 5],
  ])("%s", (_, min, max, numRuns) => {
    fc.assert(
      fc.property(anyReply(min, max), ({ asked, reply }) => {
        const octets = writeReply(reply, { limit: 65_535, additionalsLimit: 65_535 });
        const decoded = decode(octets);
        expect(decoded.header).toMatchObject({
          id: reply.id,
          qr: 1,
          opcode: reply.opcode,
          aa: Number(reply.authoritative),
          tc: 0,
          rd: Number(reply.recursionDesired),
          ra: Number(reply.recursionAvailable),
          z: 0,
          ad: 0,
          cd: Number(reply.checkingDisabled),
          rcode: reply.rcode,
          arcount: reply.additionals.length + (reply.edns ? 1 : 0),
        });
        expect(decoded.questions).toMatchObject([{ name: asked, type: reply.question?.type, class: 1 }]);
        expect(decoded.answers).toEqual(reply.answers.map(tellWritten));
        expect(decoded.authority).toEqual(reply.authority.map(tellWritten));
        expect(decoded.additionals).toEqual(reply.additionals.map(tellWritten));
        expect(optAtEnd(octets, reply.edns)).toBe(optOf(reply.edns));
      }),
      { numRuns },
    );
  });
});

test("whatever the limit, a reply stays within it, keeps OPT, and says TC if and only if something is missing", () => {
  const limits = fc.integer({ min: 512, max: 3000 });
  fc.assert(
    fc.property(anyReply(0, 25), limits, limits, ({ reply }, limit, additionalsLimit) => {
      const octets = writeReply(reply, { limit, additionalsLimit });
      const { header, answers, authority, additionals } = decode(octets);
      expect(octets.length).toBeLessThanOrEqual(
        additionals.length > 0 ? Math.min(limit, additionalsLimit) : limit,
      );
      expect(optAtEnd(octets, reply.edns)).toBe(optOf(reply.edns));
      expect(header.arcount).toBe(additionals.length + (reply.edns ? 1 : 0));

      expect(answers).toEqual(reply.answers.slice(0, answers.length).map(tellWritten));
      expect(authority).toEqual(reply.authority.slice(0, authority.length).map(tellWritten));
      expect(additionals).toEqual(reply.additionals.slice(0, additionals.length).map(tellWritten));
      const isWhole = answers.length === reply.answers.length && authority.length === reply.authority.length;
      expect(header.tc).toBe(isWhole ? 0 : 1);
    }),
    { numRuns: 200 },
  );
});

function decode(octets: Uint8Array) {
  const { header, questions, answers, authorities, additionals } = Packet.parse(Buffer.from(octets));
  return {
    header,
    questions,
    answers: answers.map(tellDecoded),
    authority: authorities.map(tellDecoded),
    additionals: additionals.filter(({ type }) => type !== TYPE.OPT).map(tellDecoded),
  };
}

/** What stands where OPT, always last, must. dns2 loses an OPT that has options: it takes their length for bits. */
function optAtEnd(octets: Uint8Array, edns: EdnsReply | undefined): string {
  return Buffer.from(octets.subarray(octets.length - optOf(edns).length / 2)).toString("hex");
}

function optOf(edns: EdnsReply | undefined): string {
  if (edns === undefined) return "";
  const options: [number, Uint8Array][] = [];
  if (edns.extendedError !== undefined) options.push([15, pairs(edns.extendedError)]);
  if (edns.keepalive !== undefined) options.push([11, pairs(edns.keepalive)]);
  if (edns.clientSubnet !== undefined) {
    const { family, length, address } = edns.clientSubnet;
    const octets = Buffer.from(address, "latin1").subarray(0, Math.ceil(length / 8));
    options.push([8, join(pairs(family), Uint8Array.of(length, length), octets)]);
  }
  return Buffer.from(optRecord({ udpSize: edns.udpSize, dnssecOk: edns.dnssecOk, options })).toString("hex");
}

/** A record in words that both sides can be put into; dns2 has no dot at a name's end. */
function tellWritten(record: ResourceRecord): unknown[] {
  const owned = [dotless(record.name), record.ttl, record.type];
  switch (record.type) {
    case "A":
    case "AAAA":
      return [...owned, record.address];
    case "NS":
    case "PTR":
      return [...owned, dotless(record.target)];
    case "SOA": {
      const { primary, mailbox, serial, refresh, retry, expire, minimum } = record;
      return [...owned, dotless(primary), dotless(mailbox), serial, refresh, retry, expire, minimum];
    }
    case "SRV":
      return [...owned, record.priority, record.weight, record.port, dotless(record.target)];
    case "TXT":
      return [...owned, record.strings];
  }
  // Not reached: above is every type there is.
  return record;
}

function tellDecoded(record: Decoded & { readonly admin?: string }): unknown[] {
  const owned = [record.name.toLowerCase(), record.ttl];
  switch (record.type) {
    case TYPE.A:
      return [...owned, "A", parseAddress(record.address ?? "")];
    case TYPE.AAAA:
      return [...owned, "AAAA", parseAddress(record.address ?? "")];
    case TYPE.NS:
      return [...owned, "NS", record.ns?.toLowerCase()];
    case TYPE.PTR:
      return [...owned, "PTR", record.domain?.toLowerCase()];
    case TYPE.SOA: {
      const { serial, refresh, retry, expiration, minimum } = record;
      const [primary, admin] = [record.primary?.toLowerCase(), record.admin?.toLowerCase()];
      return [...owned, "SOA", primary, admin, serial, refresh, retry, expiration, minimum];
    }
    case TYPE.SRV:
      return [...owned, "SRV", record.priority, record.weight, record.port, record.target];
    case TYPE.TXT:
      return [...owned, "TXT", record.data];
    default:
      return [...owned, record.type];
  }
}

function dotless(name: Name): string {
  return formatName(name).slice(0, -1);
}
