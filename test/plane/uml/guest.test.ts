import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, vi } from "vitest";
import { testNeeding } from "../../needing.ts";
import { bootGuest, GUEST_NEEDS } from "./guest.ts";

const ECHO = new URL("echo.mjs", import.meta.url).pathname;

/** A guest has one CPU, which others may want as well. */
vi.setConfig({ testTimeout: 90_000 });

const testInGuest = testNeeding(GUEST_NEEDS);

testInGuest(
  "a guest's hub hears and says lines of 100 KB, many at a time, and nothing is left of it",
  async () => {
    let folder = "";
    {
      await using guest = await bootGuest({ hub: ECHO });
      ({ folder } = guest);
      expect(existsSync(folder)).toBe(true);
      const lines = createInterface({ input: guest.output })[Symbol.asyncIterator]();
      const next = async (): Promise<string> => (await lines.next()).value ?? "the end";
      expect(await next()).toBe("ready");
      const sent = Array.from({ length: 4 }, (_, at) => `${at} ${"\u00e9~\u0004 ".repeat(20_000)}.`);
      for (const line of sent) guest.input.write(`${line}\n`);
      for (const line of sent) expect(await next()).toBe(line);
    }
    expect(existsSync(folder)).toBe(false);
    expect(processesOf(folder)).toEqual([]);
  },
);

testInGuest("a guest that cannot run its hub says so", async () => {
  await expect(bootGuest({ hub: "/nowhere/hub.mjs" })).rejects.toThrow(
    /ended before its hub ran.*\/nowhere/s,
  );
});

function processesOf(folder: string): string[] {
  const processes = execFileSync("ps", ["-eo", "pid,args"], { encoding: "utf8" }).split("\n");
  return processes.filter((line) => line.includes(folder));
}
