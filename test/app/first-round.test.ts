import { describe, expect, test } from "vitest";
import { createStage, webOf } from "./stage.ts";
import { untilService, untilTask } from "./until.ts";

describe.concurrent("a service that is new and checked", () => {
  test("fails until each task has had a first result, for clients to try again", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("ab");
    const { rota, ask } = await stage.start(all);
    await untilTask(rota, "web/b", ({ isServing }) => isServing);
    await first.asked();
    expect(await ask.addresses("web")).toBe("ESERVFAIL");
    expect(await ask.addresses("tasks.web")).toBe("ESERVFAIL");
    expect(await ask.ports("_http._tcp.web")).toBe("ESERVFAIL");
    await first.says("-");
    expect(await ask.addresses("web")).toEqual([all[1]?.address]);
  });

  test("is nodata when its first results are failures, and not before", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { ask } = await stage.start(all);
    await first.says("");
    expect(await ask.addresses("web")).toBe("ESERVFAIL");
    await first.says("-");
    expect(await ask.addresses("web")).toBe("ENODATA");
  });

  test("waits no longer than start_wait for tasks that hang", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota, ask } = await stage.start(all, {}, { startWaitMs: 50 });
    await first.asked();
    await untilService(rota, "web", ({ isWaiting }) => !isWaiting);
    expect(await ask.addresses("web")).toBe("ENODATA");
    expect(first.probes).toBe(1);
    await first.says("+");
    expect(await ask.addresses("web")).toEqual([first.address]);
  });

  test("with start_wait 0 is answered from the start", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota, ask } = await stage.start(all, {}, { startWaitMs: 0 });
    await untilService(rota, "web", ({ isWaiting }) => !isWaiting);
    expect(await ask.addresses("web")).toBe("ENODATA");
    await first.says("+");
    expect(await ask.addresses("web")).toEqual([first.address]);
  });

  test("keeps neither its tasks' own names nor its VIP waiting", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota, ask } = await stage.start(all, { endpoint_mode: "vip" });
    await first.asked();
    expect(await ask.addresses("tasks.web")).toBe("ESERVFAIL");
    expect(await ask.addresses("web")).toEqual([rota.services()[0]?.vips[0]?.address]);
    expect(await ask.addresses("a.web")).toEqual([first.address]);
  });

  test("keeps no other service waiting", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota, ask } = await stage.start(all);
    await rota.declare("api", { endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] });
    await first.asked();
    expect(await ask.addresses("api")).toEqual(["192.0.2.1"]);
    expect(await ask.addresses("web")).toBe("ESERVFAIL");
  });

  test("waits for no task that the operator has taken out", async () => {
    await using stage = createStage();
    const { all } = await stage.tasks("ab");
    const { rota, ask } = await stage.start(all);
    await rota.maintain("web", "a");
    await untilTask(rota, "web/b", ({ isServing }) => isServing);
    expect(await ask.addresses("web")).toEqual([all[1]?.address]);
  });
});

test("once the first round is over, a task that is added is not waited for", async () => {
  await using stage = createStage();
  const { first, all } = await stage.tasks("ab");
  const [, b] = all;
  const { rota, ask } = await stage.start(all.slice(1));
  await untilTask(rota, "web/b", ({ isServing }) => isServing);
  await rota.declare("web", webOf(all));
  await first.asked();
  expect(await ask.addresses("web")).toEqual([b?.address]);
});
