import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { attemptHttp } from "../../src/health/http.ts";
import { createTrust } from "../../src/health/tls.ts";
import type { HttpProbe, StatusRange } from "../../src/model/check.ts";
import { parsePattern } from "../../src/model/pattern.ts";
import { openNamespace, testInNamespace } from "../clients/namespace.ts";
import { testNeeding } from "../needing.ts";
import { runAlone } from "./alone.ts";
import {
  answers,
  answersAndCloses,
  answersAndResets,
  type Behaviour,
  closes,
  drips,
  floods,
  openNobody,
  openTask,
  resets,
  says,
  silent,
  targetOf,
  tryTask,
} from "./servers.ts";

const HTTP: HttpProbe = {
  kind: "http",
  port: { name: undefined, number: 1 },
  tls: undefined,
  method: "GET",
  path: "/healthz",
  headers: [],
  host: undefined,
  status: [{ from: 200, to: 299 }],
  body: undefined,
  redirects: 0,
};
const text = (text: string) => ({ kind: "text", text }) as const;
const pattern = (text: string) => ({ kind: "pattern", pattern: parsePattern(text) }) as const;
const only = (...all: number[]): StatusRange[] => all.map((status) => ({ from: status, to: status }));
const OK = "HTTP/1.1 200 OK\r\n";
const EMPTY = "content-length: 0\r\n\r\n";
const KIB = 1024;

type Row = [does: string, behave: Behaviour, probe: Partial<HttpProbe>, expected: string, timeoutMs?: number];

describe("by its status, a task that answers", () => {
  it.each<[line: string, probe: Partial<HttpProbe>, expected: string]>([
    ["HTTP/1.1 200 OK", {}, "pass HTTP 200"],
    ["HTTP/1.1 204 No Content", {}, "pass HTTP 204"],
    ["HTTP/1.0 200 OK", {}, "pass HTTP 200"],
    ["HTTP/1.1 299 Fine", {}, "pass HTTP 299"],
    ["HTTP/1.1 300 Choose", {}, "fail HTTP 300 Choose"],
    ["HTTP/1.1 404 Not Found", {}, "fail HTTP 404 Not Found"],
    ["HTTP/1.1 404 Not Found", { status: only(200, 404) }, "pass HTTP 404"],
    ["HTTP/1.1 200 OK", { status: only(204, 404) }, "fail HTTP 200 OK"],
    ["HTTP/1.1 503 Service Unavailable", {}, "fail HTTP 503 Service Unavailable"],
    ["HTTP/1.1 503 Out\tto lunch", {}, "fail HTTP 503 Out to lunch"],
    ["HTTP/1.1 503 ", {}, "fail HTTP 503 Service Unavailable"],
    ["HTTP/1.1 503", {}, "fail HTTP 503 Service Unavailable"],
    ["HTTP/1.1 999 ", {}, "fail HTTP 999"],
    ["HTTP/1.1 429 Too Many Requests", {}, "warn HTTP 429 Too Many Requests"],
    ["HTTP/1.1 429 Too Many Requests", { status: [{ from: 200, to: 499 }] }, "pass HTTP 429"],
    ["HTTP/1.1 302 Found\r\nlocation: /x", {}, "fail HTTP 302 Found"],
    ["HTTP/1.1 302 Found\r\nlocation: /x", { status: only(302) }, "pass HTTP 302"],
    [
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x",
      {},
      "fail HTTP 101 Switching Protocols",
    ],
    [
      "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x",
      { status: only(101) },
      "pass HTTP 101",
    ],
    ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", {}, "pass HTTP 200"],
    [
      "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".repeat(9) + "HTTP/1.1 500 ",
      {},
      "fail HTTP 500 Internal Server Error",
    ],
  ])("%j, expected %j: %s", async (line, probe, expected) => {
    await using task = await openTask(
      answers(`${line}\r\n${line.includes(" 101 ") ? "" : "content-length: 0\r\n"}\r\n`),
    );
    expect(await tryTask({ ...HTTP, ...probe }, task)).toBe(expected);
  });
});

