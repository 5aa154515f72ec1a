import { expect, it } from "vitest";
import { formatType, parseType } from "../../src/model/mnemonics.ts";
import { formatServer, parseServer } from "../../src/ask/server.ts";

it.each([
  ["127.0.0.1:5300", "udp://127.0.0.1:5300"],
  ["127.0.0.1", "udp://127.0.0.1:53"],
  ["::1", "udp://[::1]:53"],
  ["[::1]", "udp://[::1]:53"],
  ["[::1]:5300", "udp://[::1]:5300"],
  ["localhost:5300", "udp://127.0.0.1:5300"],
  ["udp://10.0.0.2", "udp://10.0.0.2:53"],
  ["TCP://10.0.0.2:5300/", "tcp://10.0.0.2:5300"],
  ["tcp://[fd00:0::2]:5300", "tcp://[fd00::2]:5300"],
  ["https://dns.example/dns-query", "https://dns.example/dns-query"],
  ["http://127.0.0.1:8053/dns-query", "http://127.0.0.1:8053/dns-query"],
  ["http://[::1]:8053/", "http://[::1]:8053/"],
  ["http://localhost:8053/", "http://localhost:8053/"],
])("%s means %s", (text, meant) => {
  expect(formatServer(parseServer(text))).toBe(meant);
});

it.each([
  ["", '"" is not a server: "" is not an IPv4 or IPv6 address; write'],
  ["web:53", '"web:53" is not a server: "web" is not an IPv4 or IPv6 address; write 127.0.0.1:5300, tcp://'],
  ["127.0.0.1:0", "ports go from 1 to 65535"],
  ["127.0.0.1:65536", "ports go from 1 to 65535"],
  ["tls://127.0.0.1", "it cannot be asked over tls"],
  ["https://", "it is not a URL"],
  ["http://10.0.0.1/dns-query", "plain http is for loopback addresses only"],
  ["http://127.0.0.1.example/", "plain http is for loopback addresses only"],
])("%s is refused", (text, message) => {
  expect(() => parseServer(text)).toThrow(expect.objectContaining({ code: "ERR_ROTA_ADDRESS" }));
  expect(() => parseServer(text)).toThrow(message);
});

it.each([
  ["A", 1, "A"],
  ["aaaa", 28, "AAAA"],
  ["type33", 33, "SRV"],
  ["TYPE65280", 65_280, "TYPE65280"],
  ["TYPE0", 0, "TYPE0"],
])("the type %s is %i, written %s", (text, type, name) => {
  expect(parseType(text)).toBe(type);
  expect(formatType(type)).toBe(name);
});

it.each(["", "B", "TYPE", "TYPE65536", "TYPE-1", "1"])('the type "%s" is refused', (text) => {
  expect(() => parseType(text)).toThrow(`"${text}" is not a record type: write A, AAAA, SRV`);
});
