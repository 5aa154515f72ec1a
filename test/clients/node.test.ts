import { type AnyRecord, promises, type SrvRecord } from "node:dns";
import { expect, test } from "vitest";
import { startServe } from "./serve.ts";
import { CROWD, SERVICES, VIP } from "./services.ts";
import { shared } from "./shared.ts";

// Node's own resolver is c-ares. One try, and longer than a test may take: who has to wait fails.

const serve = shared(async () => startServe(SERVICES));

async function resolver(): Promise<promises.Resolver> {
  const { address, port } = await serve();
  const resolver = new promises.Resolver({ timeout: 60_000, tries: 1 });
  resolver.setServers([`${address}:${port}`]);
  return resolver;
}

const srv = (name: string, port: number, weight: number): SrvRecord => ({ name, port, priority: 0, weight });

const TABLE: readonly {
  call: string;
  resolve: (dns: promises.Resolver) => Promise<readonly unknown[]>;
  gets: readonly unknown[];
}[] = [
  { call: "resolve4 web", resolve: (dns) => dns.resolve4("web.rota.internal"), gets: [VIP] },
  {
    call: "resolve4 with TTLs",
    resolve: (dns) => dns.resolve4("web.rota.internal", { ttl: true }),
    gets: [{ address: VIP, ttl: 5 }],
  },
  { call: "resolve4 in mixed case", resolve: (dns) => dns.resolve4("wEb.rOTA.internal"), gets: [VIP] },
  {
    call: "resolve4 of a dnsrr service",
    resolve: async (dns) => (await dns.resolve4("api.rota.internal")).toSorted(),
    gets: ["127.0.2.1", "127.0.2.2", "127.0.2.3"],
  },
  { call: "resolve6", resolve: (dns) => dns.resolve6("dual.rota.internal"), gets: ["::1"] },
  {
    call: "resolve4 of more than a datagram holds",
    resolve: async (dns) => [new Set(await dns.resolve4("crowd.rota.internal")).size],
    gets: [CROWD],
  },
  {
    call: "resolveSrv of a VIP's port",
    resolve: (dns) => dns.resolveSrv("_http._tcp.web.rota.internal"),
    gets: [srv("web.rota.internal", 80, 0)],
  },
  {
    call: "resolveSrv of a dnsrr service's port",
    resolve: async (dns) =>
      (await dns.resolveSrv("_grpc._tcp.api.rota.internal")).toSorted((one, other) =>
        one.name.localeCompare(other.name),
      ),
    gets: [
      srv("a.api.rota.internal", 9000, 2),
      srv("b.api.rota.internal", 9000, 1),
      srv("c.api.rota.internal", 9009, 1),
    ],
  },
  {
    call: "resolvePtr",
    resolve: (dns) => dns.resolvePtr("1.1.0.127.in-addr.arpa"),
    gets: ["blue.web.rota.internal"],
  },
  { call: "reverse of a VIP", resolve: (dns) => dns.reverse(VIP), gets: ["web.rota.internal"] },
  { call: "reverse of IPv6", resolve: (dns) => dns.reverse("::1"), gets: ["d.dual.rota.internal"] },
  {
    call: "resolveTxt",
    resolve: (dns) => dns.resolveTxt("web.rota.internal"),
    gets: [["team=shop", "tier=1"]],
  },
  {
    call: "resolveAny",
    resolve: async (dns): Promise<readonly AnyRecord[]> => dns.resolveAny("web.rota.internal"),
    gets: [{ type: "A", address: VIP, ttl: 5 }],
  },
  {
    call: "resolveNs",
    resolve: (dns) => dns.resolveNs("rota.internal"),
    gets: ["ns.rota.internal"],
  },
  {
    call: "resolveSoa",
    resolve: async (dns) => {
      const { nsname, hostmaster, minttl } = await dns.resolveSoa("rota.internal");
      return [nsname, hostmaster, minttl];
    },
    gets: ["ns.rota.internal", "hostmaster.rota.internal", 5],
  },
];

for (const { call, resolve, gets } of TABLE) {
  test(`Node: ${call}`, async () => {
    // At least this: from Node 24 on, a SRV record says its type, too.
    expect(await resolve(await resolver())).toMatchObject(gets);
  });
}

const FAILURES: readonly {
  call: string;
  resolve: (dns: promises.Resolver) => Promise<unknown>;
  code: string;
}[] = [
  {
    call: "a name that does not exist",
    resolve: (dns) => dns.resolve4("nosuch.rota.internal"),
    code: "ENOTFOUND",
  },
  {
    call: "IPv6 of an IPv4-only service",
    resolve: (dns) => dns.resolve6("web.rota.internal"),
    code: "ENODATA",
  },
  { call: "a service without tasks", resolve: (dns) => dns.resolve4("idle.rota.internal"), code: "ENODATA" },
  {
    call: "a service that fails when empty",
    resolve: (dns) => dns.resolve4("sick.rota.internal"),
    code: "ESERVFAIL",
  },
  { call: "an address that nobody has", resolve: (dns) => dns.reverse("127.0.1.99"), code: "ENOTFOUND" },
  { call: "a name outside the zone", resolve: (dns) => dns.resolve4("example.com"), code: "EREFUSED" },
];

for (const { call, resolve, code } of FAILURES) {
  test(`Node: ${call} is ${code}`, async () => {
    await expect(resolve(await resolver())).rejects.toMatchObject({ code });
  });
}
