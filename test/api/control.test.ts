import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, readFile, stat } from "node:fs/promises";
import { createConnection, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { askControl, DEFAULT_CONTROL_PATH, openControl, type Question } from "../../src/api/control.ts";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { RotaError } from "../../src/base/error.ts";
import { refusalOf } from "../app/refusal.ts";
import { handles } from "../health/leftovers.ts";
import { testNeeding } from "../needing.ts";
import { createFolder, type Folder } from "../sources/folder.ts";

let scope: Scope;
let folder: Folder;
let path: string;
beforeEach(async () => {
  scope = createScope();
  folder = scope.use(await createFolder());
  path = folder.at("control.sock");
});
afterEach(async () => scope[Symbol.asyncDispose]());

const SIGNAL = AbortSignal.timeout(60_000);

/** Answers `GET /echo/NAME` with the name, and `GET /fail/NAME` with a refusal. */
const QUESTIONS = new Map<string, Question>([
  ["echo", (name, parameters) => ({ text: `it is ${name}${[...parameters].join()}\n`, json: { name } })],
  [
    "fail",
    (name) => {
      throw new RotaError("ERR_ROTA_NAME", `"${name}" is not a name`);
    },
  ],
]);

async function opened(): Promise<AsyncDisposable> {
  return scope.use(await openControl(path, QUESTIONS));
}

async function echo(name: string): Promise<string> {
  return askControl(path, `/echo/${encodeURIComponent(name)}`, "text/plain", SIGNAL);
}

/** All that comes back for these octets, to the end of the connection. */
async function said(octets: string): Promise<string> {
  const socket = await connected();
  socket.write(octets);
  let heard = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  // Not by `once`, which a reset ends: it comes where the server has not read all of it.
  await new Promise((resolve) => {
    socket.on("close", resolve);
  });
  return heard;
}

async function connected(): Promise<Socket> {
  const socket = createConnection(path);
  scope.defer(() => void socket.destroy());
  socket.on("error", () => {}); // who is turned away is told by the end
  await once(socket, "connect");
  return socket;
}

describe("who asks gets", () => {
  test.each(["web", "_http._tcp.web", "192.0.2.1", "::1", "a b", "b\u00fccher", "100%", "a/b?c#d", "."])(
    "an answer for people: %j",
    async (name) => {
      await opened();
      expect(await echo(name)).toBe(`it is ${name}\n`);
    },
  );

  test("an answer by what stands behind the question mark", async () => {
    await opened();
    const told = await askControl(path, "/echo/web?from=%3A%3A1&x", "text/plain", SIGNAL);
    expect(told).toBe("it is webfrom,::1,x,\n");
  });

  test("an answer for programs", async () => {
    await opened();
    const json: unknown = JSON.parse(await askControl(path, "/echo/web", "application/json", SIGNAL));
    expect(json).toEqual({ name: "web" });
  });

  test("the reason why there is none", async () => {
    await opened();
    expect(await refusalOf(askControl(path, "/fail/web", "text/plain", SIGNAL))).toBe(
      `ERR_ROTA_CONTROL: could not ask the server at ${path}: "web" is not a name`,
    );
  });

  test.each(["/", "/echo", "/echo/", "/echo/web/more", "/nosuch/web", "//", "/echo?x=1"])(
    "what else there is at %s",
    async (target) => {
      await opened();
      expect(await refusalOf(askControl(path, target, "text/plain", SIGNAL))).toContain(
        "there is only GET /echo/NAME, GET /fail/NAME",
      );
    },
  );

  test("told that nobody listens, and what to do", async () => {
    expect(await refusalOf(echo("web"))).toBe(
      `ERR_ROTA_CONTROL: could not ask the server at ${path}: no server listens there; ` +
        "start rota serve, name its socket by --control, or name services FILES",
    );
  });
});

describe("what is no question is turned away:", () => {
  test.each<[string, octets: string, status: string]>([
    ["another method", "POST /echo/web HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "404 Not Found"],
    ["garbage", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", "400 Bad Request"],
    ["a name that is badly encoded", "GET /echo/%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400 Bad Request"],
    ["a target without end", `GET /echo/${"a".repeat(100_000)}`, "431 Request Header Fields Too Large"],
    [
      "headers without end",
      `GET /echo/web HTTP/1.1\r\n${"A: b\r\n".repeat(20_000)}`,
      "431 Request Header Fields Too Large",
    ],
  ])("%s", async (_, octets, status) => {
    await opened();
    const [heard = ""] = (await said(octets)).split("\r\n", 1);
    // What has not read all before it closes resets the connection, and with it what it said: Node 24 does.
    if (heard !== "" || octets.length < 100_000) expect(heard).toBe(`HTTP/1.1 ${status}`);
    expect(await echo("web")).toBe("it is web\n");
  });

  test("a body without end is not waited for", async () => {
    await opened();
    const head = "GET /echo/web HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n";
    expect(await said(head + "x".repeat(100_000))).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  test("a hundred connections that say nothing are too many, and others are answered once they are gone", async () => {
    const control = await opened();
    const sockets = await Promise.all(Array.from({ length: 100 }, connected));
    expect(await refusalOf(echo("web"))).toContain(
      "it hung up, as it does on more than it can answer at once; try again",
    );
    const ended = sockets.map(async (socket) => {
      socket.resume();
      if (!socket.closed) await once(socket, "close");
    });
    for (const socket of sockets) socket.destroy();
    await Promise.all(ended);
    expect(await echo("web")).toBe("it is web\n");
    await control[Symbol.asyncDispose]();
  });
});

describe("the socket", () => {
  test("is for its user alone, in a folder of his", async () => {
    path = folder.at("run/rota/control.sock");
    await opened();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(folder.at("run/rota"))).mode & 0o777).toBe(0o700);
  });

  testNeeding({ root: true, programs: ["setpriv", "curl"] })("lets nobody else ask", async () => {
    await opened();
    await chmod(folder.path, 0o755);
    const words = [
      "--reuid=65534",
      "--clear-groups",
      "curl",
      "-sS",
      "--unix-socket",
      path,
      "http://x/echo/web",
    ];
    const child = spawn("setpriv", words, { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/Permission denied|Failed to connect|Couldn't connect|Could not connect/);
  });

  test("is gone when it is closed, with all that was connected", async () => {
    const before = await handles();
    const control = await opened();
    const idle = await connected();
    const closed = once(idle, "close");
    idle.resume();
    await control[Symbol.asyncDispose]();
    await closed;
    await expect(stat(path)).rejects.toThrow("ENOENT");
    expect(await handles()).toEqual(before);
  });

  test("that a killed server left is taken over", async () => {
    const killed = await startOther(path);
    killed.kill("SIGKILL");
    await once(killed, "exit");
    expect((await stat(path)).isSocket()).toBe(true);
    await opened();
    expect(await echo("web")).toBe("it is web\n");
  });

  test("that another server has is left to it", async () => {
    await opened();
    expect(await refusalOf(openControl(path, new Map()))).toBe(
      `ERR_ROTA_CONTROL: could not open the control socket ${path}: another server listens there; ` +
        "choose another by --control PATH",
    );
    expect(await echo("web")).toBe("it is web\n");
  });

  test("does not stand in a file's place", async () => {
    await folder.write("control.sock", "somebody's");
    expect(await refusalOf(opened())).toBe(
      `ERR_ROTA_CONTROL: could not open the control socket ${path}: something that is no socket is there; ` +
        "choose another by --control PATH",
    );
    expect(await readFile(path, "utf8")).toBe("somebody's");
  });

  test("cannot be where no folder can", async () => {
    await folder.write("file", "");
    path = folder.at("file/control.sock");
    expect(await refusalOf(opened())).toMatch(
      /^ERR_ROTA_CONTROL: could not open the control socket .*: (?:ENOTDIR|EEXIST).*; choose another/,
    );
  });

  test.each([
    ["nothing", ""],
    ["more than the system takes", `/tmp/${"a".repeat(110)}`],
    ["octets, not letters, are counted", `/tmp/${"\u00fc".repeat(54)}`],
  ])("cannot be called %s", async (_, long) => {
    const octets = Buffer.byteLength(long);
    const refusal = `ERR_ROTA_CONTROL: could not take the control socket "${long}": a path has 1 to 107 octets, this has ${octets}`;
    expect(await refusalOf(openControl(long, QUESTIONS))).toBe(refusal);
    expect(await refusalOf(askControl(long, "/echo/web", "text/plain", SIGNAL))).toBe(refusal);
  });

  test("may have as long a path as the system takes", async () => {
    path = folder.at("a".repeat(107 - folder.path.length - 1));
    await opened();
    expect(await echo("web")).toBe("it is web\n");
  });
});

test("each user of the machine has a place of his own, whatever the environment", () => {
  expect(DEFAULT_CONTROL_PATH).toMatch(/^\/run\/rota\/control\.sock$|^\/tmp\/rota-\d+\/control\.sock$/);
});

/** A control socket of another process. */
async function startOther(path: string): Promise<ReturnType<typeof spawn>> {
  const control = fileURLToPath(new URL("../../dist/api/control.js", import.meta.url));
  const script = `import { openControl } from ${JSON.stringify(control)};
    await openControl(${JSON.stringify(path)}, new Map());
    console.log("open");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  scope.defer(() => void child.kill("SIGKILL"));
  await once(child.stdout, "data");
  return child;
}
