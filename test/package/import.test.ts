import { expect, test } from "vitest";
import { run } from "../run.ts";

const DOOR = new URL("../../dist/index.js", import.meta.url).href;

/** What a process has open and listens for. */
const LOOK = `JSON.stringify([
  process.getActiveResourcesInfo(),
  process.eventNames().map((name) => [String(name), process.listenerCount(name)]),
  Object.keys(process.env).length,
])`;

test("importing the library opens nothing, starts nothing, and the process ends by itself", async () => {
  const program = `
    // Open from now on: in Node 24 already importing node:util looks at them.
    process.stdout.write("");
    process.stderr.write("");
    const before = ${LOOK};
    await import(${JSON.stringify(DOOR)});
    // What loading the files took is listed to the end of the event loop's turn.
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    const after = ${LOOK};
    console.log(before);
    console.log(after);
  `;
  const { stdout, stderr, code } = await run(process.execPath, ["--input-type=module", "--eval", program]);
  const [before, after] = stdout.trim().split("\n");
  expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
  expect(after).toBe(before);
});
