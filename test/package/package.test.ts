import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { readConsole } from "../examples/console.ts";
import { missingOf, type Needs, testNeeding } from "../needing.ts";
import { outputOf, type Ran, run } from "../run.ts";
import { install, pack, type Packed, type Project } from "./installed.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const NEEDS: Needs = { registry: true };

// Packages are fetched, and whole Nodes.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const scope = createScope();
let packed: Packed;
let project: Project;

beforeAll(async () => {
  packed = scope.use(await pack());
  if (missingOf(NEEDS).length === 0) project = scope.use(await install(packed));
});

afterAll(async () => scope[Symbol.asyncDispose]());

describe("the package", () => {
  test.each([
    ["publint", "publint/src/cli.js", ["--strict"]],
    ["attw", "@arethetypeswrong/cli/dist/index.js", ["--profile", "esm-only"]],
  ])("%s finds no fault with it", async (_, checker, args) => {
    const ran = await run(process.execPath, [`${ROOT}node_modules/${checker}`, ...args, packed.tarball]);
    expect(ran).toMatchObject({ code: 0, stderr: "" });
  });

  testNeeding({ programs: ["tar"] })("holds what is built from src, and nothing else", async () => {
    const listed = (await outputOf("tar", ["-tzf", packed.tarball])).trim().split("\n");
    expect(listed.toSorted()).toEqual(whatIsMeant().toSorted());
  });
});

describe("installed in an empty project", () => {
  testNeeding(NEEDS)("it asks for no other Node and no package that is given up", () => {
    expect(project.installing).toMatchObject({ code: 0 });
    expect(project.installing.stderr).not.toMatch(/EBADENGINE|deprecated/);
  });

  testNeeding(NEEDS)("it type-checks, strictly", () => {
    expect(project.compiling).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  for (const node of nodes()) {
    testNeeding(NEEDS)(`a TypeScript program runs on Node ${node}`, async () => {
      expect(linesOf(await runNode(node, "built/program.js"))).toEqual([
        "web 10.0.0.1 10.0.0.2",
        "api true",
        "refused ERR_ROTA_DECLARATION",
        "changes api",
        "log true",
      ]);
    });

    testNeeding(NEEDS)(`the library example runs on Node ${node}`, async () => {
      const readme = readFileSync(`${ROOT}examples/library/README.md`, "utf8");
      expect(linesOf(await runNode(node, "example.js"))).toEqual(readConsole(readme).at(-1)?.lines);
    });

    testNeeding(NEEDS)(`a CommonJS program gets it by require() on Node ${node}`, async () => {
      expect(linesOf(await runNode(node, "required.cjs"))).toEqual(["function"]);
    });

    testNeeding(NEEDS)(`the command runs on Node ${node}`, async () => {
      const ran = await runNode(node, "node_modules/rota/dist/cli/main.js", "--version");
      expect(linesOf(ran)).toEqual([version()]);
    });
  }

  testNeeding(NEEDS)("npx finds the command", async () => {
    expect(linesOf(await run("npx", ["rota", "--version"], { cwd: project.path }))).toEqual([version()]);
  });
});

/** This Node, and what it is not of the oldest that `engines` allows and the current LTS. */
function nodes(): string[] {
  const others = ["20.19.0", "24"];
  const running = process.versions.node;
  return [running, ...others.filter((other) => !`${running}.`.startsWith(`${other}.`))];
}

async function runNode(version: string, file: string, ...args: string[]): Promise<Ran> {
  const options = { cwd: project.path };
  if (version === process.versions.node) return run(process.execPath, [file, ...args], options);
  return run("npx", ["--yes", `node@${version}`, file, ...args], options);
}

function linesOf({ stdout, stderr, code }: Ran): string[] {
  if (code !== 0) throw new Error(`exited with ${code}: ${stdout}${stderr}`);
  return stdout.trimEnd().split("\n");
}

function whatIsMeant(): string[] {
  const sources = readdirSync(`${ROOT}src`, { recursive: true, encoding: "utf8" });
  const built = sources
    .filter((path) => path.endsWith(".ts"))
    .flatMap((path) => [".js", ".js.map", ".d.ts"].map((ending) => `dist/${path.replace(/\.ts$/, ending)}`));
  const beside = ["package.json", "README.md", "LICENSE", "CHANGELOG.md"];
  return [...built, ...beside].map((path) => `package/${path}`);
}

function version(): string {
  const manifest: { version: string } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8"));
  return manifest.version;
}
