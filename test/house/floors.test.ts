import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { trespasses } from "./floors.ts";

const SRC = new URL("../../src/", import.meta.url);

test.each([
  [
    "up",
    { "model/name.ts": 'import { x } from "../registry/names.ts";' },
    "model/name.ts imports registry/names.ts: up",
  ],
  [
    "up, for types alone",
    { "base/log.ts": 'import type { X } from "../dns/udp.ts";' },
    "base/log.ts imports dns/udp.ts: up",
  ],
  [
    "up, when it runs",
    { "base/log.ts": 'await import("../dns/udp.ts");' },
    "base/log.ts imports dns/udp.ts: up",
  ],
  [
    "up, by passing on",
    { "base/log.ts": 'export { x } from "../dns/udp.ts";' },
    "base/log.ts imports dns/udp.ts: up",
  ],
  [
    "sideways",
    { "dns/udp.ts": 'import {\n  x,\n} from "../sources/file.ts";' },
    "dns/udp.ts imports sources/file.ts: sideways",
  ],
  [
    "up, as a thread",
    { "base/log.ts": 'new Worker(new URL("../dns/lane.js", import.meta.url))' },
    "base/log.ts imports dns/lane.ts: up",
  ],
  [
    "to the door",
    { "cli/serve.ts": 'import { x } from "../index.ts";' },
    "cli/serve.ts imports index.ts: up",
  ],
  [
    "out of src",
    { "dns/udp.ts": 'import { x } from "../../test/x.ts";' },
    "dns/udp.ts imports ../test/x.ts: outside of src",
  ],
  [
    "what is not TypeScript",
    { "dns/udp.ts": 'import { x } from "./tcp.js";' },
    "dns/udp.ts imports dns/tcp.js: not a .ts file",
  ],
  ["from no room", { "utils/x.ts": "" }, "utils/x.ts: is in no room"],
  [
    "a package in two rooms",
    { "dns/a.ts": 'import z from "zod";', "model/b.ts": 'import { z } from "zod/v4";' },
    "zod is imported in dns and model",
  ],
  [
    "Node's own without node:",
    { "dns/a.ts": 'import fs from "fs";' },
    "fs (write node:fs) is imported in dns",
  ],
])("the rules see an import %s", (_, files, expected) => {
  const sources = Object.entries(files).map(([path, text]) => ({ path, text }));
  expect(trespasses(sources)).toEqual([expected]);
});

test("the rules let a downward import, a neighbour and a comment be", () => {
  const text =
    'import { x } from "../model/name.ts";\nimport "./tcp.ts";\nimport "node:fs";\n// import "../cli/main.ts"';
  expect(trespasses([{ path: "dns/udp.ts", text }])).toEqual([]);
});

test("the house keeps its rules", () => {
  const paths = readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((path) =>
    path.endsWith(".ts"),
  );
  const files = paths.map((path) => ({ path, text: readFileSync(new URL(path, SRC), "utf8") }));
  expect(files.length).toBeGreaterThan(30);
  expect(trespasses(files)).toEqual([]);
});
