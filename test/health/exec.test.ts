import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { attemptExec } from "../../src/health/exec.ts";
import type { Outcome, Target } from "../../src/health/outcome.ts";
import { parseAddress } from "../../src/model/address.ts";
import { outputOf } from "../run.ts";
import { handles, processesWith } from "./leftovers.ts";

type Command = readonly [program: string, ...words: string[]];

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "exec-"));
  writeFileSync(join(folder, "text"), "not a program");
  writeFileSync(join(folder, "script"), "#!/nowhere/interpreter\n", { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

describe("a command that ends", () => {
  it.each([
    ["passes with 0", "exit 0", "pass exit 0"],
    ["passes and says something", "echo well; echo and good", "pass exit 0"],
    ["fails with any other number", "exit 3", "fail exit 3"],
    ["fails and says why on stderr", "echo 'oh no' >&2; exit 1", "fail exit 1: oh no"],
    [
      "shows progress before it says why it failed, as curl does",
      String.raw`printf '0 100\r50 100\r\n' >&2; echo 'curl: (22) error: 503' >&2; echo; exit 22`,
      "fail exit 22: curl: (22) error: 503",
    ],
    ["begins with empty lines", "echo; echo; echo late; exit 1", "fail exit 1: late"],
    ["colours what it says", String.raw`printf '\033[31mred\033[0m\r\n'; exit 1`, "fail exit 1: [31mred [0m"],
    ["kills itself", "kill -SEGV $$", "fail ended by SIGSEGV"],
    ["is killed while it says something", "echo halfway; kill -KILL $$", "fail ended by SIGKILL: halfway"],
    ["reads stdin, which is empty", "cat; exit 4", "fail exit 4"],
    ["prints much", "head -c 1000000 /dev/zero | tr '\\0' x", "pass exit 0"],
    ["prints for ever", "yes", "fail printed over 1 MiB"],
    ["prints for ever to stderr", "yes >&2", "fail printed over 1 MiB"],
    ["prints for ever and ignores SIGTERM", "trap '' TERM; yes", "fail printed over 1 MiB"],
  ])("%s", async (_, text, expected) => {
    expect(await afterwards(["/bin/sh", "-c", text])).toBe(expected);
  });

  it("is given its words as they are, without a shell", async () => {
    const print = ["/bin/sh", "-c", 'echo "$1|$2|$3"; exit 1', "sh"] as const;
    expect(await afterwards([...print, "a_b", "$HOME;", "*"])).toBe("fail exit 1: a_b|$HOME;|*");
  });

  // Each goes on when the one that it leaves behind is where it should be.
  it.each([
    ["in the background", "sh -c ': > FIFO; sleep 1000' & cat FIFO; echo done", "pass exit 0"],
    [
      "who has none of its files",
      "sh -c ': > FIFO; sleep 1000' >&- 2>&- 3>&- & cat FIFO; exit 1",
      "fail exit 1",
    ],
    ["who ignores SIGTERM", "(trap '' TERM; : > FIFO; sleep 1000) & cat FIFO", "pass exit 0"],
    ["in another session", "setsid sh -c ': > FIFO; sleep 1000' & cat FIFO; echo done", "pass exit 0"],
    ["there who prints elsewhere", "setsid sh -c ': > FIFO; sleep 1000' >&- 2>&- & cat FIFO", "pass exit 0"],
    [
      "there who prints for ever",
      "setsid sh -c ': > FIFO; yes; sleep 1000' & cat FIFO; sleep 1000",
      "fail printed over 1 MiB",
    ],
  ])("leaves nobody behind %s", async (_, text, expected) => {
    expect(await afterwards(["/bin/sh", "-c", text.replaceAll("FIFO", makeFifo())])).toBe(expected);
  });

  it("is not waited for because of somebody who cannot be found", async () => {
    const text = "env -i setsid sh -c ': > FIFO; exec sleep 1000' & cat FIFO; echo $!; exit 1";
    const printed = await run(["/bin/sh", "-c", text.replaceAll("FIFO", makeFifo())]);
    expect(printed).toMatch(/^fail exit 1: \d+$/);
    process.kill(Number(printed.slice("fail exit 1: ".length)), "SIGKILL");
  });
});

describe("a command's environment", () => {
  const PRINT = 'echo "$ROTA_SERVICE|$ROTA_TASK|$ROTA_ADDRESS|$ROTA_PORT|$INHERITED"; exit 1';
  const target: Target = {
    service: "web.shop",
    task: "b",
    address: parseAddress("fd00::12"),
    port: 8080,
  };

  it("tells it whom it is for", async () => {
    vi.stubEnv("INHERITED", "yes");
    expect(await run(["/bin/sh", "-c", PRINT], target)).toBe("fail exit 1: web.shop|b|fd00::12|8080|yes");
  });

  it("has nothing of these from outside", async () => {
    for (const name of ["SERVICE", "TASK", "ADDRESS", "PORT"]) vi.stubEnv(`ROTA_${name}`, "outside");
    const words = await run(["/bin/sh", "-c", PRINT], { ...target, port: undefined });
    expect(words).toBe("fail exit 1: web.shop|b|fd00::12||");
  });
});

describe("a command that cannot be run", () => {
  it.each([
    ["does not exist", "nowhere", "no such program, or its interpreter is missing; write its whole path"],
    ["has no interpreter", "script", "no such program, or its interpreter is missing; write its whole path"],
    [
      "is not executable",
      "text",
      "it is no file that may be executed; chmod +x it, or name the program that reads it",
    ],
    [
      "is a folder",
      ".",
      "it is no file that may be executed; chmod +x it, or name the program that reads it",
    ],
  ])("%s", async (_, file, why) => {
    const program = `${folder}/${file}`;
    expect(await afterwards([program])).toBe(`fail could not run ${program}: ${why}`);
  });

  it("is not found on the PATH", async () => {
    vi.stubEnv("PATH", folder); // one's own may have folders that one may not look into, which is told otherwise
    expect(await afterwards(["rota-no-such-program"])).toMatch(
      /^fail could not run rota-no-such-program: no such/,
    );
  });

  it("does not run when the time is already over", async () => {
    await expect(run(["true"], someone(), AbortSignal.abort())).rejects.toThrow("aborted");
  });

  it("throws EMFILE, and keeps no pipe, when no file can be opened any more", async () => {
    const exec = fileURLToPath(new URL("../../dist/health/exec.js", import.meta.url));
    const story = `
      import { openSync } from "node:fs";
      import { attemptExec } from ${JSON.stringify(exec)};
      const target = { service: "web", task: "a", address: "\\x7f\\0\\0\\x01", port: undefined };
      const attempt = () => attemptExec({ kind: "exec", port: undefined, command: ["true"] }, target, new AbortController().signal, () => {});
      await attempt();
      const before = process.getActiveResourcesInfo().length;
      try { for (;;) openSync("/dev/null"); } catch {}
      const code = await attempt().catch((error) => error.code);
      await new Promise(setImmediate);
      console.log(code, process.getActiveResourcesInfo().length - before);`;
    const limited = [
      "-c",
      'ulimit -n 64; exec "$0" --input-type=module --eval "$1"',
      process.execPath,
      story,
    ];
    expect(await outputOf("/bin/sh", limited)).toBe("EMFILE 0\n");
  });
});

describe("a command whose time is over", () => {
  it.each([
    ["hangs", "ready; sleep 1000"],
    ["ignores SIGTERM", "trap '' TERM; ready; sleep 1000"],
    ["ignores SIGTERM, and so does what it started", "trap '' TERM; sleep 1000 & sleep 1000 & ready; wait"],
    ["says goodbye on SIGTERM and goes on", "trap 'echo bye' TERM; ready; while :; do sleep 1; done"],
    ["waits for what it started", "sleep 1000 | sleep 1000 & ready; wait"],
    ["has ended its stdout and stderr", "exec >&- 2>&-; ready; sleep 1000"],
    [
      "has ended all that it was given, and ignores SIGTERM",
      "exec >&- 2>&- 3>&-; trap '' TERM; ready; sleep 1000",
    ],
    [
      "has ended all but a child that ignores SIGTERM",
      "exec >&- 2>&- 3>&-; (trap '' TERM; ready; sleep 1000) & wait",
    ],
    ["started somebody in another session", "setsid sleep 1000 & ready; sleep 1000"],
    ["started many in other sessions", "for i in 1 2 3 4 5 6 7 8; do setsid sleep 1000 & done; ready; wait"],
    ["started somebody who starts others", "setsid sh -c 'while :; do setsid sleep 1; done' & ready; wait"],
    [
      "started somebody in another session who has none of its files",
      "setsid sh -c 'exec >/dev/null 2>&1 3>&-; : > FIFO; exec sleep 1000' & sleep 1000",
    ],
    ["is stopped", "ready; kill -STOP $$; sleep 1000"],
    ["prints now and then", "ready; while :; do echo still here; sleep 0.01; done"],
  ])("%s", async (_, text) => {
    const fifo = makeFifo();
    const target = someone();
    const before = await handles();
    const ending = new AbortController();
    const running = run(
      ["/bin/sh", "-c", `ready() { : > FIFO; }; ${text}`.replaceAll("FIFO", fifo)],
      target,
      ending.signal,
    );
    await readFile(fifo); // ends when the command is ready
    expect(processesWith(`ROTA_TASK=${target.task}`)).not.toEqual([]);
    ending.abort();
    await expect(running).rejects.toThrow("aborted");
    expect(processesWith(`ROTA_TASK=${target.task}`)).toEqual([]);
    expect(await handles()).toEqual(before);
  });

  it("among many leaves nobody behind either", async () => {
    const hidden = "setsid sh -c 'exec >/dev/null 2>&1 3>&-; : > FIFO; exec sleep 1000' & sleep 1000";
    const ending = new AbortController();
    const targets = Array.from({ length: 8 }, someone);
    const fifos = targets.map(() => makeFifo());
    const running = Promise.allSettled(
      targets.map(async (target, at) =>
        run(["/bin/sh", "-c", hidden.replaceAll("FIFO", fifos[at] ?? "")], target, ending.signal),
      ),
    );
    await Promise.all(fifos.map(async (fifo) => readFile(fifo)));
    ending.abort();
    await running;
    for (const { task } of targets) expect(processesWith(`ROTA_TASK=${task}`)).toEqual([]);
  });

  it("may tidy up first", async () => {
    const fifo = makeFifo();
    const text = `trap 'echo tidied > ${folder}/tidied; exit' TERM; : > ${fifo}; while :; do sleep 0.01; done`;
    const ending = new AbortController();
    const running = run(["/bin/sh", "-c", text], someone(), ending.signal);
    await readFile(fifo);
    ending.abort();
    await expect(running).rejects.toThrow("aborted");
    expect(await readFile(join(folder, "tidied"), "utf8")).toBe("tidied\n");
  });
});

/** What came of a command, when it is sure that nothing is left of it. */
async function afterwards(command: Command): Promise<string> {
  const target = someone();
  const before = await handles();
  const outcome = await run(command, target);
  expect(processesWith(`ROTA_TASK=${target.task}`)).toEqual([]);
  expect(await handles()).toEqual(before);
  return outcome;
}

async function run(
  command: Command,
  target = someone(),
  signal = new AbortController().signal,
): Promise<string> {
  const outcome: Outcome = await attemptExec(
    { kind: "exec", port: undefined, command },
    target,
    signal,
    () => {},
  );
  return `${outcome.kind} ${outcome.detail}`;
}

/** What is read from it ends when somebody has written to it. */
function makeFifo(): string {
  const path = join(folder, randomUUID());
  execFileSync("mkfifo", [path]);
  return path;
}

/** A task that no other test has. */
function someone(): Target {
  return { service: "web", task: randomUUID(), address: parseAddress("127.0.0.1"), port: undefined };
}
