import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { AvailabilityRule } from "../../../src/model/availability.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { parsePrefix, type Prefix } from "../../../src/model/name.ts";
import { ownName } from "../../../src/registry/names.ts";
import type { ServicesFile } from "../../../src/schema/input.ts";
import { query } from "../../wire/query.ts";
import { roster, served } from "../served.ts";
import { bookOn } from "./book-on.ts";
import { hex, repliesOf } from "./twin.ts";

type Services = NonNullable<ServicesFile["services"]>;
type Service = NonNullable<Services[string]>;

const NETWORKS = {
  front: { subnets: ["10.1.0.0/24"], vips: "10.1.0.128/25" },
  back: { subnets: ["10.2.0.0/24"], vips: "10.2.0.128/25" },
};
/** On no network; on front; on back; where a task may be. */
const CLIENTS = ["192.0.2.99", "10.1.0.99", "10.2.0.99", "10.1.0.1", "192.0.2.1"];
const NAMES = [
  "web",
  "t.web",
  "tasks.web",
  "_http._tcp.web",
  "web.shop",
  "web.front",
  "t",
  "www",
  "x.y",
  "y",
  "shop",
];
const QUESTIONS = [
  ...NAMES.map((name) => ({ name: `${name}.rota.internal`, type: 1 })),
  ...NAMES.map((name) => ({ name: `${name}.rota.internal`, type: 28 })),
  ...NAMES.map((name) => ({ name, type: 1 })),
  { name: "_http._tcp.web.rota.internal", type: 33 },
  { name: "_http._tcp.tasks.web.rota.internal", type: 33 },
  ...["1.0.1.10", "129.0.1.10", "1.0.2.10", "1.2.0.192"].map((name) => ({
    name: `${name}.in-addr.arpa`,
    type: 12,
  })),
];

const task = fc.record({
  id: fc.constantFrom("t", "u", "web"),
  host: fc.integer({ min: 1, max: 3 }),
});
const service = fc
  .record({
    mode: fc.constantFrom("vip" as const, "dnsrr" as const),
    where: fc.constantFrom("none", "front", "back", "both"),
    namespace: fc.constantFrom(undefined, "shop", "web"),
    alias: fc.constantFrom(undefined, "www", "x.y", "t.web", "web"),
    tasks: fc.uniqueArray(task, { maxLength: 2, selector: ({ id }) => id }),
    whenEmpty: fc.constantFrom(undefined, "all" as const, "servfail" as const),
    isChecked: fc.boolean(),
  })
  .map(({ mode, where, namespace, alias, tasks, whenEmpty, isChecked }): Service => {
    const networks = where === "both" ? ["front", "back"] : where === "none" ? [] : [where];
    const hosts = new Map(tasks.map(({ id, host }) => [host, id]));
    const addressOf = (host: number) => {
      if (networks.length === 0) return `192.0.2.${host}`;
      return Object.fromEntries(networks.map((name) => [name, `10.${name === "front" ? 1 : 2}.0.${host}`]));
    };
    return {
      endpoint_mode: mode,
      ports: [{ name: "http", target: 80 }],
      tasks: [...hosts].map(([host, id]) => ({ id, address: addressOf(host) })),
      networks: networks.length > 0 ? networks : undefined,
      namespace,
      when_empty: whenEmpty,
      healthcheck: isChecked ? { tcp: 80 } : undefined,
      aliases: alias === undefined ? undefined : [alias],
    };
  });
const name = fc.constantFrom("web", "y", "shop", "t");
const file = fc.dictionary(name, service, { maxKeys: 3 });
const change = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant("declare" as const), name, service }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("withdraw" as const), at: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      services: file,
      isScoped: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("verdict" as const), isPassing: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("rule" as const), isOut: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("reorder" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      ttl: fc.constantFrom("1s", "5s"),
      zone: fc.constantFrom("rota.internal", "internal", "web.rota.internal", "shop"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("client" as const), at: fc.constantFrom(...CLIENTS) }),
  },
);

