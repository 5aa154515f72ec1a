import { describe, expect, test } from "vitest";
import {
  addressAt,
  formatAddress,
  formatSubnet,
  isInside,
  isUnreachable,
  parseAddress,
  parseEndpoint,
  parseSubnet,
  sizeOf,
} from "../../src/model/address.ts";
import { parseDuration } from "../../src/model/duration.ts";
import { formatName, parseName } from "../../src/model/name.ts";
import { parseReverse, reverseName } from "../../src/model/reverse.ts";

describe("an address", () => {
  test.each([
    ["10.0.1.11", "10.0.1.11"],
    ["FD00:0:0::1", "fd00::1"],
    ["::", "::"],
  ])("%s", (text, expected) => {
    expect(formatAddress(parseAddress(text))).toBe(expected);
  });

  test.each([
    ["10.0.1", '"10.0.1" is not an IPv4 or IPv6 address'],
    ["010.0.0.1", '"010.0.0.1" is not an IPv4 or IPv6 address'],
    ["10.0.1.256", '"10.0.1.256" is not an IPv4 or IPv6 address'],
    ["fe80::1%eth0", '"fe80::1%eth0" has a zone, which DNS cannot carry'],
    ["::ffff:10.0.0.1", '"::ffff:10.0.0.1" is an IPv4 address: write 10.0.0.1'],
    ["web", '"web" is not an IPv4 or IPv6 address'],
  ])("not %s", (text, message) => {
    expect(() => parseAddress(text)).toThrow(message);
  });

  test.each(["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"])("%s is no task's", (text) => {
    expect(isUnreachable(parseAddress(text))).toBe(true);
  });
});

describe("an address with a port", () => {
  test.each([
    ["10.0.1.13:9090", "10.0.1.13", 9090],
    ["[fd00::1]:80", "fd00::1", 80],
    ["[fd00::1]", "fd00::1", undefined],
    ["fd00::1", "fd00::1", undefined],
  ])("%s", (text, address, port) => {
    const endpoint = parseEndpoint(text);
    expect([formatAddress(endpoint.address), endpoint.port]).toEqual([address, port]);
  });

  test.each([
    ["10.0.1.13:0", "ports go from 1 to 65535"],
    ["10.0.1.13:65536", "ports go from 1 to 65535"],
    ["10.0.1.13:http", "is not an IPv4 or IPv6 address"],
    [":80", "is not an IPv4 or IPv6 address"],
  ])("not %s", (text, message) => {
    expect(() => parseEndpoint(text)).toThrow(message);
  });
});

describe("a subnet", () => {
  test.each([
    ["10.0.1.0/24", "10.0.1.255", "10.0.2.0", 256n],
    ["10.16.0.0/12", "10.31.255.255", "10.32.0.0", 1_048_576n],
    ["10.0.0.1/32", "10.0.0.1", "10.0.0.2", 1n],
    ["0.0.0.0/0", "255.255.255.255", "::", 4_294_967_296n],
    ["fd00:1::/64", "fd00:1::ffff:ffff:ffff:ffff", "fd00:1:0:1::", 2n ** 64n],
  ])("%s ends with %s", (text, last, next, size) => {
    const subnet = parseSubnet(text);
    expect(formatSubnet(subnet)).toBe(text);
    expect(sizeOf(subnet)).toBe(size);
    expect(formatAddress(addressAt(subnet, size - 1n))).toBe(last);
    expect(isInside(subnet, parseAddress(last))).toBe(true);
    expect(isInside(subnet, parseAddress(next))).toBe(false);
  });

  test.each([
    ["10.0.1.0", '"10.0.1.0" is not a subnet: write it as 10.0.1.0/24'],
    ["10.0.1.0/33", "its length goes from 0 to 32"],
    ["10.0.1.7/24", '"10.0.1.7/24" is an address inside a subnet: write 10.0.1.0/24'],
  ])("not %s", (text, message) => {
    expect(() => parseSubnet(text)).toThrow(message);
  });
});

describe("a reverse name", () => {
  test.each([
    ["11.1.0.10.in-addr.arpa.", "10.0.1.11", 32],
    ["0.10.in-addr.arpa.", "10.0.0.0", 16],
    [`${"1.0.0.0.".repeat(8)}ip6.arpa.`, "1:1:1:1:1:1:1:1", 128],
    ["0.0.d.f.ip6.arpa.", "fd00::", 16],
  ])("%s", (name, address, length) => {
    const reverse = parseReverse(parseName(name));
    expect(reverse && [formatAddress(reverse.address), reverse.length]).toEqual([address, length]);
    expect(formatName(reverseName(parseAddress(address), length))).toBe(name);
  });

  test.each([
    ["011.1.0.10.in-addr.arpa.", "10.0.1.0", 24],
    ["256.in-addr.arpa.", "0.0.0.0", 0],
    ["1.2.3.4.5.in-addr.arpa.", "5.4.3.2", 32],
    ["_udp.0.10.in-addr.arpa.", "10.0.0.0", 16],
    ["10.0.d.f.ip6.arpa.", "fd00::", 12],
  ])("%s is beneath one", (name, address, length) => {
    const reverse = parseReverse(parseName(name));
    expect(reverse && [formatAddress(reverse.address), reverse.length]).toEqual([address, length]);
    expect(reverse?.isExact).toBe(false);
  });

  test.each(["web.rota.internal", "arpa", "in-addr.arpa.example"])("not %s", (name) => {
    expect(parseReverse(parseName(name))).toBeUndefined();
  });
});

describe("a duration", () => {
  test.each([
    ["5s", 5000],
    ["1m30s", 90_000],
    ["1h", 3_600_000],
    ["500ms", 500],
    ["1.5s", 1500],
    ["250us", 0.25],
    [7, 7000],
    ["7", 7000],
  ])("%s", (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(["", "5 s", "s", "5x", "-5s", "5s!"])('not "%s"', (text) => {
    expect(() => parseDuration(text)).toThrow(`"${text}" is not a duration: write it as 5s, 1m30s or 500ms`);
  });
});
