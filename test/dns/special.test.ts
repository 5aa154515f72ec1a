import { describe, expect, test } from "vitest";
import { readReply } from "../../src/ask/reply.ts";
import { silentLog } from "../../src/base/log.ts";
import { createTally } from "../../src/dns/counters.ts";
import type { Forwarder } from "../../src/dns/forward/forwarder.ts";
import { createRespond } from "../../src/dns/respond.ts";
import { createViewers } from "../../src/dns/viewers.ts";
import { answer } from "../../src/dns/answer.ts";
import { createRotation } from "../../src/dns/rotation.ts";
import { parseType } from "../../src/model/mnemonics.ts";
import { formatName, parseName, prefixOf } from "../../src/model/name.ts";
import { query } from "../wire/query.ts";
import { type Served, served } from "./served.ts";

interface Asked {
  /** The reply to `"localhost A"`, a line a record. */
  ask(question: string, class_?: number): string[];
  /** The names that somebody else was asked for. */
  readonly forwarded: string[];
}

/** A server that would ask others for everything, and those of `routed` by a zone of their own. */
function forwarding(served: Served, routed: readonly string[] = []): Asked {
  const forwarded: string[] = [];
  const isRouted: Forwarder["isRouted"] = (name) =>
    routed.some((zone) => prefixOf(name, parseName(zone)) !== undefined);
  const { registry } = served;
  const authority = { registry, rotation: createRotation(), nameServers: () => [], isRouted };
  const respond = createRespond({
    answer: (question, view) => answer(question, authority, view),
    outside: "refused",
    forwarder: {
      forward({ question }) {
        forwarded.push(formatName(question.name));
        return { kind: "nobody" };
      },
      isRouted,
      upstreamsOf: () => [],
      route: () => {},
      look: () => {},
    },
    viewers: createViewers({ registry: served.registry, trusted: [], scope: "all" }),
    idleMs: 10_000,
    counters: createTally(),
    log: silentLog,
  });
  return {
    forwarded,
    ask(question, class_ = 1) {
      const [name = "", type = "A"] = question.split(" ");
      const reply = respond(query({ name, type: parseType(type), class: class_ }), "udp", "127.0.0.1");
      if (reply === undefined || reply instanceof Promise) throw new Error("no reply at once");
      const { rcode, flags, answers, authority } = readReply(Buffer.from(reply));
      return [
        [rcode.name, ...flags.filter((flag) => flag !== "qr")].join(" "),
        ...answers.map(({ ttl, type, data }) => `${ttl} ${type} ${data}`),
        ...authority.map(({ name, type }) => `${type} of ${name}`),
      ];
    },
  };
}

const nothing = served({ services: {} });

