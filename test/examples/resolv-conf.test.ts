import { readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { testInNamespace } from "../clients/namespace.ts";
import { testNeeding } from "../needing.ts";
import { run } from "../run.ts";
import { readConsole } from "./console.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/resolv-conf/", import.meta.url));
const README = readFileSync(`${EXAMPLE}README.md`, "utf8");

testInNamespace({ programs: ["bash", "getent", "curl"] })(
  "the resolv-conf example prints what its README shows",
  async () => {
    const { stdout, stderr, code } = await run(`${EXAMPLE}run.sh`, []);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });

    const [, shown = ""] = /^```console\n([\s\S]*?)^```$/m.exec(README) ?? [];
    expect(headOf(stdout)).toEqual(headOf(shown));
    const ran = outputs(`\`\`\`console\n${stdout}\`\`\`\n`);
    expect(ran).toEqual(outputs(README));
    expect(ran.map(([command]) => command)).toContain("curl --silent http://web:8080/");
  },
);

testNeeding({ programs: ["bash", "unshare", "ip", "mount", "getent", "curl"] })(
  "the resolv-conf example says in one line what is missing",
  async () => {
    const root = await mkdtemp(join(tmpdir(), "rota-example-"));
    onTestFinished(async () => rm(root, { recursive: true }));
    const folder = join(root, "examples", "resolv-conf");
    await mkdir(folder, { recursive: true });
    await copyFile(`${EXAMPLE}run.sh`, join(folder, "run.sh"));
    expect(await run(join(folder, "run.sh"), [])).toEqual({
      code: 1,
      stdout: "",
      stderr: "run.sh: Rota is not built: run npm install && npm run build\n",
    });
  },
);

function headOf(text: string): string[] {
  return text.slice(0, text.indexOf("\n\n")).split("\n");
}

/** Each command with all that it printed, every time it was run; whose turn it was does not matter. */
function outputs(markdown: string): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (const { command, lines } of readConsole(markdown)) {
    // Whichever address comes first bears the name.
    const plain = lines.map((line) => line.replace(/(STREAM).*/, "$1").trimEnd());
    found.set(command, [...(found.get(command) ?? []), ...plain].toSorted());
  }
  return [...found];
}
