import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { type ActiveProbe, createProbes } from "../../src/health/probe.ts";
import type { HttpProbe, ProbeTls, TcpProbe } from "../../src/model/check.ts";
import { parseName } from "../../src/model/name.ts";
import { openNamespace, testInNamespace } from "../clients/namespace.ts";
import { ONE_PORT, runAlone } from "./alone.ts";
import { handles } from "./leftovers.ts";
import { openFullTask, openTask, silent, targetOf, tryTask } from "./servers.ts";

const port = { name: undefined, number: 1 };
const TCP: TcpProbe = { kind: "tcp", port, send: "", expect: undefined };
const HTTP: HttpProbe = {
  kind: "http",
  port,
  tls: undefined,
  method: "GET",
  path: "/",
  headers: [],
  host: undefined,
  status: [{ from: 200, to: 299 }],
  body: undefined,
  redirects: 0,
};
const TLS: ProbeTls = { ca: undefined, servername: undefined, insecure: false };
const EACH: readonly (readonly [name: string, probe: ActiveProbe])[] = [
  ["tcp", { ...TCP, expect: { kind: "text", text: "hello" } }],
  ["http", HTTP],
  ["https", { ...HTTP, tls: TLS }],
  ["grpc", { kind: "grpc", port, tls: undefined, service: "" }],
  ["grpc over TLS", { kind: "grpc", port, tls: TLS, service: "" }],
  [
    "dns",
    { kind: "dns", port, transport: "tcp", name: parseName("web."), type: 1, rcode: "NOERROR", answers: [] },
  ],
  ["exec", { kind: "exec", port, command: ["sleep", "1000"] }],
];

describe("a probe of a task that says nothing", () => {
  it.each(EACH)("fails when its time is over: %s", async (_, probe) => {
    await using task = await openTask(silent);
    expect(await tryTask(probe, task, 60)).toMatch(/^fail no answer in 60ms \(while [a-zH]/);
  });

  it.each(EACH)("is unknown when it is ended: %s", async (_, probe) => {
    await using task = await openTask(silent);
    const before = await handles();
    const ending = new AbortController();
    const result = createProbes()(probe, targetOf(task), 100_000, ending.signal);
    if (probe.kind !== "exec") await task.reached();
    ending.abort();
    expect(await result).toEqual({ kind: "unknown", detail: "ended" });
    await task.quiet();
    expect(await handles()).toEqual(before);
    expect(getEventListeners(ending.signal, "abort")).toEqual([]);
  });

  it.each(EACH)("is not begun if it was ended before: %s", async (_, probe) => {
    await using task = await openTask(silent);
    const result = createProbes()(probe, targetOf(task), 100_000, AbortSignal.abort());
    expect(await result).toEqual({ kind: "unknown", detail: "ended" });
    expect(task.heard).toEqual([]);
  });
});

it("leaves no listener and no timer when it passes", async () => {
  await using task = await openTask(silent);
  const run = createProbes();
  const { signal } = new AbortController();
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const results = Array.from({ length: 5 }, () => run(TCP, targetOf(task), 100_000, signal));
  expect(timers()).toBe(before + 5);
  for (const { kind } of await Promise.all(results)) expect(kind).toBe("pass");
  // One of the test's surroundings may have ended meanwhile.
  expect(timers()).toBeLessThanOrEqual(before);
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("fails when what it is to ask cannot be asked, and leaves nothing", async () => {
  await using task = await openTask(silent);
  expect(await tryTask({ ...HTTP, path: "/a b" }, task)).toContain("fail Request path contains unescaped");
  expect(await tryTask({ ...HTTP, headers: [["a", "b\r\nc: d"]] }, task)).toContain(
    "fail Invalid character in header",
  );
  expect(task.heard).toEqual([]);
});

it("fails where connections are not taken any more", async () => {
  await using task = await openFullTask();
  expect(await tryTask(TCP, task, 60)).toBe("fail no answer in 60ms (while connecting)");
  expect(await tryTask(HTTP, task, 60)).toBe("fail no answer in 60ms (while connecting)");
});

it("hears what came in time, though this process did not look until later", async () => {
  await using task = await openTask(silent);
  const { signal } = new AbortController();
  const result = createProbes()(TCP, targetOf(task), 50, signal);
  await new Promise(process.nextTick); // it calls the task, and the kernel takes the call
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
  expect(await result).toMatchObject({ kind: "pass" });
});

it("is unknown while this process can open no more files", async () => {
  const script = `
    import { openSync } from "node:fs";
    const open = [];
    try { for (;;) open.push(openSync("/dev/null")); } catch {}
    console.log(JSON.stringify([await run(${JSON.stringify(TCP)}, 1), await run(${JSON.stringify(HTTP)}, 1)]));`;
  const said = await runAlone(["sh", "-c", 'ulimit -n 100; exec "$@"', "sh"], script);
  expect(said).toEqual([
    { kind: "unknown", detail: expect.stringContaining("EMFILE") },
    { kind: "unknown", detail: expect.stringContaining("EMFILE") },
  ]);
});

testInNamespace({})(
  "does not take itself for the task when the kernel gives it the task's port",
  async () => {
    await using namespace = await openNamespace();
    const script = `console.log(JSON.stringify(await run(${JSON.stringify(TCP)}, 40000)))`;
    const result = await runAlone([...namespace.enter, ...ONE_PORT], script);
    expect(result).toEqual({ kind: "fail", detail: "connection refused" });
  },
);

testInNamespace({})("is unknown while no port is left to call from", async () => {
  await using namespace = await openNamespace();
  const script = `
    import { connect, createServer } from "node:net";
    import { once } from "node:events";
    const server = createServer().listen(50000, "127.0.0.1");
    await once(server, "listening");
    const taken = connect(50000, "127.0.0.1");
    await once(taken, "connect");
    console.log(JSON.stringify(await run(${JSON.stringify(TCP)}, 50000)));
    taken.destroy();
    server.close();`;
  expect(await runAlone([...namespace.enter, ...ONE_PORT], script)).toEqual({
    kind: "unknown",
    detail: expect.stringContaining("EADDRNOTAVAIL"),
  });
});
