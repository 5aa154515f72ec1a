import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/model/address.ts";
import { readQuery } from "../../src/wire/reader.ts";
import { query } from "./query.ts";

/** What the options of a query say of the client: `IPv4 10.0.1.0/24`, `malformed` or `nothing`. */
function told(...options: readonly (readonly [code: number, value: Uint8Array])[]): string {
  const reading = readQuery(query({ name: "web", opt: { options } }));
  if (reading.kind !== "query") return reading.kind;
  const subnet = reading.query.edns?.clientSubnet;
  if (subnet === undefined) return "nothing";
  if (subnet === "malformed") return subnet;
  return `${subnet.family === 1 ? "IPv4" : "IPv6"} ${formatAddress(subnet.address)}/${subnet.length}`;
}

const octets = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex.replaceAll(" ", ""), "hex"));

describe("a client subnet (RFC 7871 section 6)", () => {
  test.each([
    ["24 bits", "0001 18 00 0a0001", "IPv4 10.0.1.0/24"],
    ["an address", "0001 20 00 0a000163", "IPv4 10.0.1.99/32"],
    ["21 bits, of which three octets tell", "0001 15 00 0a0008", "IPv4 10.0.8.0/21"],
    ["a single bit", "0001 01 00 80", "IPv4 128.0.0.0/1"],
    ["56 bits of IPv6", "0002 38 00 fd000000000000", "IPv6 fd00::/56"],
    ["an IPv6 address", `0002 80 00 fd00${"00".repeat(13)}01`, "IPv6 fd00::1/128"],
    ["no bits", "0001 00 00", "IPv4 0.0.0.0/0"],
    ["no bits of IPv6", "0002 00 00", "IPv6 ::/0"],
    ["an octet too few", "0001 18 00 0a00", "malformed"],
    ["an octet too many", "0001 18 00 0a000100", "malformed"],
    ["an address that no bits are of", "0001 00 00 00", "malformed"],
    ["a bit behind the prefix", "0001 15 00 0a0004", "malformed"],
    ["the first bit behind a prefix of 8", "0001 09 00 0a40", "malformed"],
    ["33 bits", "0001 21 00 0a00010000", "malformed"],
    ["129 bits", `0002 81 00 fd00${"00".repeat(15)}`, "malformed"],
    ["a scope", "0001 18 18 0a0001", "malformed"],
    ["no bits of no family", "0000 00 00", "malformed"],
    ["family 3", "0003 00 00", "malformed"],
    ["family 257, whose lower octet is IPv4's", "0101 18 00 0a0001", "malformed"],
    ["nothing at all", "", "malformed"],
    ["three octets", "0001 00", "malformed"],
  ])("of %s", (_, value, expected) => {
    expect(told([8, octets(value)])).toBe(expected);
  });

  test("is not there without its option, and is found among others", () => {
    const others = [
      [10, new Uint8Array(8)],
      [12, new Uint8Array(30)],
    ] as const;
    expect(told(...others)).toBe("nothing");
    expect(told(...others, [8, octets("0001 18 00 0a0001")], [11, new Uint8Array()])).toBe(
      "IPv4 10.0.1.0/24",
    );
  });

  test("that is there twice is malformed, be the first good or not", () => {
    const good = [8, octets("0001 18 00 0a0001")] as const;
    expect(told(good, good)).toBe("malformed");
    expect(told([8, octets("")], good)).toBe("malformed");
  });

  test("whatever it is, does not fail the query, and has no more bits than it says", () => {
    const value = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.nat(3), fc.nat(130), fc.uint8Array({ maxLength: 17 }))
        .map(([family, length, rest]) => Uint8Array.of(0, family, length, 0, ...rest)),
    );
    fc.assert(
      fc.property(value, (value) => {
        const reading = readQuery(query({ name: "web", opt: { options: [[8, value]] } }));
        if (reading.kind !== "query") throw new Error(reading.kind);
        const subnet = reading.query.edns?.clientSubnet;
        if (subnet === undefined || subnet === "malformed") return;
        const bits = Array.from(subnet.address, (octet) => octet.charCodeAt(0).toString(2).padStart(8, "0"));
        expect(bits.join("").slice(subnet.length)).not.toContain("1");
        expect(value.length).toBe(4 + Math.ceil(subnet.length / 8));
      }),
      { numRuns: 3000 },
    );
  });
});
