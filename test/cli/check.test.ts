import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { rota } from "./run.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rota-check-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function check(
  text: string,
  variables: Record<string, string> = {},
): Promise<{ told: string; code: number | null }> {
  const path = join(folder, "s.yaml");
  await writeFile(path, text);
  const { stdout, stderr, code } = await rota(["check", path], variables);
  return { told: (stdout + stderr).replaceAll(`${folder}/`, ""), code };
}

const web = (words: string): string => `services:\n  web:\n    endpoint_mode: dnsrr\n    ${words}\n`;

describe("what is wrong is told with its line and column", () => {
  test.each([
    [
      "an unknown key",
      web("tascs: []"),
      's.yaml:4:5: services.web: unknown key "tascs": did you mean tasks?',
    ],
    ["a wrong type", web("tasks: 10.0.1.11"), "s.yaml:4:12: services.web.tasks: "],
    [
      "a bad duration",
      web("ttl: 5 sec"),
      's.yaml:4:10: services.web.ttl: "5 sec" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
    [
      "a bad address",
      web("tasks: [10.0.1.300]"),
      's.yaml:4:13: services.web.tasks[0]: "10.0.1.300" is not an IPv4 or IPv6 address',
    ],
    [
      "a task twice",
      web("tasks: [{ id: a, address: 10.0.0.1 }, { id: a, address: 10.0.0.2 }]"),
      "services.web.tasks[1]",
    ],
    ["a service twice", "services:\n  web: {}\n  web: {}\n", "s.yaml:3:3: "],
    ["YAML that is none", "services:\n  web: [\n", "s.yaml:3:1: "],
    ["a network that is none", web("networks: [frontend]"), 'network "frontend" is not declared'],
    ["an unset variable", web("tasks: ['${NOBODY_SET_THIS}']"), "s.yaml:4:"],
    [
      "a mode that is none",
      "services:\n  web:\n    endpoint_mode: vipp\n",
      's.yaml:3:20: services.web.endpoint_mode: "vipp" is not allowed: write vip or dnsrr',
    ],
    [
      "a pool that is too small",
      "networks: { default: { vips: 10.0.0.1/32 } }\nservices:\n  web: {}\n  api: {}\n",
      "s.yaml:4:3: service api has no VIP on network default: no VIP is left in 10.0.0.1/32",
    ],
    ["nothing at all", "", "s.yaml"],
  ])("%s", async (_, text, message) => {
    const { told, code } = await check(text);
    expect(told).toContain(message);
    expect(told).not.toContain("    at ");
    expect(code).toBe(1);
  });
});

test("all that is wrong is told at once, a line each", async () => {
  const { told } = await check("services:\n  web: { ttl: x, tasc: [] }\n  api: { tasks: [1.2.3] }\n");
  expect(
    told
      .trim()
      .split("\n")
      .map((line) => line.replace(/^s\.yaml:\d+:\d+: /, "").slice(0, 12)),
  ).toEqual(["services.web", "services.web", "services.api"]);
});

test("a file that is not there, and none at all", async () => {
  const missing = await rota(["check", join(folder, "nosuch.yaml")]);
  expect(missing.stderr).toContain("nosuch.yaml");
  expect(missing.code).toBe(1);
  expect((await rota(["check"])).code).toBe(2);
});

test("what is good exits 0, and warnings do not change that", async () => {
  expect(await check(web("tasks: ['${ROTA_TEST_TASK:-10.0.1.11}', 10.0.1.12]"))).toEqual({
    told: "good: 1 service of 2 tasks in 1 file\n",
    code: 0,
  });
  const twice = "services:\n  a: { endpoint_mode: dnsrr, aliases: [b] }\n  b: { endpoint_mode: dnsrr }\n";
  const { told, code } = await check(twice);
  expect(told).toContain(
    "warning: the name b is claimed by two services: a (s.yaml:2:3) answers, b (s.yaml:3:3) does not",
  );
  expect(code).toBe(0);
});

test("the design's example of a services file is good", async () => {
  const { told, code } = await check(`
zone: rota.internal
networks:
  frontend:
    subnets: [10.0.1.0/24]
    vips: 10.0.1.128/25
services:
  web:
    networks: [frontend]
    endpoint_mode: vip
    aliases: [www]
    ttl: 5s
    ports:
      - { name: http, target: 8080, published: 80, protocol: tcp }
    healthcheck: { http: "/healthz", interval: 5s, timeout: 2s, rise: 2, fall: 3 }
    labels: { team: shop }
    tasks:
      - 10.0.1.11
      - { id: b, slot: 2, address: 10.0.1.12, weight: 2 }
      - { id: c, address: "10.0.1.13:9090" }
`);
  expect(told).toBe("good: 1 service of 3 tasks in 1 file\n");
  expect(code).toBe(0);
});

test("commands of health checks are good with --allow-exec alone", async () => {
  const text = web("healthcheck: { exec: [/bin/true] }");
  expect((await check(text)).told).toContain("runs a command: allow it with --allow-exec");
  const run = await rota(["check", join(folder, "s.yaml"), "--allow-exec"]);
  expect(run).toMatchObject({ code: 0, stderr: "" });
  expect((await rota(["check", join(folder, "s.yaml")], { ROTA_ALLOW_EXEC: "1" })).code).toBe(0);
});

test("a command that wants what it is told of its task is told apart from the file's variables", async () => {
  const text = web("healthcheck: { exec: 'nc -z ${ROTA_ADDRESS} 80' }");
  const { told, code } = await check(text, { ROTA_ALLOW_EXEC: "1", ROTA_ADDRESS: "10.96.0.1" });
  expect(told).toContain("s.yaml:4:26: write $${ROTA_ADDRESS} in text for a shell: the check's command");
  expect(code).toBe(1);
  const escaped = await check(text.replace("$", "$$$$"), { ROTA_ALLOW_EXEC: "1" });
  expect(escaped.told).toBe("good: 1 service of 0 tasks in 1 file\n");
});

test("a health check that is empty, or that nobody would report to, is told of", async () => {
  const empty = await check("services:\n  web:\n    endpoint_mode: dnsrr\n    healthcheck:\n    tcp: 80\n");
  expect(empty.told).toContain("services.web.healthcheck: is empty: indent what belongs to it, or write");
  const { told, code } = await check(web("healthcheck: { heartbeat: 30s }"));
  expect(told).toContain(
    "warning: s.yaml:4:31: services.web.healthcheck.heartbeat: is told by the program that imports Rota",
  );
  expect(code).toBe(0);
});

test("a Compose file is good, and says that its tasks come from the engine", async () => {
  const compose = join(folder, "compose.yaml");
  const shop = { COMPOSE_PROJECT_NAME: "shop" };
  await writeFile(compose, "services:\n  web: { image: nginx, ports: ['8080:80'] }\n  db: { image: db }\n");
  expect(await rota(["check", compose], shop)).toEqual({
    stdout: "good: 2 services in 1 file; tasks come from the engine\n",
    stderr: "",
    code: 0,
  });
  const file = join(folder, "s.yaml");
  await writeFile(file, web("tasks: [10.0.0.1]"));
  expect((await rota(["check", compose, file], shop)).stdout).toBe(
    "good: 3 services of 1 task in 2 files; the tasks of 2 services come from the engine\n",
  );
});

test("a Compose file and its override count each service once", async () => {
  await writeFile(
    join(folder, "compose.yaml"),
    "name: shop\nservices:\n  web: { image: a }\n  db: { image: a }\n",
  );
  await writeFile(join(folder, "compose.override.yaml"), "name: shop\nservices:\n  web: { hostname: w }\n");
  expect(await rota(["check", folder])).toEqual({
    stdout: "good: 2 services in 2 files; tasks come from the engine\n",
    stderr: "",
    code: 0,
  });
});

test("what is wrong with a Compose file is told with its line and column, and what is odd is a warning", async () => {
  const compose = join(folder, "compose.yaml");
  await writeFile(
    compose,
    "name: shop\nservices:\n  web:\n    hostname: $NOBODY_SET_THIS\n    ports: [http]\n",
  );
  const wrong = await rota(["check", compose]);
  expect(wrong.stderr.replaceAll(`${folder}/`, "").split("\n")).toEqual([
    expect.stringContaining('compose.yaml:5:13: services.web.ports[0]: "http" is not a port: write 8080'),
    expect.stringContaining(
      "warning: compose.yaml:4:15: variable NOBODY_SET_THIS is not set and counts as empty",
    ),
    "",
  ]);
  expect(wrong.code).toBe(1);
  await writeFile(
    compose,
    "name: shop\nservices:\n  web:\n    image: a\n    deploy: { endpoint_mode: vip }\n",
  );
  const odd = await rota(["check", compose]);
  expect(odd.stderr).toContain("compose.yaml:5:30: services.web.deploy.endpoint_mode: is answered as dnsrr");
  expect(odd.code).toBe(0);
});

test("--schema prints a JSON Schema", async () => {
  const { stdout, code } = await rota(["check", "--schema"]);
  expect(JSON.parse(stdout)).toMatchObject({ $schema: expect.stringContaining("2020-12"), type: "object" });
  expect(code).toBe(0);
});