describe("by its body, a task that", () => {
  const chunked = `${OK}transfer-encoding: chunked\r\n\r\n`;

  it.each<Row>([
    ["gives a length", answers(`${OK}content-length: 2\r\n\r\nok`), { body: text("ok") }, "pass HTTP 200"],
    ["gives no length", answersAndCloses(`${OK}\r\nit is ok`), { body: text("ok") }, "pass HTTP 200"],
    [
      "gives it in chunks",
      answers(`${chunked}1\r\no\r\n1\r\nk\r\n0\r\n\r\n`),
      { body: text("ok") },
      "pass HTTP 200",
    ],
    [
      "has trailers",
      answers(`${chunked}2\r\nok\r\n0\r\nx: y\r\n\r\n`),
      { body: pattern("^ok$") },
      "pass HTTP 200",
    ],
    ["never ends it", floods(`${OK}\r\nok`, "-".repeat(KIB)), { body: text("ok") }, "pass HTTP 200"],
    [
      "says it octet by octet",
      drips(`${OK}content-length: 2000\r\n\r\n${"-".repeat(1998)}ok`),
      { body: pattern("ok$") },
      "pass HTTP 200",
    ],
    ["splits a character", drips(`${OK}content-length: 3\r\n\r\n€`), { body: text("€") }, "pass HTTP 200"],
    [
      "matches until more comes",
      drips(`${OK}content-length: 7\r\n\r\nok, but`),
      { body: pattern("^ok$") },
      'fail HTTP 200 without /^ok$/ in its body: it said "ok, but"',
    ],
    [
      "says something else",
      answers(`${OK}content-length: 4\r\n\r\ndown`),
      { body: text("ok") },
      'fail HTTP 200 without "ok" in its body: it said "down"',
    ],
    [
      "is down by its status",
      answers(`HTTP/1.1 500 \r\ncontent-length: 2\r\n\r\nok`),
      { body: text("ok") },
      "fail HTTP 500 Internal Server Error",
    ],
    [
      "has none",
      answers(`${OK}${EMPTY}`),
      { body: text("ok") },
      'fail HTTP 200 without "ok" in its body: it said nothing',
    ],
    [
      "answers 204",
      answers("HTTP/1.1 204 No Content\r\n\r\n"),
      { body: text("ok") },
      'fail HTTP 204 without "ok" in its body: it said nothing',
    ],
    [
      "is asked for HEAD",
      answers(`${OK}content-length: 2\r\n\r\n`),
      { method: "HEAD", body: text("ok") },
      'fail HTTP 200 without "ok" in its body: it said nothing',
    ],
    [
      "says it at the last moment",
      answers(`${OK}\r\n${"-".repeat(64 * KIB - 2)}ok`),
      { body: text("ok") },
      "pass HTTP 200",
    ],
    [
      "never says it",
      floods(`${OK}\r\n`, "-".repeat(KIB)),
      { body: text("ok") },
      `fail HTTP 200 without "ok" in the first 64 KiB of its body: it said "${"-".repeat(60)}…"`,
    ],
    [
      "never says it, by a pattern",
      floods(`${OK}\r\n`, "-".repeat(KIB)),
      { body: pattern("ok$") },
      `fail HTTP 200 without /ok$/ in the first 64 KiB of its body: it said "${"-".repeat(60)}…"`,
    ],
    [
      "never says it, a letter a chunk",
      floods(chunked, "1\r\n-\r\n".repeat(KIB)),
      { body: text("ok") },
      "fail its body comes in too small pieces",
    ],
    [
      "says it in as many chunks as are read",
      answers(`${chunked}${"1\r\n-\r\n".repeat(4095)}2\r\nok\r\n`),
      { body: text("ok") },
      "pass HTTP 200",
    ],
    [
      "breaks off",
      answersAndCloses(`${OK}content-length: 9\r\n\r\nnot`),
      { body: text("ok") },
      "fail connection closed within its body",
    ],
    [
      "stops in it",
      answers(`${OK}content-length: 9\r\n\r\nnot`),
      { body: text("ok") },
      "fail no answer in 60ms (while reading the body)",
      60,
    ],
    [
      "stops in it where it does not matter",
      answers(`${OK}content-length: 9\r\n\r\nnot`),
      {},
      "pass HTTP 200",
    ],
    ["never ends it where it does not matter", floods(`${OK}\r\n`, "-".repeat(KIB)), {}, "pass HTTP 200"],
  ])("%s", async (_, behave, probe, expected, timeoutMs) => {
    await using task = await openTask(behave);
    expect(await tryTask({ ...HTTP, ...probe }, task, timeoutMs)).toBe(expected);
  });
});