describe("answered here, whatever upstreams there are:", () => {
  test.each([
    ["localhost A", ["NOERROR aa rd ra", "5 A 127.0.0.1"]],
    ["LocalHost AAAA", ["NOERROR aa rd ra", "5 AAAA ::1"]],
    ["a.b.localhost A", ["NOERROR aa rd ra", "5 A 127.0.0.1"]],
    ["localhost ANY", ["NOERROR aa rd ra", "5 A 127.0.0.1", "5 AAAA ::1"]],
    ["localhost MX", ["NOERROR aa rd ra", "SOA of localhost."]],
    ["invalid A", ["NXDOMAIN aa rd ra", "SOA of invalid."]],
    ["www.invalid A", ["NXDOMAIN aa rd ra", "SOA of invalid."]],
    ["printer.local A", ["NXDOMAIN aa rd ra", "SOA of local."]],
    ["_ipp._tcp.local PTR", ["NXDOMAIN aa rd ra", "SOA of local."]],
    ["expyuzz4wqqyqhjn.onion A", ["NXDOMAIN aa rd ra", "SOA of onion."]],
    ["www.alt A", ["NXDOMAIN aa rd ra", "SOA of alt."]],
    ["1.0.0.127.in-addr.arpa PTR", ["NOERROR aa rd ra", "5 PTR localhost."]],
    ["2.0.0.127.in-addr.arpa PTR", ["NXDOMAIN aa rd ra", "SOA of 127.in-addr.arpa."]],
    ["0.0.127.in-addr.arpa PTR", ["NOERROR aa rd ra", "SOA of 127.in-addr.arpa."]],
    ["1.0.0.127.in-addr.arpa A", ["NOERROR aa rd ra", "SOA of 127.in-addr.arpa."]],
    ["254.169.254.169.in-addr.arpa PTR", ["NXDOMAIN aa rd ra", "SOA of 254.169.in-addr.arpa."]],
    ["1.0.0.0.in-addr.arpa PTR", ["NXDOMAIN aa rd ra", "SOA of 0.in-addr.arpa."]],
    ["255.255.255.255.in-addr.arpa PTR", ["NXDOMAIN aa rd ra", "SOA of 255.255.255.255.in-addr.arpa."]],
    [`1.${"0.".repeat(31)}ip6.arpa PTR`, ["NOERROR aa rd ra", "5 PTR localhost."]],
    [`1.${"0.".repeat(28)}8.e.f.ip6.arpa PTR`, ["NXDOMAIN aa rd ra", "SOA of 8.e.f.ip6.arpa."]],
    ["nosuch A", ["NXDOMAIN aa rd ra", "SOA of ."]],
  ])("%s", (question, expected) => {
    const { ask, forwarded } = forwarding(nothing);
    expect(ask(question)).toEqual(expected);
    expect(forwarded).toEqual([]);
  });

  test("a service's own names, also those in a namespace called local", () => {
    const { ask, forwarded } = forwarding(
      served({ services: { printer: { namespace: "local", endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] } } }),
    );
    expect(ask("printer.local A")).toEqual(["NOERROR aa rd ra", "5 A 10.0.0.1"]);
    expect(ask("scanner.local A")[0]).toBe("NXDOMAIN aa rd ra");
    expect(forwarded).toEqual([]);
  });

  test("localhost, also where a service is called so", () => {
    const { ask } = forwarding(
      served({ services: { localhost: { endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] } } }),
    );
    expect(ask("localhost A")).toEqual(["NOERROR aa rd ra", "5 A 127.0.0.1"]);
    expect(ask("localhost.rota.internal A")).toEqual(["NOERROR aa rd ra", "5 A 10.0.0.1"]);
  });

  test("the reverse names of our own subnets", () => {
    const lan = { networks: { lan: { subnets: ["10.0.1.0/24"] } }, services: {} };
    const { ask, forwarded } = forwarding(served(lan));
    expect(ask("9.1.0.10.in-addr.arpa PTR")).toEqual(["NXDOMAIN aa rd ra", "SOA of 1.0.10.in-addr.arpa."]);
    expect(forwarded).toEqual([]);
    expect(ask("9.2.0.10.in-addr.arpa PTR")).toEqual(["SERVFAIL rd ra"]);
    expect(forwarded).toEqual(["9.2.0.10.in-addr.arpa."]);
  });
});

describe("asked of others:", () => {
  test.each([
    "www.example A",
    "www.xlocal A",
    ". NS",
    "_dmarc.example TXT",
    "www.example TYPE65280",
    "1.0.0.10.in-addr.arpa PTR",
    "1.0.0.10.in-addr.arpa A",
    "128.in-addr.arpa SOA",
  ])("%s", (question) => {
    const { ask, forwarded } = forwarding(nothing);
    expect(ask(question)).toEqual(["SERVFAIL rd ra"]);
    expect(forwarded).toHaveLength(1);
  });

  test.each(["cluster.local A", "corp A", "1.0.0.127.in-addr.arpa PTR"])(
    "%s, where upstreams were named for its zone",
    (question) => {
      const { ask, forwarded } = forwarding(nothing, ["local", "corp", "127.in-addr.arpa"]);
      expect(ask(question)).toEqual(["SERVFAIL rd ra"]);
      expect(forwarded).toHaveLength(1);
    },
  );

  test("not localhost, though upstreams were named for it", () => {
    const { ask, forwarded } = forwarding(nothing, ["localhost"]);
    expect(ask("localhost A")).toEqual(["NOERROR aa rd ra", "5 A 127.0.0.1"]);
    expect(forwarded).toEqual([]);
  });

  test("not what is of class ANY or another, nor a transfer", () => {
    const { ask, forwarded } = forwarding(nothing);
    expect(ask("www.example A", 255)).toEqual(["REFUSED rd ra"]);
    expect(ask("www.example A", 3)).toEqual(["REFUSED rd ra"]);
    expect(ask("www.example TYPE252")).toEqual(["FORMERR rd ra"]);
    expect(forwarded).toEqual([]);
  });
});
