import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { chooseLanes, formatLanes } from "../../../src/dns/lanes/choose.ts";
import { type Koffi, openSystem } from "../../../src/dns/lanes/system.ts";
import { thisSystem } from "./laned.ts";

const LACKS: Koffi = {
  load: () => ({
    func: (name) => {
      if (name === "sendmmsg") throw new Error("Cannot find function 'sendmmsg' in shared library");
      return () => -1;
    },
  }),
  address: () => 0n,
  errno: () => 9,
};

const FORBIDDEN: Koffi = { ...LACKS, load: () => ({ func: () => () => -1 }), errno: () => 38 };

describe("without what lanes need, node:dgram answers, and it is said why", () => {
  test.each([
    [
      "koffi",
      async () => Promise.reject(new Error("Cannot find package 'koffi' imported from x\nand more")),
      "koffi cannot be loaded, which npm installs unless told to omit what is optional: Cannot find package 'koffi' imported from x",
    ],
    [
      "a call",
      async () => LACKS,
      "the C library lacks a call: Cannot find function 'sendmmsg' in shared library",
    ],
    ["a kernel that has it", async () => FORBIDDEN, "recvmmsg ENOSYS: function not implemented"],
  ])("%s", async (_, load, because) => {
    const choice = await chooseLanes(2, async () => openSystem(load));
    expect(choice).toEqual({ kind: "dgram", because });
    expect(formatLanes(choice)).toBe(`node:dgram, because ${because}`);
  });
});

test.each([
  [0, "node:dgram, because lanes is 0"],
  [1, "1 lane"],
  [64, "64 lanes"],
  ["auto", /^[1-4] lanes?$/],
] as const)("lanes %s", async (wanted, line) => {
  const system = await thisSystem();
  expect(formatLanes(await chooseLanes(wanted, async () => ({ kind: "there", system })))).toMatch(line);
});

test("in a thread of somebody's there are none, as whoever ends it leaves no time to close what they opened", async () => {
  const url = JSON.stringify(new URL("../../../dist/dns/lanes/choose.js", import.meta.url).href);
  const program = `import(${url}).then(async ({ chooseLanes }) => {
    require("node:worker_threads").parentPort.postMessage(await chooseLanes("auto"));
  });`;
  const [choice] = await once(new Worker(program, { eval: true }), "message");
  expect(choice).toEqual({ kind: "dgram", because: "this is not the main thread" });
});
