import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { cloneProject } from "../clone.ts";
import { outputOf } from "../run.ts";
import { readConsole } from "./console.ts";

const README = readFileSync(new URL("../../examples/library/README.md", import.meta.url), "utf8");
const SHOWN = readConsole(README);

describe("on a fresh clone, what the library example's README shows is so:", () => {
  const scope = createScope();
  let cwd = "";

  beforeAll(async () => {
    cwd = scope.use(await cloneProject()).path;
  });

  afterAll(async () => scope[Symbol.asyncDispose]());

  test("it shows the build and the example", () => {
    expect(SHOWN.map(({ command }) => command)).toEqual([
      "npm run --silent build",
      "node examples/library/main.js",
    ]);
  });

  for (const { command, lines } of SHOWN) {
    test(command, async () => {
      const [program = "", ...args] = command.split(" ");
      const output = await outputOf(program, args, { cwd });
      expect(output.trimEnd().split("\n")).toEqual(lines.length === 0 ? [""] : lines);
    });
  }
});
