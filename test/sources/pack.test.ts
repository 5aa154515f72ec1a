import { expect, test } from "vitest";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { parseService } from "../../src/schema/schema.ts";
import { pack, unpack } from "../../src/sources/pack.ts";

const services: readonly ServiceDeclaration[] = [
  {},
  { max_answers: 2, ttl: 7, publish_not_ready: true },
  { ports: [80], tasks: ["10.0.0.1:81", { address: "10.0.0.2", id: "b", slot: 2 }] },
  { healthcheck: { tcp: 22 } },
  { ports: [80], healthcheck: { tcp: { expect: { pattern: "^220 " } }, hold: "10s" } },
  { healthcheck: { https: { port: 443, headers: { a: "1" }, body: "ok" } }, tasks: ["10.0.0.1"] },
  { healthcheck: { exec: "exit 0" } },
  { healthcheck: { heartbeat: 30 } },
];

test.each(services)("%j comes out of another thread as it went in", (service) => {
  const declaration = parseService("web", service, { networks: new Map(), origin: "here", allowExec: true });
  const { text, origin, digest } = pack(declaration, new Set());
  expect(unpack(text ?? "", origin)).toEqual(declaration);
  expect(pack(declaration, new Set([digest])).text).toBeUndefined();
});

test("what is said otherwise has another digest, the check as well", () => {
  const context = { networks: new Map(), origin: "here" };
  const healthchecks: ServiceDeclaration["healthcheck"][] = [undefined, { tcp: 22 }, { tcp: 22, fall: 2 }];
  const digests = healthchecks.map(
    (healthcheck) => pack(parseService("web", { healthcheck }, context), new Set()).digest,
  );
  expect(new Set(digests).size).toBe(3);
});