describe("a server that", () => {
  it.each<Row>([
    ["closes at once", closes, {}, "fail connection closed before an answer"],
    ["resets at once", resets, {}, "fail connection reset"],
    ["closes once it was asked", answersAndCloses(""), {}, "fail connection closed before an answer"],
    ["resets once it was asked", answersAndResets(""), {}, "fail connection reset"],
    [
      "closes in the status line",
      answersAndCloses("HTTP/1.1 2"),
      {},
      "fail connection closed before an answer",
    ],
    [
      "closes in the headers",
      answersAndCloses(`${OK}x: y\r\n`),
      {},
      "fail connection closed before an answer",
    ],
    ["speaks before it is asked", says(`${OK}${EMPTY}`), {}, "pass HTTP 200"],
    ["answers twice", answers(`${OK}${EMPTY}HTTP/1.1 500 \r\n${EMPTY}`), {}, "pass HTTP 200"],
    ["answers octet by octet", drips(`${OK}${EMPTY}`), {}, "pass HTTP 200"],
    [
      "never ends its headers",
      floods(OK, "x: y\r\n".repeat(KIB)),
      {},
      "fail its headers have more than 16 KiB",
    ],
    [
      "never ends one header",
      floods(`${OK}x: `, "y".repeat(KIB)),
      {},
      "fail its headers have more than 16 KiB",
    ],
    [
      "never ends its status line",
      floods("HTTP/1.1 200 ", "y".repeat(KIB)),
      {},
      "fail its headers have more than 16 KiB",
    ],
    [
      "never comes to its answer",
      floods("", "HTTP/1.1 102 Processing\r\n\r\n".repeat(KIB)),
      {},
      "fail no end of its answer in 256 KiB",
    ],
    ["says nothing", silent, {}, "fail no answer in 60ms (while waiting for the answer)", 60],
    [
      "stops in the status line",
      answers("HTTP/1.1 2"),
      {},
      "fail no answer in 60ms (while waiting for the answer)",
      60,
    ],
    [
      "stops in the headers",
      answers(`${OK}x: y\r\n`),
      {},
      "fail no answer in 60ms (while waiting for the answer)",
      60,
    ],
    [
      "stops before its final answer",
      answers("HTTP/1.1 100 Continue\r\n\r\n"),
      {},
      "fail no answer in 60ms (while waiting for the answer)",
      60,
    ],
    ["says empty lines for ever", floods("", "\r\n".repeat(KIB)), {}, "fail no end of its answer in 256 KiB"],
  ])("%s", async (_, behave, probe, expected, timeoutMs) => {
    await using task = await openTask(behave);
    expect(await tryTask({ ...HTTP, ...probe }, task, timeoutMs)).toBe(expected);
  });

  // libuv takes a reset right behind other octets for an end.
  it.each([["HTTP/1.1 2"], [`${OK}x: y\r\n`], [`${OK}content-length: 9\r\n\r\nnot`]])(
    "resets after %j",
    async (said) => {
      await using task = await openTask(answersAndResets(said));
      expect(await tryTask({ ...HTTP, body: text("ok") }, task)).toMatch(/^fail connection (?:reset|closed)/);
    },
  );

  it("is not there", async () => {
    await using nobody = await openNobody();
    expect(await tryTask(HTTP, nobody)).toBe("fail connection refused");
  });
});

