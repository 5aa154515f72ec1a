import { describe, expect, test } from "vitest";
import { formatUpstream, parseForward, type Target } from "../../../src/dns/forward/upstream.ts";
import { formatName } from "../../../src/model/name.ts";

/** `corp.example. udp://10.0.0.53:53 /etc/resolv.conf` */
function told(text: string): string {
  const { zone, targets } = parseForward(text);
  const tell = (target: Target): string =>
    target.kind === "file" ? target.path : formatUpstream(target.upstream);
  return [formatName(zone), ...targets.map(tell)].join(" ");
}

describe("what --forward takes", () => {
  test.each([
    ["10.0.0.53", ". udp://10.0.0.53:53"],
    ["10.0.0.53:5353", ". udp://10.0.0.53:5353"],
    ["fd00::53", ". udp://[fd00::53]:53"],
    ["udp://[fd00::53]:5353", ". udp://[fd00::53]:5353"],
    ["TCP://10.0.0.53", ". tcp://10.0.0.53:53"],
    ["tls://10.0.0.53", ". tls://10.0.0.53:853"],
    ["tls://10.0.0.53#DNS.example.", ". tls://10.0.0.53:853#dns.example"],
    ["tls://[fd00::53]:8853#dns.example", ". tls://[fd00::53]:8853#dns.example"],
    ["https://10.0.0.53", ". https://10.0.0.53:443/dns-query"],
    ["https://[fd00::53]:8443/a/b?c#dns.example", ". https://[fd00::53]:8443/a/b?c#dns.example"],
    ["10.0.0.53,tcp://10.0.0.54", ". udp://10.0.0.53:53 tcp://10.0.0.54:53"],
    ["resolv.conf", ". /etc/resolv.conf"],
    ["/run/resolv.conf", ". /run/resolv.conf"],
    ["Corp.Example=10.0.0.53,10.0.0.54", "corp.example. udp://10.0.0.53:53 udp://10.0.0.54:53"],
    ["10.in-addr.arpa.=10.0.0.53", "10.in-addr.arpa. udp://10.0.0.53:53"],
    [".=10.0.0.53", ". udp://10.0.0.53:53"],
  ])("%s", (text, expected) => {
    expect(told(text)).toBe(expected);
  });

  const FORMS =
    "; write 10.0.0.53, tcp:// or, with #dns.example behind, tls:// or https://10.0.0.53, /etc/resolv.conf, or corp.example= and one of these";

  test.each([
    ["", '"" is not an IPv4 or IPv6 address'],
    ["dns.example", '"dns.example" is not an IPv4 or IPv6 address'],
    ["10.0.0.53:0", '"10.0.0.53:0" has port 0: ports go from 1 to 65535'],
    ["10.0.0.53,", '"" is not an IPv4 or IPv6 address'],
    ["10.0.0.53#dns.example", "#dns.example is no name of a tls:// or https:// server"],
    ["tls://10.0.0.53#a b", "#a b is no name of a tls:// or https:// server"],
    ["quic://10.0.0.53", "nobody is asked over quic"],
    ["https://dns.example/dns-query", '"dns.example" is not an IPv4 or IPv6 address'],
    ["https://10.0.0.53/dns query", '"/dns query" is not the path of a URL'],
    ["tls://10.0.0.53/dns-query", 'a path, "/dns-query", is for https:// alone'],
    ["corp..example=10.0.0.53", '"corp..example" is not a name: it has an empty label'],
    ["=10.0.0.53", '"" is not a name: it has an empty label'],
  ])('not "%s"', (text, why) => {
    expect(() => parseForward(text)).toThrow(`could not forward to "${text}": ${why}${FORMS}`);
  });
});
