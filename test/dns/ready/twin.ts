import * as fc from "fast-check";
import type { ServicesFile } from "../../../src/schema/input.ts";
import { type Asked, query } from "../../wire/query.ts";
import type { Served } from "../served.ts";

const tasks = (count: number, at = 0): string[] =>
  Array.from({ length: count }, (_, index) => `192.0.2.${at + index + 1}`);
const http = [{ name: "http", target: 80 }];

/** Services of all shapes that an answer may have. Those whose order is not `rotate` have so few tasks that all orders come. */
export const SHAPES: ServicesFile = {
  networks: {
    front: { subnets: ["127.0.0.8/29", "10.8.0.0/24"], vips: "10.8.0.128/25" },
    back: { subnets: ["127.0.0.16/29", "10.9.0.0/24", "fd00:9::/64"], vips: "10.9.0.128/25" },
  },
  services: {
    web: {
      aliases: ["www", "a.b"],
      ports: http,
      labels: { team: "shop", words: "x".repeat(200) },
      tasks: [
        { id: "t", slot: 1, address: ["192.0.2.1", "2001:db8::1"] },
        { id: "u", address: "192.0.2.2" },
      ],
    },
    both: {
      ports: http,
      networks: ["front", "back"],
      tasks: [{ id: "one", address: { front: "10.8.0.5", back: "10.9.0.5" } }],
    },
    hidden: { networks: ["back"], endpoint_mode: "dnsrr", tasks: [{ id: "h", address: "10.9.0.7" }] },
    four: { endpoint_mode: "dnsrr", ports: http, tasks: tasks(4) },
    many: { endpoint_mode: "dnsrr", ports: http, ttl: 30, tasks: tasks(25) },
    crowd: { endpoint_mode: "dnsrr", ports: http, tasks: tasks(60, 100) },
    few: { endpoint_mode: "dnsrr", ports: http, max_answers: 2, tasks: tasks(5) },
    six: {
      endpoint_mode: "dnsrr",
      ports: http,
      tasks: [{ id: "a", address: ["2001:db8::1", "192.0.2.1"] }, "2001:db8::2"],
    },
    pairs: {
      endpoint_mode: "dnsrr",
      max_answers: 3,
      tasks: [
        { id: "a", address: ["192.0.2.1", "192.0.2.2"] },
        { id: "b", address: ["192.0.2.3", "192.0.2.4"] },
      ],
    },
    dice: { endpoint_mode: "dnsrr", order: "random", ports: http, tasks: tasks(3) },
    scales: {
      endpoint_mode: "dnsrr",
      order: "weighted",
      ports: http,
      tasks: [
        { id: "a", address: "192.0.2.1", weight: 3 },
        { id: "b", address: "192.0.2.2", weight: 1 },
        { id: "c", address: "192.0.2.3", weight: 0 },
      ],
    },
    mail: { namespace: "shop", endpoint_mode: "dnsrr", ports: http, tasks: tasks(2) },
    none: { endpoint_mode: "dnsrr", when_empty: "servfail" },
    empty: { endpoint_mode: "dnsrr" },
  },
};

/** On no network, on each of them, and on what is a task's. */
export const CLIENTS = ["127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.9", "127.0.0.17", "::1"] as const;

const SERVICES = Object.keys(SHAPES.services ?? {});
const FRONTS = [
  "",
  "",
  "",
  "tasks",
  "_http._tcp",
  "_http._tcp",
  "_http._tcp.tasks",
  "1",
  "t",
  "a",
  "_tcp",
  "nosuch",
  "hostmaster",
  "ns",
];
const ENDS = [
  "",
  "rota.internal",
  "rota.internal",
  "rota.internal",
  "shop.rota.internal",
  "front.rota.internal",
  "back",
];
const TYPES = [1, 1, 1, 28, 28, 33, 33, 33, 255, 16, 12, 6, 2, 15, 65, 5, 47, 999, 130, 251, 252, 41];

const named = fc
  .tuple(fc.constantFrom(...FRONTS), fc.constantFrom(...SERVICES, "www", "a.b"), fc.constantFrom(...ENDS))
  .map((parts) => parts.filter((part) => part !== "").join("."));
const unnamed = fc
  .tuple(
    fc.array(fc.stringMatching(/^[a-z0-9-]{1,20}$/), { minLength: 1, maxLength: 3 }),
    fc.constantFrom(...ENDS),
  )
  .map(([labels, end]) => [...labels, end].filter((part) => part !== "").join("."));
const known = fc.constantFrom(
  "rota.internal",
  "ns.rota.internal",
  "hostmaster.rota.internal",
  "localhost",
  "1.2.0.192.in-addr.arpa",
  "internal",
);
const anyCase = (text: string): fc.Arbitrary<string> =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((ups) => Array.from(text, (letter, at) => (ups[at] ? letter.toUpperCase() : letter)).join(""));

/** Questions of all types, cases, EDNS shapes and sizes, for names that exist and others. */
export const asked: fc.Arbitrary<Asked> = fc.record({
  name: fc
    .oneof(
      { weight: 9, arbitrary: named },
      { weight: 2, arbitrary: unnamed },
      { weight: 1, arbitrary: known },
    )
    .chain((name) =>
      fc.oneof({ weight: 2, arbitrary: fc.constant(name) }, { weight: 1, arbitrary: anyCase(name) }),
    ),
  type: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(...TYPES) },
    { weight: 1, arbitrary: fc.nat(65_535) },
  ),
  class: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.constantFrom(3, 255)),
  id: fc.nat(65_535),
  flags: fc.constantFrom(0, 0x0100, 0x0110, 0x0130, 0x0010),
  opt: fc.option(
    fc.record({
      udpSize: fc.oneof(fc.constantFrom(0, 512, 1232, 4096), fc.integer({ min: 400, max: 1400 })),
      dnssecOk: fc.boolean(),
      version: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, fc.constant(1)),
      options: fc.constantFrom(
        [],
        [],
        [[10, Buffer.alloc(8, 7)]] as const,
        [[11, Buffer.alloc(0)]] as const,
        [[8, Buffer.from("000118000a0001", "hex")]] as const,
      ),
    }),
    { nil: undefined },
  ),
});

/** How often something is asked until each of its orders was seen: 60 tasks take turns, and 3 in 6 orders come by chance. */
const ASKED_UNTIL_ALL = 130;

/** All replies that the plain path gives to a query, in hexadecimal. */
export function repliesOf(server: Served, wanted: Asked, client: string): ReadonlySet<string> {
  return repliesTo(server, query(wanted), client);
}

export function repliesTo(server: Served, octets: Uint8Array, client: string): ReadonlySet<string> {
  const replies = new Set<string>();
  for (let times = 0; times < ASKED_UNTIL_ALL; times++) {
    replies.add(hex(server.respond(octets, "udp", client)));
    if (times === 11 && replies.size === 1) break; // nothing takes turns here
  }
  return replies;
}

export function hex(octets: Uint8Array | undefined): string {
  return Buffer.from(octets ?? []).toString("hex");
}
