import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { ServiceDeclaration } from "../../src/index.ts";
import { explanationOf } from "./explained.ts";
import { CHECK, createStage, webOf } from "./stage.ts";
import { untilTask } from "./until.ts";

describe.concurrent("a task leaves the answer after exactly `fall` failures and is back after exactly `rise` passes:", () => {
  test.each([
    { fall: 3, rise: 2, check: {} },
    { fall: 1, rise: 1, check: { fall: 1, rise: 1 } },
    { fall: 2, rise: 3, check: { fall: 2, rise: 3 } },
  ])("fall $fall, rise $rise", async ({ fall, rise, check }) => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("ab");
    const [a, b] = all.map(({ address }) => address);
    const { ask } = await stage.start(all, { healthcheck: { ...CHECK, ...check } });
    await first.says("+");
    expect(await ask.addresses("web")).toEqual([a, b]);

    await first.says("-".repeat(fall - 1));
    expect(await ask.addresses("web")).toEqual([a, b]);
    await first.says("-");
    expect(await ask.addresses("web")).toEqual([b]);

    await first.says("+".repeat(rise - 1));
    expect(await ask.addresses("web")).toEqual([b]);
    await first.says("+");
    expect(await ask.addresses("web")).toEqual([a, b]);
  });
});

describe.concurrent("what a task says, and whether it is in answers then:", () => {
  test.each<[said: string, isIn: boolean, why: string]>([
    ["+", true, "a first pass is enough"],
    ["-+", true, "whatever was before it"],
    ["---+", false, "but not when it was found failing"],
    ["!", true, "a warning is a pass"],
    ["+--+--", true, "failures count in a row"],
    ["+---+-+", false, "passes, too"],
    ["+---+!", true, "warnings among them"],
  ])("%s: %s (%s)", async (said, isIn) => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("ab");
    const { rota, ask } = await stage.start(all);
    await untilTask(rota, "web/b", ({ isServing }) => isServing);
    await first.says(said);
    const shown = isIn ? all : all.slice(1);
    expect(await ask.addresses("web")).toEqual(shown.map(({ address }) => address));
  });
});

describe.concurrent("when all tasks fail, the name answers by when_empty:", () => {
  test.each<[NonNullable<ServiceDeclaration["when_empty"]>, answer: string]>([
    ["nodata", "ENODATA"],
    ["servfail", "ESERVFAIL"],
    ["all", "a b"],
  ])("%s: %s", async (whenEmpty, answer) => {
    await using stage = createStage();
    const { all } = await stage.tasks("ab");
    const { ask } = await stage.start(all, { when_empty: whenEmpty });
    await Promise.all(all.map(async (task) => task.says("+---")));
    const expected = answer === "a b" ? all.map(({ address }) => address) : answer;
    expect(await ask.addresses("web")).toEqual(expected);
    expect(await ask.addresses("tasks.web")).toEqual(expected);
  });
});

test.concurrent("below panic_threshold all tasks are answered, at it and above only those that serve", async () => {
  await using stage = createStage();
  const { all } = await stage.tasks("abcd");
  const addresses = all.map(({ address }) => address);
  const { ask } = await stage.start(all, { panic_threshold: 0.5 });
  await Promise.all(all.map(async (task) => task.says("+")));
  const answers = [await ask.addresses("web")];
  for (const task of all) {
    await task.says("---");
    answers.push(await ask.addresses("web"));
  }
  expect(answers).toEqual([addresses, addresses.slice(1), addresses.slice(2), addresses, addresses]);
});

test.concurrent("the VIP goes on answering when all tasks fail, and their own names do", async () => {
  await using stage = createStage();
  const { first, all } = await stage.tasks("a");
  const { ask, rota } = await stage.start(all, { endpoint_mode: "vip" });
  const [vip] = rota.services()[0]?.vips ?? [];
  await first.says("+");
  expect(await ask.addresses("tasks.web")).toEqual([first.address]);
  await first.says("---");
  expect(await ask.addresses("web")).toEqual([vip?.address]);
  expect(await ask.ports("_http._tcp.web")).toEqual(["web.rota.internal:80"]);
  expect(await ask.addresses("tasks.web")).toBe("ENODATA");
  expect(await ask.addresses("a.web")).toEqual([first.address]);
  expect(await ask.addresses("a")).toEqual([first.address]);
});

test.concurrent("SRV leads to the tasks that serve, each at its own port", async () => {
  await using stage = createStage();
  const { first, all } = await stage.tasks("ab");
  const { ask } = await stage.start(all);
  await first.says("+---");
  expect(await ask.ports("_http._tcp.web")).toEqual([`b.web.rota.internal:${all[1]?.port}`]);
});

