import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { cloneProject } from "../clone.ts";
import { testNeeding } from "../needing.ts";
import { outputOf, plainEnv } from "../run.ts";
import { readConsole, settled, type Shown, turnBetween } from "./console.ts";

const SHOWN = shownIn("../../examples/quickstart/README.md");
/** The project's own README shows the same server. */
const SHOWN_FIRST = shownIn("../../README.md").filter(({ command }) => /^dig |curl /.test(command));

test("the quickstart shows every kind of answer", () => {
  const commands = SHOWN.map(({ command }) => command).join("\n");
  expect(commands).toMatch(/SRV/);
  expect(commands).toMatch(/TXT/);
  expect(commands).toMatch(/-x /);
  expect(commands).toMatch(/AAAA/);
  expect(SHOWN.length).toBeGreaterThan(10);
  expect(SHOWN_FIRST).toHaveLength(3);
});

describe("on a fresh clone, npm start serves what the quickstart's README shows:", () => {
  const scope = createScope();
  let served: Served;
  /** Of each command, how far ahead of the README's its answer was at first: turns begin anywhere. */
  const turns = new Map<string, number>();

  beforeAll(async () => {
    const clone = scope.use(await cloneProject());
    served = scope.use(await npmStart(clone.path));
  });

  afterAll(async () => scope[Symbol.asyncDispose]());

  for (const [at, shown] of [...SHOWN_FIRST, ...SHOWN].entries()) {
    testNeeding({ programs: ["dig", "curl"] })(`${at + 1}. ${shown.command}`, async () =>
      expectShown(shown, served.port, turns),
    );
  }

  test("and Ctrl-C ends it", async () => {
    await served.interrupt();
    await expect(connectTo(served.port)).rejects.toThrow("ECONNREFUSED");
  });
});

function shownIn(readme: string): readonly Shown[] {
  return readConsole(readFileSync(new URL(readme, import.meta.url), "utf8"));
}

async function expectShown(
  { command, lines }: Shown,
  port: number,
  turns: Map<string, number>,
): Promise<void> {
  const real = settled(await outputOf("sh", ["-c", command.replaceAll("-p 5300", `-p ${port}`)]));
  const shown = settled(lines.join("\n"));
  const turn = turnBetween(shown, real);
  if (turn === undefined) expect(real).toEqual(shown);
  // The second time the same is asked, both have moved on by one.
  expect(turn).toBe(turns.get(command) ?? turn);
  turns.set(command, turn ?? 0);
}

interface Served extends AsyncDisposable {
  readonly port: number;
  /** Does what a terminal does for Ctrl-C; resolves when nothing is left that could write. */
  interrupt(): Promise<void>;
}

/** Runs `npm start` on a free port, up to where it says what to type. */
async function npmStart(cwd: string): Promise<Served> {
  const child = spawn("npm", ["start"], {
    cwd,
    env: { ...plainEnv(), ROTA_CONTROL: "none", ROTA_LISTEN: "127.0.0.1:0", ROTA_PLANE: "auto" },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true, // a group of its own, as a terminal would give it
  });
  const closed = once(child, "close");
  const port = await portTold(child);
  return {
    port,
    async interrupt() {
      signalGroup(child, "SIGINT");
      await closed;
    },
    async [Symbol.asyncDispose]() {
      signalGroup(child, "SIGKILL");
      await closed;
    },
  };
}

function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  process.kill(-pid, signal);
}

async function portTold({ stdout }: ChildProcess): Promise<number> {
  if (!stdout) throw new Error("npm start has no output");
  for await (const line of createInterface({ input: stdout })) {
    const [, port] = /dig @127\.0\.0\.1 -p (\d+)/.exec(line) ?? [];
    if (port === undefined) continue;
    stdout.resume(); // what nobody reads must not keep it from ending
    return Number(port);
  }
  throw new Error("npm start ended without saying what to type");
}

async function connectTo(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
