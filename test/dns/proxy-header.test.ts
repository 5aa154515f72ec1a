import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readProxyHeader } from "../../src/dns/proxy-header.ts";
import { FOUR, MAPPED, type Proxied, proxyHeader, SIGNATURE, SIX } from "./proxied.ts";

/** Who asks, `itself` for the proxy, with how much stands behind the header; `partial`, `wrong`. */
function told(octets: Uint8Array): string {
  const reading = readProxyHeader(octets);
  if (reading.kind !== "header") return reading.kind;
  return `${reading.client ?? "itself"}, ${octets.length - reading.end} behind`;
}

const tlvs = (size: number): Buffer => Buffer.alloc(size, 0x04);

describe("a PROXY header", () => {
  test.each<[string, Proxied, string]>([
    ["of UDP over IPv4", {}, "10.0.1.7, 5 behind"],
    ["of TCP over IPv4", { family: 0x11 }, "10.0.1.7, 5 behind"],
    ["of UDP over IPv6", { family: 0x22, rest: SIX }, "fd00::7, 5 behind"],
    ["of TCP over IPv6", { family: 0x21, rest: SIX }, "fd00::7, 5 behind"],
    ["of an IPv4 client written as IPv6", { family: 0x21, rest: MAPPED }, "10.0.1.7, 5 behind"],
    ["of a Unix socket", { family: 0x31, rest: tlvs(216) }, "itself, 5 behind"],
    ["of a Unix socket for datagrams", { family: 0x32, rest: tlvs(216) }, "itself, 5 behind"],
    ["of nobody knows whom", { family: 0x00, rest: Buffer.alloc(0) }, "itself, 5 behind"],
    ["of nobody knows whom, with octets of no meaning", { family: 0x00 }, "itself, 5 behind"],
    ["of the proxy", { command: 0x20, family: 0x00, rest: Buffer.alloc(0) }, "itself, 5 behind"],
    ["of the proxy, addresses in spite of that", { command: 0x20 }, "itself, 5 behind"],
    ["of the proxy, a family that there is not", { command: 0x20, family: 0xff }, "itself, 5 behind"],
    ["with TLVs", { rest: Buffer.concat([FOUR, tlvs(300)]) }, "10.0.1.7, 5 behind"],
    ["of 4096 octets", { rest: Buffer.concat([FOUR, tlvs(4084)]) }, "10.0.1.7, 5 behind"],
    ["of 4097 octets", { rest: Buffer.concat([FOUR, tlvs(4085)]) }, "wrong"],
    ["of 65,535 octets, which nobody has seen yet", { length: 65_535 }, "wrong"],
    ["that says of more than there is", { length: 18 }, "partial"],
    ["too short for IPv4", { rest: FOUR.subarray(1) }, "wrong"],
    ["too short for IPv6", { family: 0x21, rest: SIX.subarray(1) }, "wrong"],
    ["of version 1, in octets", { command: 0x11 }, "wrong"],
    ["of version 3", { command: 0x31 }, "wrong"],
    ["with a command that there is not", { command: 0x22 }, "wrong"],
    ["of IPv4 without a transport", { family: 0x10 }, "wrong"],
    ["of a family that there is not", { family: 0x41 }, "wrong"],
  ])("%s", (_, proxied, expected) => {
    expect(told(Buffer.concat([proxyHeader(proxied), Buffer.from("query")]))).toBe(expected);
  });

  test.each([
    ["in text, version 1", "PROXY TCP4 10.0.1.7 10.0.0.53 40000 53\r\n"],
    ["that is a query", "\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x03web\0\0\x01\0\x01"],
    ["that begins in its second octet", `\0${SIGNATURE.toString("latin1")}`],
  ])("%s: wrong", (_, text) => {
    expect(told(Buffer.from(text, "latin1"))).toBe("wrong");
  });

  const whole = [proxyHeader(), proxyHeader({ family: 0x21, rest: SIX }), proxyHeader({ command: 0x20 })];

  test("is partial up to its last octet", () => {
    for (const octets of whole) {
      for (let length = 0; length < octets.length; length++) {
        expect(told(octets.subarray(0, length)), `${length} octets`).toBe("partial");
      }
      expect(told(octets)).toMatch(/, 0 behind$/);
    }
  });

  test("is wrong from its first octet that is, and whatever may follow", () => {
    for (let at = 0; at < 13; at++) {
      const broken = proxyHeader();
      broken[at] = (broken[at] ?? 0) ^ 0x80;
      expect(told(broken.subarray(0, at + 1)), `octet ${at}`).toBe("wrong");
      expect(told(broken.subarray(0, at))).toBe("partial");
    }
    expect(told(proxyHeader({ family: 0x13 }).subarray(0, 14))).toBe("wrong");
    expect(told(proxyHeader({ length: 4097 }).subarray(0, 16))).toBe("wrong");
  });

  test("no octets whatever make the reader throw, wait for more than it takes, or find an end beyond them", () => {
    const some = fc.uint8Array({ maxLength: 60 });
    const likely = fc
      .tuple(fc.constantFrom(0x20, 0x21), fc.constantFrom(0, 0x11, 0x12, 0x21, 0x22, 0x31), fc.nat(80), some)
      .map(([command, family, length, rest]) => proxyHeader({ command, family, length, rest }));
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.oneof(likely, some, fc.uint8Array({ minLength: 4112, maxLength: 4200 })), (octets) => {
        const reading = readProxyHeader(octets);
        seen.add(reading.kind);
        if (reading.kind === "header") expect(reading.end).toBeLessThanOrEqual(octets.length);
        if (reading.kind === "partial") expect(octets.length).toBeLessThan(16 + 4096);
      }),
      { numRuns: 3000 },
    );
    expect([...seen].toSorted()).toEqual(["header", "partial", "wrong"]);
  });
});
