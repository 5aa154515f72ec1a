import { expect, test } from "vitest";
import { EMPTY_PREFIX, parsePrefix } from "../../src/model/name.ts";
import { parseComposeFile } from "../../src/schema/compose.ts";
import { declareLabelled } from "../../src/schema/service-labels.ts";

test.each<Record<string, string>>([
  { "rota.labels.version": "1.10", "rota.labels.ok": "true", "rota.labels.a.b": "007" },
  { "rota.aliases": "www, , shop" },
  { "rota.aliases": "" },
  { "rota.port.HTTP": "8080", "rota.port.dns": "53/udp", "com.example.rota.ttl": "9" },
  {
    "rota.ttl": "5s",
    "rota.max_answers": "2",
    "rota.panic_threshold": "0.5",
    "rota.publish_not_ready": "true",
  },
  {
    "rota.healthcheck.http.path": "/up",
    "rota.healthcheck.http.port": "80",
    "rota.healthcheck.interval": "5s",
  },
])("%j says in a Compose file what it says on an engine", (labels) => {
  const value = { name: "shop", services: { web: { image: "x", labels } } };
  const parsed = parseComposeFile(value, () => "test", { env: {}, folder: "shop" });
  const { said, problems } = declareLabelled(new Map(Object.entries(labels)), {
    name: parsePrefix("web"),
    namespace: EMPTY_PREFIX,
    endpointMode: "dnsrr",
    ports: [],
    origin: "test",
  });
  expect(problems).toEqual([]);
  const { aliases, check, labels: text, maxAnswers, panicThreshold, ports, publishNotReady, ttl } = said;
  expect(parsed).toMatchObject({
    ok: true,
    roster: {
      services: [{ aliases, check, labels: text, maxAnswers, panicThreshold, ports, publishNotReady, ttl }],
    },
  });
});

test.each([
  [{ "rota.enable": "no" }, 'must be true or false, not "no"'],
  [{ "rota.__proto__.polluted": "1" }, "is not understood: write rota. and words with dots between"],
  [{ [`rota.${"a.".repeat(100_000)}b`]: "1" }, "is over 255 octets long"],
])("what no engine would understand is wrong in a Compose file", (labels, expected) => {
  const value = { name: "shop", services: { web: { image: "x", labels } } };
  const parsed = parseComposeFile(value, () => "test", { env: {}, folder: "shop" });
  expect(parsed).toMatchObject({ ok: false, problems: [{ message: expected }] });
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});
