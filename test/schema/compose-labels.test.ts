import { expect, test } from "vitest";
import { labelAt, wordsOfLabels, type WrittenLabel } from "../../src/schema/compose-labels.ts";

function labels(written: Readonly<Record<string, string>>): readonly WrittenLabel[] {
  return Object.entries(written).map(([key, value]) => ({ key, value, step: key }));
}

test.each<[Record<string, string>, object]>([
  [{}, {}],
  [{ "com.example.rota.ttl": "5", rota: "x", rotattl: "x" }, {}],
  [
    { "rota.ttl": "5s", "rota.max_answers": "2" },
    { ttl: "5s", max_answers: 2 },
  ],
  [
    { "rota.publish_not_ready": "true", "rota.panic_threshold": "0.5" },
    { publish_not_ready: true, panic_threshold: 0.5 },
  ],
  [{ "rota.aliases": "www, shop" }, { aliases: ["www", "shop"] }],
  [
    {
      "rota.healthcheck.http.path": "/up",
      "rota.healthcheck.http.port": "80",
      "rota.healthcheck.interval": "5s",
    },
    { healthcheck: { http: { path: "/up", port: 80 }, interval: "5s" } },
  ],
  [
    { "rota.port.http": "8080", "rota.port.dns": "53/udp", "rota.port.bad": "x" },
    {
      ports: [
        { name: "http", target: 8080 },
        { name: "dns", target: 53, protocol: "udp" },
        { name: "bad", target: "x" },
      ],
    },
  ],
  [{ "rota.labels.a.b.c": "1" }, { labels: { "a.b.c": 1 } }],
  [{ "rota.a.b.c.d.e.f.g": "1" }, { a: { b: { c: { d: { "e.f.g": 1 } } } } }],
  [{ "rota.a": "1", "rota.a.b": "2" }, { a: { b: 2 } }],
  [
    { "rota.enable": "x", "rota.service": "x", "rota.slot": "1", "rota.weight": "1", "rota.address": "x" },
    {},
  ],
])("%j are the words %j", (written, expected) => {
  expect(wordsOfLabels(labels(written))).toEqual(expected);
});

test("a label named like what every object has harms nothing", () => {
  const words = wordsOfLabels(
    labels({ "rota.__proto__.polluted": "1", "rota.constructor.prototype.polluted": "1" }),
  );
  expect(Object.keys(words)).toEqual(["__proto__", "constructor"]);
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});

test("a label of a hundred thousand dots is one", () => {
  expect(Object.keys(wordsOfLabels(labels({ [`rota.${"a.".repeat(100_000)}b`]: "1" })))).toEqual(["a"]);
});

test.each<[(string | number)[], string | undefined]>([
  [["ttl"], "rota.ttl"],
  [["healthcheck", "http", "path"], "rota.healthcheck.http.path"],
  [["healthcheck"], "rota.healthcheck.http.path"],
  [["healthcheck", "tcp"], "rota.healthcheck.http.path"],
  [["ports", 1, "target"], "rota.port.b"],
  [["order"], undefined],
])("what is wrong at %j is said by %s", (path, expected) => {
  const written = labels({
    "x.ttl": "",
    "rota.ttl": "",
    "rota.healthcheck.http.path": "",
    "rota.port.a": "",
    "rota.port.b": "",
  });
  expect(labelAt(written, path)?.key).toBe(expected);
});
