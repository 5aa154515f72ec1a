import { expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import { startRota } from "../../src/index.ts";

test("a conflict and a VIP that is missing are told once, and that there are no tasks in one line", async () => {
  const lines: string[] = [];
  const say = (_: object, message: string): void => void lines.push(message);
  const log: Log = { debug: () => {}, info: say, warn: say, error: say };
  await using rota = await startRota({ log, networks: { bare: { vips: "10.0.0.1/32" } } });
  const told = (about: string): readonly string[] =>
    lines.splice(0).filter((line) => line.includes(about) && !line.includes("answering"));

  await rota.declare("one", { aliases: ["both"], ports: [80], endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] });
  await rota.declare("two", { aliases: ["both"], ports: [80], endpoint_mode: "dnsrr", tasks: ["10.0.0.2"] });
  expect(told("claimed").map((line) => line.split(" is claimed")[0])).toEqual(["the name both"]);

  await rota.declare("web", { networks: ["bare"], tasks: ["10.0.0.3"] });
  expect(told("no VIP")).toHaveLength(1);
  await rota.declare("web", { networks: ["bare"], tasks: ["10.0.0.3", "10.0.0.4"] });
  expect(told("no VIP")).toEqual([]);

  await rota.report("one", "10-0-0-1", "failing");
  told("");
  await rota.declare("one", { endpoint_mode: "dnsrr", tasks: [] });
  expect(told("task")).toEqual(["service one has 0 tasks"]);
});
