import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { cloneProject } from "../clone.ts";
import { outputOf } from "../run.ts";
import { readConsole } from "./console.ts";

describe.each(["library", "health"])(
  "on a fresh clone, what the %s example's README shows is so:",
  (name) => {
    const readme = readFileSync(new URL(`../../examples/${name}/README.md`, import.meta.url), "utf8");
    const shown = readConsole(readme);
    const scope = createScope();
    let cwd = "";

    beforeAll(async () => {
      cwd = scope.use(await cloneProject()).path;
    });

    afterAll(async () => scope[Symbol.asyncDispose]());

    test("it shows the build and the example", () => {
      expect(shown.map(({ command }) => command)).toEqual([
        "npm run --silent build",
        `node examples/${name}/main.js`,
      ]);
    });

    for (const { command, lines } of shown) {
      test(command, async () => {
        const [program = "", ...args] = command.split(" ");
        const output = await outputOf(program, args, { cwd });
        expect(output.trimEnd().split("\n")).toEqual(lines.length === 0 ? [""] : lines);
      });
    }
  },
);
