import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { missingOf, testNeeding } from "../needing.ts";
import { readConsole } from "./console.ts";
import { beginUpload, sharesOf, startLoad } from "./haproxy-load.ts";
import { openStage, type Stage } from "./haproxy-stage.ts";

const README = readFileSync(new URL("../../examples/haproxy/README.md", import.meta.url), "utf8");
const STEPS = readConsole(README);
/** What the README has run on in the background, and what before it. */
const STARTED = [...README.matchAll(/^(\S.*) &$/gm)].map(([, line = ""]) => line);
const ROTA = STARTED.find((line) => line.includes("main.js serve")) ?? "";
const NEEDS = { programs: ["haproxy", "curl"] };
/** HAProxy asks every second, and a check fails twice before it counts. */
const SEEN = { timeout: 20_000, interval: 100 };
vi.setConfig({ testTimeout: 60_000 });

test("the haproxy example shows all that it starts, and a change of each kind", () => {
  expect(STARTED.filter((line) => line.startsWith("node examples/haproxy/task.js "))).toHaveLength(4);
  expect(STARTED.slice(4)).toEqual([ROTA, "haproxy -f examples/haproxy/haproxy.cfg"]);
  const commands = STEPS.map(({ command }) => command).join("\n");
  for (const word of ["white", "sed -i", "drain", "/ill", "/well"]) expect(commands).toContain(word);
});

describe("HAProxy follows the tasks of a service, and no request fails:", () => {
  const scope = createScope();
  let stage: Stage;

  beforeAll(async () => {
    if (missingOf(NEEDS).length > 0) return;
    stage = scope.use(await openStage());
    await stage.shell("touch admin.state");
    for (const line of STARTED) await stage.start(line);
  });

  afterAll(async () => scope[Symbol.asyncDispose]());

  for (const [at, { command, lines }] of STEPS.entries()) {
    testNeeding(NEEDS)(`${at + 1}. ${command}`, async () => {
      if (countOf(command) > 0) {
        await expect.poll(async () => linesOf(await stage.shell(command)), SEEN).toEqual(lines);
        return;
      }
      const load = startLoad(stage.url);
      expect(linesOf(await stage.shell(command))).toEqual(lines);
      await expect.poll(() => stage.weights(), SEEN).toEqual(weightsAfter(at));
      expect(await load.stop()).toMatchObject({ failures: [] });
    });
  }

  testNeeding(NEEDS)("weights of 2304, 4864 and 9984 are 9, 19 and 39 requests of 67", async () => {
    const load = startLoad(stage.url);
    await stage.write(servicesOf([2304, 4864, 9984]));
    await expect.poll(() => stage.weights(), SEEN).toEqual([9, 19, 39]);
    expect(await load.stop()).toMatchObject({ failures: [] });
    // The round that was under way when they changed.
    await sharesOf(stage.url, 67);
    const expected = { "I am red": 9, "I am green": 19, "I am blue": 39 };
    expect(await sharesOf(stage.url, 67)).toEqual(expected);
    expect(await sharesOf(stage.url, 67)).toEqual(expected);
  });

  testNeeding(NEEDS)("weights are 256ths, rounded up, and 0 is none", async () => {
    await stage.write(servicesOf([0, 257, 65_535]));
    await expect.poll(() => stage.weights(), SEEN).toEqual([0, 2, 256]);
    expect(Object.keys(await sharesOf(stage.url, 20))).not.toContain("I am red");
  });

  testNeeding(NEEDS)("tasks without a weight serve alike", async () => {
    const load = startLoad(stage.url);
    await serveAlike();
    expect(await load.stop()).toMatchObject({ failures: [] });
    await sharesOf(stage.url, 3);
    const expected = { "I am red": 10, "I am green": 10, "I am blue": 10 };
    expect(await sharesOf(stage.url, 30)).toEqual(expected);
  });

  testNeeding(NEEDS)("what a task has begun it ends, though it is drained", async () => {
    await serveAlike();
    const uploads = await Promise.all(Array.from({ length: 6 }, () => beginUpload(stage.url)));
    const load = startLoad(stage.url);
    await stage.shell("echo 'web/red => drain' > admin.state");
    await expect.poll(() => stage.weights(), SEEN).toHaveLength(2);
    expect(await load.stop()).toMatchObject({ failures: [] });
    expect(Object.keys(await sharesOf(stage.url, 10)).toSorted()).toEqual(["I am blue", "I am green"]);
    const ends = await Promise.all(uploads.map((upload) => upload.finish()));
    expect([...new Set(ends)].toSorted()).toEqual(["200 I am blue", "200 I am green", "200 I am red"]);
    await stage.shell("echo > admin.state");
    await expect.poll(() => stage.weights(), SEEN).toHaveLength(3);
  });

  testNeeding(NEEDS)("a task that dies is passed over until its check has failed", async () => {
    await serveAlike();
    const load = startLoad(stage.url);
    await stage.kill("task.js green");
    await expect.poll(() => stage.weights(), SEEN).toHaveLength(2);
    expect(await load.stop()).toMatchObject({ failures: [] });
    await stage.start(STARTED.find((line) => line.includes("task.js green")) ?? "");
    await expect.poll(() => stage.weights(), SEEN).toHaveLength(3);
  });

  testNeeding(NEEDS)("while Rota is away HAProxy goes on, and follows when it is back", async () => {
    await serveAlike();
    const load = startLoad(stage.url);
    await stage.kill("main.js serve");
    // After the third try in vain it knows; one more, so that what it does then is done.
    const before = await stage.questions();
    await expect.poll(() => stage.questions(), SEEN).toBeGreaterThan(before + 5);
    expect(await stage.weights()).toEqual([1, 1, 1]);
    await stage.write(servicesOf([256, 512]));
    await stage.start(ROTA);
    await expect.poll(() => stage.weights(), SEEN).toEqual([1, 2]);
    expect(await load.stop()).toMatchObject({ failures: [] });
  });

  testNeeding(NEEDS)("a hundred tasks are found, and of more the first hundred", async () => {
    for (const count of [100, 99, 101]) {
      const tasks = Array.from({ length: count }, (_, at) => `127.0.5.${at + 1}`);
      await stage.write(
        `services: { web: { ttl: 1s, ports: [{ name: http, target: 8080 }], tasks: [${tasks.join()}] } }`,
      );
      await expect.poll(async () => (await stage.weights()).length, SEEN).toBe(Math.min(count, 100));
    }
  });

  async function serveAlike(): Promise<void> {
    await stage.write(servicesOf([undefined, undefined, undefined]));
    await expect.poll(() => stage.weights(), SEEN).toEqual([1, 1, 1]);
  }
});

