import { describe, expect, test } from "vitest";
import { parseComposePorts, parseExposed } from "../../src/schema/compose-ports.ts";

/** `8080>80/tcp`, a line each. */
function say(text: string, parse = parseComposePorts): string {
  const { ports, leftOut } = parse(text);
  const told = ports.map(({ published, target, protocol }) => `${published ?? ""}>${target}/${protocol}`);
  return leftOut > 0 ? `${leftOut} left out` : told.join(" ");
}

describe("ports in Compose's short form", () => {
  test.each([
    ["80", ">80/tcp"],
    ["8080:80", "8080>80/tcp"],
    ["53:53/udp", "53>53/udp"],
    ["80/TCP", ">80/tcp"],
    ["132/sctp", ">132/sctp"],
    ["127.0.0.1:8080:80", "8080>80/tcp"],
    ["127.0.0.1::80", ">80/tcp"],
    ["::1:6000:6001", "6000>6001/tcp"],
    ["[::1]:6000:6001/udp", "6000>6001/udp"],
    ["[fd00::1:2]:80:80", "80>80/tcp"],
    [":80", ">80/tcp"],
    ["3000-3002", ">3000/tcp >3001/tcp >3002/tcp"],
    ["4000-4001:3000-3001/udp", "4000>3000/udp 4001>3001/udp"],
    ["127.0.0.1:5000-5001:5000-5001", "5000>5000/tcp 5001>5001/tcp"],
    ["8000-9000:80", ">80/tcp"],
    ["65535", ">65535/tcp"],
    ["1-101", "101 left out"],
    ["49152-65535:49152-65535/udp", "16384 left out"],
  ])("%s are %s", (text, expected) => {
    expect(say(text)).toBe(expected);
  });

  test("are as many as a range may have, and no more", () => {
    expect(parseComposePorts("1-100")).toMatchObject({ ports: { length: 100 }, leftOut: 0 });
    expect(parseComposePorts("1-101")).toEqual({ ports: [], leftOut: 101 });
  });

  test.each([
    "",
    "http",
    "0",
    "65536",
    "80:0",
    "80/icmp",
    "80/tcp/udp",
    "3002-3000",
    "1-2-3",
    "x:80:80",
    "10.0.0:80:80",
    "80:x",
    "-80",
  ])("are not %j", (text) => {
    expect(() => parseComposePorts(text)).toThrow(
      expect.objectContaining({
        code: "ERR_ROTA_DECLARATION",
        message: expect.stringMatching(/is not a port: write 8080/),
      }),
    );
  });

  test("are as many as they are published by", () => {
    expect(() => parseComposePorts("80-82:80-81")).toThrow("publishes 3 ports for 2: write as many of both");
  });
});

test.each([
  ["3000", ">3000/tcp"],
  ["3000/udp", ">3000/udp"],
  ["3000-3001", ">3000/tcp >3001/tcp"],
])("%s exposes %s", (text, expected) => {
  expect(say(text, parseExposed)).toBe(expected);
});