// The words after the colon are those of Node's parser, and other ones in another version.
describe("it is not HTTP/1.1", () => {
  it.each<[what: string, said: string | Buffer]>([
    ["garbage", "hello\r\n"],
    ["random octets", Buffer.from("80ff00fe0d0a0d0a", "hex")],
    ["HTTP/2's first frame", Buffer.from("000000040000000000", "hex")],
    ["HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["an alert of TLS", Buffer.from("15030100020228", "hex")],
    ["an SSH banner", "SSH-2.0-x\r\n"],
    ["another version", "HTTP/3.7 200 OK\r\n\r\n"],
    ["no number for a status", "HTTP/1.1 OK\r\n\r\n"],
    ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n"],
    ["a header without a name", `${OK}: c\r\n\r\n`],
    ["a name with a space", `${OK}a b: c\r\n\r\n`],
    ["a zero octet in a header", `${OK}a: \0\r\n\r\n`],
    ["two lengths", `${OK}content-length: 1\r\n${EMPTY}`],
    ["a length that is no number", `${OK}content-length: 5x\r\n\r\n`],
    ["a length below zero", `${OK}content-length: -1\r\n\r\n`],
    ["chunks without a size", `${OK}transfer-encoding: chunked\r\n\r\nxyz\r\n`],
    ["chunks of an endless size", `${OK}transfer-encoding: chunked\r\n\r\n${"f".repeat(99)}\r\n`],
  ])("%s", async (_, said) => {
    await using task = await openTask(answers(said));
    const result = await tryTask({ ...HTTP, body: text("x") }, task);
    expect(result).toMatch(/^fail it does not speak HTTP\/1\.1: \w/);
  });
});

describe("it is asked", () => {
  const ASKED = "host: HERE\r\nuser-agent: rota\r\naccept: */*\r\nconnection: close\r\n";

  it.each<[probe: Partial<HttpProbe>, asked: string]>([
    [{}, `GET /healthz HTTP/1.1\r\n${ASKED}`],
    [{ path: "/a?b=%20c" }, `GET /a?b=%20c HTTP/1.1\r\n${ASKED}`],
    [{ method: "HEAD" }, `HEAD /healthz HTTP/1.1\r\n${ASKED}`],
    [{ method: "POST" }, `POST /healthz HTTP/1.1\r\n${ASKED}content-length: 0\r\n`],
    [{ host: "web.example:99" }, `GET /healthz HTTP/1.1\r\n${ASKED.replace("HERE", "web.example:99")}`],
    [
      {
        headers: [
          ["X-A", "1"],
          ["x-a", "2"],
          ["User-Agent", "me"],
        ],
      },
      "GET /healthz HTTP/1.1\r\nX-A: 1\r\nx-a: 2\r\nUser-Agent: me\r\nhost: HERE\r\naccept: */*\r\nconnection: close\r\n",
    ],
  ])("with %j", async (probe, asked) => {
    await using task = await openTask(answers(`${OK}${EMPTY}`));
    expect(await tryTask({ ...HTTP, ...probe }, task)).toBe("pass HTTP 200");
    const heard = task.heard.map((heard) => heard.replace(`${task.address}:${task.port}`, "HERE"));
    expect(heard).toEqual([`${asked}\r\n`]);
  });

  it("over connections of its own, though the server would keep them", async () => {
    await using task = await openTask(answers(`${OK}connection: keep-alive\r\n${EMPTY}`));
    for (let time = 0; time < 3; time++) expect(await tryTask(HTTP, task)).toBe("pass HTTP 200");
    expect(task.heard).toHaveLength(3);
  });

  it("and leaves no listener on the signal", async () => {
    await using task = await openTask(answers(`${OK}${EMPTY}`));
    await using nobody = await openNobody();
    const { signal } = new AbortController();
    const attempt = attemptHttp(createTrust());
    expect((await attempt(HTTP, targetOf(task), signal, () => {})).kind).toBe("pass");
    await expect(attempt(HTTP, targetOf(nobody), signal, () => {})).rejects.toThrow("ECONNREFUSED");
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  testInNamespace({})("without the port that HTTP has anyway", async () => {
    await using namespace = await openNamespace();
    const script = `
      import { createServer } from "node:http";
      import { once } from "node:events";
      const hosts = [];
      const server = createServer((request, response) => {
        hosts.push(request.headers.host);
        response.end();
      });
      await once(server.listen(80, "127.0.0.1"), "listening");
      await run(${JSON.stringify(HTTP)}, 80);
      console.log(JSON.stringify(hosts));
      server.close();`;
    expect(await runAlone(namespace.enter, script)).toEqual(["127.0.0.1"]);
  });

  testNeeding({ ipv6: true })("over IPv6, with its address in brackets", async () => {
    await using task = await openTask(answers(`${OK}${EMPTY}`), { address: "::1" });
    expect(await tryTask(HTTP, task)).toBe("pass HTTP 200");
    expect(task.heard[0]).toContain(`\r\nhost: [::1]:${task.port}\r\n`);
  });
});

describe("a redirect", () => {
  const redirect = (location: string, status = 302): string =>
    `HTTP/1.1 ${status} \r\nlocation: ${location}\r\n${EMPTY}`;
  const pathOf = (heard: string): string => heard.slice(0, heard.indexOf(" HTTP/"));

  /** Answers each path with what `site` has for it. */
  const serving =
    (site: Readonly<Record<string, string>>): Behaviour =>
    (socket) =>
      socket.once("data", (asked) => {
        const path = String(asked).split(" ", 2)[1] ?? "";
        socket.write(site[path] ?? `HTTP/1.1 404 Not Found\r\n${EMPTY}`);
      });

  it.each<[location: string, probe: Partial<HttpProbe>, expected: string, asked: readonly string[]]>([
    ["/b", {}, "pass HTTP 200, redirected once", ["GET /a", "GET /b"]],
    ["b?c=d#e", {}, "fail HTTP 404 Not Found", ["GET /a", "GET /b?c=d"]],
    ["./d/../é", {}, "fail HTTP 404 Not Found", ["GET /a", "GET /%C3%A9"]],
    ["b", { path: "/c/?x" }, "fail HTTP 404 Not Found", ["GET /c/?x", "GET /c/b"]],
    ["http://HERE/b", {}, "pass HTTP 200, redirected once", ["GET /a", "GET /b"]],
    ["http://me:pw@HERE/b", {}, "pass HTTP 200, redirected once", ["GET /a", "GET /b"]],
    ["//HERE/b", {}, "pass HTTP 200, redirected once", ["GET /a", "GET /b"]],
    ["//WEB.example/b", { host: "web.example" }, "pass HTTP 200, redirected once", ["GET /a", "GET /b"]],
    ["/b", { body: text("fine") }, "pass HTTP 200, redirected once", ["GET /a", "GET /b"]],
    ["/b", { status: only(302) }, "fail HTTP 200 OK", ["GET /a", "GET /b"]],
    ["/a", {}, "fail redirects over 3 times", ["GET /a", "GET /a", "GET /a", "GET /a"]],
    ["", {}, "fail redirects over 3 times", ["GET /a", "GET /a", "GET /a", "GET /a"]],
    ["http://other.example/b", {}, "fail redirects to another host: other.example", ["GET /a"]],
    ["http://127.0.0.2/b", {}, "fail redirects to another host: 127.0.0.2", ["GET /a"]],
    [
      "//web.example.evil/b",
      { host: "web.example" },
      "fail redirects to another host: web.example.evil",
      ["GET /a"],
    ],
    ["ftp://HERE/b", {}, "fail redirects to ftp://HERE/b, which is not HTTP", ["GET /a"]],
    ["http://[", {}, 'fail redirects to "http://[", which is no URL', ["GET /a"]],
    ["http://x:99999/", {}, 'fail redirects to "http://x:99999/", which is no URL', ["GET /a"]],
  ])("to %j with %j: %s", async (location, probe, expected, asked) => {
    const here = { text: "" };
    await using task = await openTask((socket) => {
      serving({
        [probe.path ?? "/a"]: redirect(location.replace("HERE", here.text)),
        "/b": `${OK}content-length: 4\r\n\r\nfine`,
      })(socket);
    });
    here.text = `${task.address}:${task.port}`;
    const result = await tryTask({ ...HTTP, path: "/a", redirects: 3, ...probe }, task);
    expect(result.replace(here.text, "HERE")).toBe(expected);
    expect(task.heard.map(pathOf)).toEqual(asked);
  });

  it.each([
    ["POST", 301, "GET"],
    ["POST", 302, "GET"],
    ["POST", 303, "GET"],
    ["POST", 307, "POST"],
    ["POST", 308, "POST"],
    ["PUT", 302, "PUT"],
    ["PUT", 303, "GET"],
    ["HEAD", 303, "HEAD"],
  ])("of a %s by %i asks for %s", async (method, status, then) => {
    await using task = await openTask(serving({ "/a": redirect("/b", status), "/b": `${OK}${EMPTY}` }));
    await tryTask({ ...HTTP, method, path: "/a", redirects: 1 }, task);
    expect(task.heard.map(pathOf)).toEqual([`${method} /a`, `${then} /b`]);
  });

  it("to another port leads to the same task there", async () => {
    await using other = await openTask(answers(`${OK}${EMPTY}`));
    await using task = await openTask(answers(redirect(`http://web.example:${other.port}/b`)));
    const probe = { ...HTTP, host: "web.example", redirects: 1 };
    expect(await tryTask(probe, task)).toBe("pass HTTP 200, redirected once");
    expect(other.heard[0]).toContain(`\r\nhost: web.example:${other.port}\r\n`);
  });

  it("is followed before its body is there", async () => {
    const slow = "HTTP/1.1 302 \r\nlocation: /b\r\ncontent-length: 9\r\n\r\n";
    await using task = await openTask(serving({ "/a": slow, "/b": `${OK}content-length: 4\r\n\r\nfine` }));
    const probe = { ...HTTP, path: "/a", status: [{ from: 200, to: 399 }], body: text("fine"), redirects: 1 };
    expect(await tryTask(probe, task, 1000)).toBe("pass HTTP 200, redirected once");
  });

  it("without a Location is judged like any answer, as is one that says 304", async () => {
    for (const status of ["302 Found", "304 Not Modified\r\nlocation: /b"]) {
      await using task = await openTask(answers(`HTTP/1.1 ${status}\r\n${EMPTY}`));
      expect(await tryTask({ ...HTTP, redirects: 3 }, task)).toBe(`fail HTTP ${status.split("\r")[0]}`);
    }
  });

  it("of 10,000 in a row is followed as often as it may be, one connection at a time", async () => {
    let asked = 0;
    const next: Behaviour = (socket) => socket.once("data", () => socket.write(redirect(`/${++asked}`)));
    await using task = await openTask(next);
    expect(await tryTask({ ...HTTP, redirects: 10 }, task)).toBe("fail redirects over 10 times");
    expect(asked).toBe(11);
    expect(await tryTask({ ...HTTP, redirects: 10_000 }, task, 100)).toMatch(/^fail no answer in 100ms/);
  });
});