const TASKS = ["red", "green", "blue"];

/** How many requests a command of the README counts; 0: it is none that counts. */
function countOf(command: string): number {
  return Number(/seq (\d+)\).*uniq -c/.exec(command)?.[1] ?? 0);
}

/** The next count in the README is one round: as many requests to each as its weight says. */
function weightsAfter(at: number): readonly number[] {
  const next = STEPS.slice(at).find(({ command }) => countOf(command) > 0);
  const weights = next?.lines.map((line) => Number.parseInt(line, 10)) ?? [];
  return weights.toSorted((a, b) => a - b);
}

/** The example's tasks, with these weights. */
function servicesOf(weights: readonly (number | undefined)[]): string {
  const tasks = weights.map((weight, at) => {
    const share = weight === undefined ? "" : `, weight: ${weight}`;
    return `      - { id: ${TASKS[at]}, address: 127.0.4.${at + 1}${share} }`;
  });
  const check = "healthcheck: { http: /healthz, interval: 1s, timeout: 1s, fall: 2 }";
  const ports = "ports: [{ name: http, target: 8080 }]";
  return [
    "services:",
    "  web:",
    "    ttl: 1s",
    `    ${ports}`,
    `    ${check}`,
    "    tasks:",
    ...tasks,
    "",
  ].join("\n");
}

function linesOf(output: string): readonly string[] {
  return output === "" ? [] : output.trimEnd().split("\n");
}
