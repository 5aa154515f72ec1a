import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseAddress } from "../../src/model/address.ts";
import type { Prefix } from "../../src/model/name.ts";
import { namesOf } from "../../src/registry/names.ts";
import { createRegistry, type Registry } from "../../src/registry/registry.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { roster, stillClock } from "../dns/served.ts";

const NETWORKS = {
  front: { subnets: ["10.0.1.0/24"], vips: "10.0.1.128/25" },
  back: { subnets: ["10.0.2.0/24"], vips: "10.0.2.128/25" },
};
const ADDRESSES = ["10.0.1.1", "10.0.1.2", "10.0.2.1", "10.0.2.2"] as const;

const task = fc.record(
  {
    id: fc.constantFrom("a", "b", "www"),
    address: fc.constantFrom(...ADDRESSES),
    slot: fc.constantFrom(1, 2),
    weight: fc.constantFrom(1, 2),
    ports: fc.constantFrom({}, { http: 8081 }, { http: 8082 }),
  },
  { requiredKeys: ["id", "address"] },
);
const service: fc.Arbitrary<ServiceDeclaration> = fc.record({
  networks: fc.constantFrom(["front"], ["front", "back"], ["back", "front"]),
  endpoint_mode: fc.constantFrom("vip", "dnsrr"),
  aliases: fc.constantFrom([], ["www"], ["www", "b"]),
  ports: fc.constantFrom(
    [{ name: "http", target: 80 }],
    [
      { name: "http", target: 80 },
      { name: "dns", target: 53, protocol: "udp" as const },
    ],
  ),
  tasks: fc.uniqueArray(task, { selector: ({ id }) => id, maxLength: 3 }),
});
const step = fc.record({ name: fc.constantFrom("web", "api"), service });

test("a service that was declared anew, however often, is found as one that was declared so at once", () => {
  let compared = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const changed = open();
      const last = new Map<string, ServiceDeclaration>();
      for (const { name, service } of steps) {
        if (declare(changed, name, service)) last.set(name, service);
      }
      const fresh = open();
      for (const [name, service] of last) declare(fresh, name, service);
      const all = new Set<Prefix>(steps.flatMap(({ name, service }) => namesMade(name, service)));
      for (const name of all) {
        expect(found(changed.registry, name)).toEqual(found(fresh.registry, name));
        compared += 1;
      }
      for (const address of ADDRESSES.map(parseAddress)) {
        const one = changed.registry.findAddress(address);
        const other = fresh.registry.findAddress(address);
        expect([one?.service.id, one?.task]).toEqual([other?.service.id, other?.task]);
        if (one?.task) expect(one.service.declaration.tasks).toContain(one.task);
      }
    }),
    { numRuns: 300 },
  );
  expect(compared).toBeGreaterThan(1000);
});

function open() {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  registry.open("file").publish(roster({ networks: NETWORKS, services: {} }));
  return { registry, source: registry.open("library") };
}

/** Whether it could be: two tasks may have come to one slot or address. */
function declare({ source }: ReturnType<typeof open>, name: string, said: ServiceDeclaration): boolean {
  const declarations = made(name, said);
  for (const declaration of declarations) source.declare(declaration);
  return declarations.length > 0;
}

function made(name: string, said: ServiceDeclaration) {
  try {
    return roster({ networks: NETWORKS, services: { [name]: said } }).services;
  } catch {
    return [];
  }
}

function namesMade(name: string, said: ServiceDeclaration): readonly Prefix[] {
  return made(name, said).flatMap((declaration) => Array.from(namesOf(declaration).keys()));
}

/** What a name leads to, in the words of its declaration; a task as one of its service's. */
function found(registry: Registry, name: Prefix): unknown {
  const held = registry.find(name);
  if (!held || held === "below") return held;
  const { meaning, service } = held;
  if (meaning.kind === "task") expect(service.declaration.tasks).toContain(meaning.task);
  return { service: service.id, meaning, says: { ...service.declaration, origin: "" } };
}
