import { expect, test } from "vitest";
import { readProxyHeader } from "../../../src/dns/proxy-header.ts";
import { writeProxyHeader } from "../../../src/plane/userspace/proxy-header.ts";

const ipv4 = {
  source: "192.0.2.1",
  sourcePort: 51_000,
  destination: "198.51.100.2",
  destinationPort: 80,
};
const ipv6 = { ...ipv4, source: "2001:db8::1", destination: "2001:db8::2" };
const signature = "0d0a0d0a000d0a515549540a";

test.each([
  [1, ipv4, Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.2 51000 80\r\n")],
  [1, ipv6, Buffer.from("PROXY TCP6 2001:db8::1 2001:db8::2 51000 80\r\n")],
  [2, ipv4, Buffer.from(`${signature}2111000cc0000201c6336402c7380050`, "hex")],
  [
    2,
    ipv6,
    Buffer.from(
      `${signature}2121002420010db800000000000000000000000120010db8000000000000000000000002c7380050`,
      "hex",
    ),
  ],
] as const)("version %i from %o", (version, ends, expected) => {
  expect(writeProxyHeader(version, ends).toString("latin1")).toBe(expected.toString("latin1"));
});

test.each([ipv4, ipv6])("what is written is read, by what reads it in front of DNS", (ends) => {
  const header = writeProxyHeader(2, ends);
  expect(readProxyHeader(header)).toEqual({ kind: "header", end: header.length, client: ends.source });
});
