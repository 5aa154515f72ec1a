import { expect, test } from "vitest";
import type { Declaration } from "../../src/model/declaration.ts";
import { formatPrefix, parsePrefix } from "../../src/model/name.ts";
import { createRegistry, type Registry, type Source } from "../../src/registry/registry.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { roster, stillClock } from "../dns/served.ts";

const SERVICES = 500;
const WEB = "file:web";
const TASK = parsePrefix("a");
const NETWORKS = { default: { subnets: ["10.0.0.0/8"], vips: "10.1.0.0/16" } };

const web = (address: string, more: ServiceDeclaration = {}): ServiceDeclaration => ({
  ports: [{ target: 8080, published: 8000 }],
  tasks: [{ id: "a", address }],
  ...more,
});

function declared(services: { readonly [name: string]: ServiceDeclaration }): readonly Declaration[] {
  return roster({ networks: NETWORKS, services }).services;
}

function declare(source: Source, name: string, service: ServiceDeclaration): void {
  for (const declaration of declared({ [name]: service })) source.declare(declaration);
}

/** As many as there are, each with a VIP, a port that is published, and a task. */
function crowd(): readonly Declaration[] {
  return declared(
    Object.fromEntries(
      Array.from({ length: SERVICES }, (_, at) => [
        `other-${at}`,
        { ports: [{ target: 80, published: "auto" }], tasks: [`10.0.${at >> 8}.${at & 255}`] },
      ]),
    ),
  );
}

/** The declaration, which counts how often anything of it is read. */
function watch(declaration: Declaration, looks: { count: number }): Declaration {
  return new Proxy(declaration, {
    get(of, key, self): unknown {
      looks.count += 1;
      return Reflect.get(of, key, self);
    },
  });
}

const CHANGES: readonly [name: string, change: (source: Source, registry: Registry) => void][] = [
  ["a service is declared anew", (source) => declare(source, "web", web("10.9.0.2"))],
  ["a new one is declared", (source) => declare(source, "api", { tasks: ["10.9.0.3"] })],
  ["one leaves its VIP", (source) => declare(source, "web", web("10.9.0.1", { endpoint_mode: "dnsrr" }))],
  ["one publishes its port no more", (source) => declare(source, "web", web("10.9.0.1", { ports: [8080] }))],
  ["one is withdrawn", (source) => void source.withdraw(parsePrefix("web"))],
  ["a task fails", (_, { report }) => report([{ service: WEB, task: TASK, verdict: "failing" }])],
  [
    "a task is drained at last",
    (_, { say, noteDrained }) => {
      say([{ service: WEB, task: TASK, availability: "drain", origin: "library" }]);
      noteDrained(WEB, [TASK]);
    },
  ],
];

test.each(CHANGES)("where %s, no other of hundreds of services is looked at", (_, change) => {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const looks = { count: 0 };
  const empty = roster({ networks: NETWORKS, services: {} });
  registry.open("engine").publish({ ...empty, services: crowd().map((one) => watch(one, looks)) });
  const source = registry.open("file");
  source.publish({ ...empty, services: declared({ web: web("10.9.0.1") }) });
  expect([...registry.services()]).toHaveLength(SERVICES + 1);
  const { serial } = registry;

  looks.count = 0;
  change(source, registry);
  expect(registry.serial, "something changed").toBeGreaterThan(serial);
  expect(looks.count).toBe(0);

  for (const { declaration } of registry.services()) expect(declaration.name).toBeDefined();
  expect(looks.count, "a look is seen").toBeGreaterThan(0);
});
test("who declares anew what others hold the name of is told of it again", () => {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const told: string[][] = [];
  registry.follow(({ conflicts }) => {
    told.push(conflicts.map(({ name, holder }) => `${formatPrefix(name)} is ${holder.id}`));
  }, new AbortController().signal);
  const [first, second] = [registry.open("file"), registry.open("library")];
  declare(first, "web", { endpoint_mode: "dnsrr", tasks: ["10.9.0.1"] });
  declare(second, "web", { endpoint_mode: "dnsrr", tasks: ["10.9.0.2"] });
  declare(second, "web", { endpoint_mode: "dnsrr", tasks: ["10.9.0.3"] });
  expect(told).toEqual([
    [],
    ["web is file:web", "tasks.web is file:web"],
    ["web is file:web", "tasks.web is file:web"],
  ]);
});
