import { expect, test } from "vitest";
import { serving } from "./serving.ts";

test.each([
  ["0", /INFO: udp: node:dgram, because lanes is 0$/],
  ["2", /INFO: udp: 2 lanes$/],
  ["auto", /INFO: udp: [1-4] lanes?$/],
])("rota serve --lanes %s says what answers, and ends when it is told", async (lanes, line) => {
  await using server = serving(["--lanes", lanes]);
  await server.logs(line);
  server.child.kill("SIGTERM");
  expect(await server.exit).toBe(0);
});
