import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { ServiceDeclaration } from "../../src/index.ts";
import { processesWith } from "../health/leftovers.ts";
import { createFolder } from "../sources/folder.ts";
import { CHECK, createStage } from "./stage.ts";
import { refusalOf } from "./refusal.ts";
import { untilService, untilTask } from "./until.ts";

/** `web` of tasks that say themselves how they are. */
function beating(heartbeat: string): ServiceDeclaration {
  return {
    ports: [],
    healthcheck: { heartbeat },
    tasks: [
      { id: "a", address: "192.0.2.1" },
      { id: "b", address: "192.0.2.2" },
    ],
  };
}

describe("a heartbeat", () => {
  test("lets a task serve from its first on, and takes it out when it says that it fails", async () => {
    await using stage = createStage();
    const { rota, ask } = await stage.start([], beating("1h"));
    expect(await ask.addresses("web")).toBe("ESERVFAIL");
    await rota.report("web", "a", "passing");
    await rota.report("web", "b", "passing");
    await untilTask(rota, "web/b", ({ isServing }) => isServing);
    expect(await ask.addresses("web")).toEqual(["192.0.2.1", "192.0.2.2"]);

    await rota.report("web", "a", "failing");
    await untilTask(rota, "web/a", ({ isServing }) => !isServing);
    expect(await ask.addresses("web")).toEqual(["192.0.2.2"]);

    await rota.report("web", "a", "passing");
    await untilTask(rota, "web/a", ({ isServing }) => isServing);
    expect(await ask.addresses("web")).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  test("that is missed takes the task out, and the next brings it back", async () => {
    await using stage = createStage();
    const { rota } = await stage.start([], beating("100ms"));
    // Listened for before it is said: on a busy machine it is soon missed again.
    const passes = async (): Promise<unknown> =>
      Promise.all([
        untilTask(rota, "web/a", ({ verdict }) => verdict === "passing"),
        rota.report("web", "a", "passing"),
      ]);
    await passes();
    await untilTask(rota, "web/a", ({ verdict }) => verdict === "failing");
    await passes();
  });

  test("that never comes fails the task", async () => {
    await using stage = createStage();
    const { rota } = await stage.start([], beating("100ms"));
    await untilTask(rota, "web/b", ({ verdict }) => verdict === "failing");
  });

  test("of a task in maintenance is passed over", async () => {
    await using stage = createStage();
    const { rota, ask } = await stage.start([], beating("1h"), { startWaitMs: 0 });
    await rota.maintain("web", "a");
    await rota.report("web", "a", "passing");
    await rota.activate("web", "a");
    await rota.report("web", "b", "passing");
    await untilTask(rota, "web/b", ({ isServing }) => isServing);
    await untilService(rota, "web", ({ isWaiting }) => !isWaiting); // for a, which is active again
    expect(await ask.addresses("web")).toEqual(["192.0.2.2"]);
  });
});

describe("a report is refused", () => {
  test.each<[what: string, healthcheck: ServiceDeclaration["healthcheck"], task: string, refusal: string]>([
    [
      "on a task that Rota checks by itself",
      { ...CHECK, http: "/healthz" },
      "web/a",
      "ERR_ROTA_DECLARATION: could not report on task a of service web: its http check decides; " +
        "declare healthcheck: { heartbeat: 30s }, or take it out by rota.drain",
    ],
    [
      "on a task that there is not",
      { heartbeat: "1h" },
      "web/c",
      "ERR_ROTA_DECLARATION: could not report on task c of service web: there is no such task; its tasks are a, b",
    ],
    [
      "on a service that there is not",
      { heartbeat: "1h" },
      "api/a",
      "ERR_ROTA_DECLARATION: could not report on task a of service api: there is no such service",
    ],
  ])("%s", async (_, healthcheck, place, refusal) => {
    await using stage = createStage();
    const { rota } = await stage.start([], { ...beating("1h"), ports: [80], healthcheck });
    const [service = "", task = ""] = place.split("/");
    expect(await refusalOf(rota.report(service, task, "passing"))).toBe(refusal);
  });

  test("that a heartbeat is starting", async () => {
    await using stage = createStage();
    const { rota } = await stage.start([], beating("1h"));
    expect(await refusalOf(rota.report("web", "a", "starting"))).toBe(
      'ERR_ROTA_OPTION: could not take the heartbeat "starting": it is passing or failing',
    );
  });
});

test("a task that nobody checks takes the verdict that it is given", async () => {
  await using stage = createStage();
  const { rota, ask } = await stage.start([], { ...beating("1h"), healthcheck: { disable: true } });
  expect(await ask.addresses("web")).toEqual(["192.0.2.1", "192.0.2.2"]);
  await rota.report("web", "a", "failing");
  expect(await ask.addresses("web")).toEqual(["192.0.2.2"]);
});

describe("a command", () => {
  const exec = (script: string): ServiceDeclaration => ({
    ports: [{ name: "http", target: 80 }],
    healthcheck: { exec: ["/bin/sh", "-c", script], interval: "100ms" },
    tasks: [{ id: "a", address: "192.0.2.1:8080" }],
  });

  test("is refused unless commands are allowed", async () => {
    await using stage = createStage();
    const { rota } = await stage.start([]);
    const refusal = await refusalOf(rota.declare("job", exec("true")));
    expect(refusal).toBe(
      'ERR_ROTA_DECLARATION: could not declare service "job": healthcheck.exec: runs a command: ' +
        "allow it with --allow-exec, in a program with allowExec: true",
    );
    expect(await refusalOf(stage.start([], exec("true")))).toContain("allowExec: true");
  });

  test("decides by how it exits, and hears which task it is for", async () => {
    await using stage = createStage();
    await using folder = await createFolder();
    const said = folder.at("said");
    const script = `echo "$ROTA_SERVICE $ROTA_TASK $ROTA_ADDRESS $ROTA_PORT" | cmp -s - ${said}`;
    await folder.write("said", "web a 192.0.2.1 8080\n");
    const { rota, ask } = await stage.start([], exec(script), { allowExec: true });
    await untilTask(rota, "web/a", ({ isServing }) => isServing);
    expect(await ask.addresses("web")).toEqual(["192.0.2.1"]);

    await folder.write("said", "something else\n");
    await untilTask(rota, "web/a", ({ isServing }) => !isServing);
    expect(await ask.addresses("web")).toBe("ENODATA");
  });

  test("is gone when close() resolves, though it ignores SIGTERM", async () => {
    await using stage = createStage();
    await using server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const bound = server.address();
    const port = typeof bound === "object" ? bound?.port : 0;
    const script = `process.on("SIGTERM", () => {}); net.connect(${port}, "127.0.0.1");`;
    const command = [process.execPath, "--eval", script];
    const tasks = [{ id: "a", address: "192.0.2.77" }];
    const web = { ...exec(""), tasks, healthcheck: { exec: command, timeout: "1h" } };
    const running = once(server, "connection");
    const { rota } = await stage.start([], web, { allowExec: true });
    await running;
    expect(processesWith("ROTA_ADDRESS=192.0.2.77")).toHaveLength(1);
    await rota.close();
    expect(processesWith("ROTA_ADDRESS=192.0.2.77")).toEqual([]);
  });
});