test("whatever changes, a book answers as the plain path does from the next query on", () => {
  let answered = 0;
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 10 }), (changes) => {
      const server = served({ services: {} });
      const other = server.registry.open("engine");
      const library = server.registry.open("library");
      const declared: Prefix[] = [];
      let last = roster({ services: {} });
      const { teach, ask } = bookOn(server.registry);
      for (const one of changes) {
        switch (one.kind) {
          case "publish":
            last = roster({
              ...(one.isScoped || needsNetworks(one.services) ? { networks: NETWORKS } : {}),
              services: one.services,
            });
            server.source.publish(last);
            break;
          case "declare": {
            const [declaration] = roster({
              networks: NETWORKS,
              services: { [one.name]: one.service },
            }).services;
            if (declaration) declared.push(ownName(library.declare(declaration).declaration));
            break;
          }
          case "withdraw": {
            const own = declared[one.at % declared.length];
            if (own !== undefined) library.withdraw(own);
            break;
          }
          case "verdict": {
            const verdict = one.isPassing ? "passing" : "failing";
            const reports = [...server.registry.services()].map(
              ({ id }) => ({ service: id, task: parsePrefix("t"), verdict }) as const,
            );
            server.registry.report(reports);
            break;
          }
          case "rule": {
            const rule: AvailabilityRule = {
              service: "*",
              task: "u",
              availability: "drain",
              origin: "test",
            };
            server.registry.rule(one.isOut ? [rule] : []);
            break;
          }
          case "reorder":
            last = { ...last, services: last.services.toReversed() };
            server.source.publish(last);
            break;
          case "settle":
            last = {
              ...last,
              ...roster({ ttl: one.ttl, zone: one.zone, services: {} }),
              services: last.services,
              networks: last.networks,
            };
            server.source.publish(last);
            break;
          case "client":
            other.publish({
              ...roster({ services: {} }),
              clients: [
                {
                  address: parseAddress(one.at),
                  networks: ["back"],
                  namespace: parsePrefix("shop"),
                },
              ],
            });
        }
        for (const client of CLIENTS) {
          for (const wanted of QUESTIONS) {
            const octets = query(wanted);
            const expected = repliesOf(server, wanted, client);
            const reply = ask(octets, client);
            if (reply) {
              answered += 1;
              expect(expected, `${wanted.name} ${wanted.type} asked by ${client}`).toContain(hex(reply));
            } else teach(octets, client);
          }
        }
      }
    }),
    { numRuns: 30 },
  );
  expect(answered).toBeGreaterThan(1500);
});

/** Three services at one address, the last two of them on a network of their own. */
const CROWD = roster({
  networks: NETWORKS,
  services: Object.fromEntries(
    ["a", "b", "c"].map((name) => [
      name,
      {
        namespace: `of-${name}`,
        endpoint_mode: "dnsrr" as const,
        networks: [name === "a" ? "front" : "back"],
        tasks: [{ id: "t", address: "10.9.0.1" }],
      },
    ]),
  ),
});

test.each([
  {
    asked: "whose address it is",
    order: [2, 1, 0],
    name: "1.0.9.10.in-addr.arpa",
    type: 12,
    client: "192.0.2.99",
  },
  {
    asked: "whose it is on one network",
    order: [0, 2, 1],
    name: "1.0.9.10.in-addr.arpa",
    type: 12,
    client: "10.2.0.99",
  },
  {
    asked: "what is seen from there",
    order: [1, 0, 2],
    name: "b.rota.internal",
    type: 1,
    client: "10.9.0.1",
  },
])("where services are only declared in another order: $asked", ({ order, name, type, client }) => {
  const server = served({ services: {} });
  server.source.publish(CROWD);
  const { teach, ask } = bookOn(server.registry);
  const wanted = { name, type };
  const before = teach(query(wanted), client).reply ?? new Uint8Array();
  expect(hex(ask(query(wanted), client) ?? before)).toBe(hex(before));
  server.source.publish({ ...CROWD, services: order.flatMap((at) => CROWD.services[at] ?? []) });
  const now = ask(query(wanted), client) ?? teach(query(wanted), client).reply ?? new Uint8Array();
  expect(repliesOf(server, wanted, client)).toContain(hex(now));
  expect(hex(now)).not.toBe(hex(before));
});

test("of more views than are kept, those that are made anew are learnt anew", () => {
  const addressAt = (at: number): string => `10.9.${at >> 8}.${at & 255}`;
  const server = served({ services: { web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] } } });
  const clients = Array.from({ length: 10_001 }, (_, at) => ({
    address: parseAddress(addressAt(at)),
    networks: ["front"],
    namespace: parsePrefix(`n${at}`),
  }));
  server.source.publish({ ...roster({ networks: NETWORKS, services: {} }), clients });
  const { teach, ask } = bookOn(server.registry);
  const [known, later] = [query({ name: "web.rota.internal" }), query({ name: "web" })];
  const [first, last] = [addressAt(0), addressAt(10_000)];
  teach(known, first);
  for (const { address } of clients) server.registry.viewOf(address, 32);
  // Others asked so often that who has the registry does not know the first any more.
  for (let at = 1; at < 5000; at++) teach(known, addressAt(at));
  teach(later, first);
  expect(ask(later, first)).toBeDefined();
  expect(ask(known, last)).toBeUndefined();
});

function needsNetworks(services: Services): boolean {
  return Object.values(services).some(({ networks = [] }) => networks.length > 0);
}