describe.concurrent("a task that flaps", () => {
  test("is back after `rise` passes each time without hold", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { ask } = await stage.start(all);
    await first.says("+---++---++");
    expect(await ask.addresses("web")).toEqual([first.address]);
  });

  test("is kept out by hold for as long as that says, however often it passes", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { ask, rota } = await stage.start(all, { healthcheck: { ...CHECK, hold: "1h" } });
    await first.says("+---++++++");
    expect(await ask.addresses("web")).toBe("ENODATA");
    expect(await explanationOf(rota, "web")).toContain("held for");
  });

  test("is back when it has passed for as long as hold says", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { ask, rota } = await stage.start(all, { healthcheck: { ...CHECK, hold: "300ms" } });
    await first.says("+---");
    first.always("+");
    await untilTask(rota, "web/a", ({ isServing }) => isServing);
    expect(await ask.addresses("web")).toEqual([first.address]);
  });
});

describe.concurrent("publish_not_ready", () => {
  test("has starting tasks serve, and takes out those that fail", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { ask } = await stage.start(all, { publish_not_ready: true });
    expect(await ask.addresses("web")).toEqual([first.address]);
    await first.says("--");
    expect(await ask.addresses("web")).toEqual([first.address]);
    await first.says("-");
    expect(await ask.addresses("web")).toBe("ENODATA");
  });
});

test.concurrent("failures in the start period do not count, and a pass ends it", async () => {
  await using stage = createStage();
  const { first, all } = await stage.tasks("ab");
  const [a, b] = all.map(({ address }) => address);
  const { ask, rota } = await stage.start(all, { healthcheck: { ...CHECK, start_period: "1h" } });
  await first.says("-----");
  expect(rota.services()[0]?.tasks[0]?.verdict).toBe("starting");
  expect(await ask.addresses("web")).toEqual([b]);
  await first.says("+--");
  expect(await ask.addresses("web")).toEqual([a, b]);
  await first.says("-");
  expect(await ask.addresses("web")).toEqual([b]);
});

test.concurrent("a task whose port is closed is out, and back when something listens there again", async () => {
  await using stage = createStage();
  const listening = createServer().listen(0, "127.0.2.1");
  await once(listening, "listening");
  const bound = listening.address();
  const port = typeof bound === "object" ? (bound?.port ?? 0) : 0;
  const web: ServiceDeclaration = {
    ports: [80],
    healthcheck: { tcp: true, interval: "100ms" },
    tasks: [{ id: "a", address: `127.0.2.1:${port}` }],
  };
  const { rota, ask } = await stage.start([], web);
  await untilTask(rota, "web/a", ({ isServing }) => isServing);
  listening.close();
  await untilTask(rota, "web/a", ({ isServing }) => !isServing);
  expect(await ask.addresses("web")).toBe("ENODATA");

  await using again = createServer().listen(port, "127.0.2.1");
  await untilTask(rota, "web/a", ({ isServing }) => isServing);
  expect(again.listening).toBe(true);
  expect(await ask.addresses("web")).toEqual(["127.0.2.1"]);
});

describe.concurrent("a service that is declared again", () => {
  test("with a check, where it served unchecked, is answered as before until a task fails", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota, ask } = await stage.start(all, { healthcheck: { disable: true } });
    expect(await ask.addresses("web")).toEqual([first.address]);
    await rota.declare("web", webOf(all));
    expect(await ask.addresses("web")).toEqual([first.address]);
    await first.says("--");
    expect(await ask.addresses("web")).toEqual([first.address]);
    await first.says("-");
    expect(await ask.addresses("web")).toBe("ENODATA");
  });

  test("without its check is answered at once, and nobody is probed any more", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota, ask } = await stage.start(all);
    await first.says("---");
    expect(await ask.addresses("web")).toBe("ENODATA");
    await rota.declare("web", webOf(all, { healthcheck: { disable: true } }));
    expect(await ask.addresses("web")).toEqual([first.address]);
    await first.deserted();
    expect(rota.healthCounters).toMatchObject({ checks: 0, running: 0, waiting: 0 });
  });

  test("with a task more keeps what is known of the others, and lets in the new one when it has passed", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("abc");
    const [a, b, c] = all;
    const { rota, ask } = await stage.start(all.slice(0, 2));
    await Promise.all([a?.says("+"), b?.says("+---")]);
    first.always("+");
    await rota.declare("web", webOf(all));
    await untilTask(rota, "web/c", ({ isServing }) => isServing);
    expect(await ask.addresses("web")).toEqual([a?.address, c?.address]);
  });
});

describe.concurrent("closing", () => {
  test("ends the probes that wait, and leaves no connection behind", async () => {
    await using stage = createStage();
    const { all } = await stage.tasks("abc");
    const { rota } = await stage.start(all);
    await Promise.all(all.map(async (task) => task.says("")));
    await rota.close();
    await Promise.all(all.map(async (task) => task.deserted()));
  });

  test("a service that is withdrawn is not probed any more", async () => {
    await using stage = createStage();
    const { first, all } = await stage.tasks("a");
    const { rota } = await stage.start(all);
    await first.asked();
    await rota.withdraw("web");
    await first.deserted();
    expect(rota.healthCounters).toMatchObject({ checks: 0, running: 0, waiting: 0 });
  });
});
