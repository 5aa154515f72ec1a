import { Packet, type Resource } from "dns2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFreePort, frame, openBoth, openHttp, replyTo, type TestServer } from "../ask/servers.ts";
import { rota, rotaUnread } from "./run.ts";

const { A, SOA, SRV, TXT, PTR } = Packet.TYPE;
const TASK = "a-task-with-a-long-name.web";
const TC = 0x0200;

const KNOWN: readonly Resource[] = [
  known("web", { type: A, address: "10.0.1.11" }),
  known("web", { type: A, address: "10.0.1.12" }),
  known("web", { type: TXT, data: ["team=shop", 'say "hi"'] }),
  known("_http._tcp.web", { type: SRV, priority: 0, weight: 2, port: 8080, target: TASK }),
  known("11.1.0.10.in-addr.arpa", { type: PTR, domain: "a.web" }),
  // More than a datagram holds.
  ...Array.from({ length: 100 }, (_, at) => known("many", { type: A, address: `10.0.2.${at + 1}` })),
];
const APEX = known("rota.internal", {
  type: SOA,
  primary: "ns.rota.internal",
  admin: "mail.rota.internal",
  serial: 7,
  refresh: 1,
  retry: 2,
  expiration: 3,
  minimum: 5,
});

let sockets: TestServer;
let web: TestServer;
let at = "";

beforeAll(async () => {
  sockets = await openBoth(
    (query) => {
      if (query.includes("silence")) return [];
      const reply = answer(query);
      return [reply.length > 1232 ? replyTo(query, { flags: TC }) : reply];
    },
    (socket, query) => socket.write(frame(answer(query))),
  );
  web = await openHttp((request, response) => {
    request.once("data", (query: Buffer) => {
      response.setHeader("content-type", "application/dns-message").end(answer(query));
    });
  });
  at = `127.0.0.1:${sockets.port}`;
});

afterAll(async () => {
  await sockets[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

describe("rota lookup prints what dig would print", () => {
  it.each<[string, string[], number, string]>([
    [
      "the addresses of a service",
      ["web"],
      0,
      `;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: ID
;; flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;web.				IN	A

;; ANSWER SECTION:
web.			5	IN	A	10.0.1.11
web.			5	IN	A	10.0.1.12

;; Query time: N msec
;; SERVER: udp://AT
;; MSG SIZE  rcvd: 64
`,
    ],
    [
      "a type that a name does not have",
      ["web.", "aaaa", "--norecurse"],
      1,
      `;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: ID
;; flags: qr aa; QUERY: 1, ANSWER: 0, AUTHORITY: 1, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;web.				IN	AAAA

;; AUTHORITY SECTION:
rota.internal.		5	IN	SOA	ns.rota.internal. mail.rota.internal. 7 1 2 3 5

;; Query time: N msec
;; SERVER: udp://AT
;; MSG SIZE  rcvd: 89
`,
    ],
    [
      "SRV with a long name, whose columns all move to the right",
      ["_http._tcp.web", "SRV", "--tcp"],
      0,
      `;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: ID
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 2

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; QUESTION SECTION:
;_http._tcp.web.			IN	SRV

;; ANSWER SECTION:
_http._tcp.web.			5	IN	SRV	0 2 8080 a-task-with-a-long-name.web.

;; ADDITIONAL SECTION:
a-task-with-a-long-name.web.	5	IN	A	10.0.1.11

;; Query time: N msec
;; SERVER: tcp://AT
;; MSG SIZE  rcvd: 103
`,
    ],
  ])("%s", async (_, words, code, stdout) => {
    const run = await rota(["lookup", ...words, "-s", at]);
    expect(run.stderr).toBe("");
    expect(steady(run.stdout)).toBe(stdout);
    expect(run.code).toBe(code);
  });

  it("an answer that came over TCP since it was truncated over UDP", async () => {
    const run = await rota(["lookup", "many", "-s", at]);
    const lines = run.stdout.split("\n");
    expect(lines[0]).toBe(";; Truncated, retrying in TCP mode.");
    expect(lines.filter((line) => line.startsWith("many."))).toHaveLength(100);
    expect(lines).toContain(`;; SERVER: tcp://${at}`);
    expect(run).toMatchObject({ stderr: "", code: 0 });
  });
});

it.each<[string[], number, string, string]>([
  [["web"], 0, "10.0.1.11\n10.0.1.12\n", ""],
  [["web", "TXT"], 0, '"team=shop" "say \\"hi\\""\n', ""],
  [["-x", "10.0.1.11"], 0, "a.web.\n", ""],
  [["web", "TYPE65"], 1, "", "rota: web. has no answer: no record of that type\n"],
  [["nobody"], 1, "", "rota: nobody. has no answer: NXDOMAIN\n"],
])("rota lookup --short %j exits %i and prints only data", async (words, code, stdout, stderr) => {
  expect(await rota(["lookup", "--short", ...words, "-s", at])).toEqual({ stdout, stderr, code });
});

it("rota lookup --json prints one object, over HTTPS as over UDP", async () => {
  const run = await rota(["lookup", "web", "--json", "-s", `http://127.0.0.1:${web.port}/dns-query`]);
  const printed: unknown = JSON.parse(run.stdout);
  expect(printed).toEqual({
    status: "NOERROR",
    rcode: 0,
    id: 0,
    flags: ["qr", "aa", "rd"],
    question: { name: "web.", class: "IN", type: "A" },
    answers: [
      { name: "web.", ttl: 5, class: "IN", type: "A", data: "10.0.1.11" },
      { name: "web.", ttl: 5, class: "IN", type: "A", data: "10.0.1.12" },
    ],
    authority: [],
    additionals: [],
    edns: { version: 0, udpSize: 1232, dnssecOk: false, extendedErrors: [] },
    server: `http://127.0.0.1:${web.port}/dns-query`,
    transport: "https",
    retriedOverTcp: false,
    elapsedMs: expect.any(Number),
    octets: 64,
  });
  expect(run).toMatchObject({ stderr: "", code: 0 });
});

it.each(["udp", "tcp", "http"])(
  "once it has its answer over %s, nothing keeps it from exiting",
  async (scheme) => {
    const server = scheme === "http" ? `http://127.0.0.1:${web.port}/` : `${scheme}://${at}`;
    const run = await rota(["lookup", "web", "--short", "--timeout", "1h", "-s", server]);
    expect(run).toEqual({ stdout: "10.0.1.11\n10.0.1.12\n", stderr: "", code: 0 });
  },
);

describe("rota lookup that gets no answer exits 1 with one line", () => {
  it("when nobody listens", async () => {
    const nobody = `127.0.0.1:${await findFreePort()}`;
    expect(await rota(["lookup", "web", "-s", nobody])).toEqual({
      stdout: "",
      stderr: `rota: could not ask udp://${nobody} for web.: connection refused; is rota serve running there?\n`,
      code: 1,
    });
  });

  it("when nobody answers", async () => {
    expect(await rota(["lookup", "silence", "--json", "-s", at, "--timeout", "80ms"])).toEqual({
      stdout: "",
      stderr: `rota: could not ask udp://${at} for silence.: no answer in 80 ms; is rota serve running there?\n`,
      code: 1,
    });
  });

  it("and with a stack trace only for --log-level debug", async () => {
    const words = ["lookup", "silence", "-s", at, "--timeout", "80ms"];
    const loud = await rota([...words, "--log-level", "debug"]);
    expect(loud.stderr).toMatch(/^rota: could not ask [^\n]*\nRotaError: [^\n]*\n {4}at /);
    expect((await rota(words, { ROTA_LOG_LEVEL: "debug" })).stderr).toContain("    at ");
    expect((await rota(words)).stderr).not.toContain("    at ");
  });
});

describe("wrong usage exits 2 with one line", () => {
  it.each<[string[], string]>([
    [[], "say a COMMAND"],
    [["lokup", "web"], "there is no such command; did you mean lookup?"],
    [["frobnicate"], "there is no command, option or argument named frobnicate"],
    [["lookup", "web", "--shrot"], "there is no command, option or argument named shrot"],
    [["lookup", "web", "A", "B"], "there is no command, option or argument named B"],
    [["lookup"], "say the NAME to look up, or the address with -x, and not both"],
    [["lookup", "web", "-x", "10.0.1.11"], "say the NAME to look up, or the address with -x, and not both"],
    [["lookup", "a..b"], '"a..b" is not a name: it has an empty label'],
    [
      ["lookup", "web", "B"],
      '"B" is not a record type: write A, AAAA, SRV, TXT, PTR, SOA, NS, ANY or a number as TYPE65',
    ],
    [["lookup", "-x", "web"], '--reverse: "web" is not an IPv4 or IPv6 address'],
    [["lookup", "web", "-s"], "a value is missing after s"],
    [["lookup", "web", "-s", "::1", "-s", "::2"], '--server: "::1" and "::2": give only one'],
    [
      ["lookup", "web", "-s", "ns1"],
      '--server: "ns1" is not a server: "ns1" is not an IPv4 or IPv6 address; write 127.0.0.1:5300, tcp://[::1]:5300 or https://HOST/dns-query',
    ],
    [
      ["lookup", "web", "--tcp", "-s", "https://ns1/"],
      "--tcp has no meaning for https://ns1/: leave out one of the two",
    ],
    [
      ["lookup", "web", "--timeout", "soon"],
      '--timeout: "soon" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
    [
      ["lookup", "web", "--timeout", "0"],
      '--timeout: "0" is no time for an answer to come: write 2s or 500ms',
    ],
    [["lookup", "web", "--short", "--json"], "--short and --json cannot both be"],
    [
      ["lookup", "web", "--log-level", "loud"],
      'wrong value: log-level cannot be "loud", but "error", "warn", "info", "debug"',
    ],
  ])("%j", async (words, message) => {
    expect(await rota(words)).toEqual({
      stdout: "",
      stderr: `rota: ${message} (see rota --help)\n`,
      code: 2,
    });
  });
});

describe("environment variables", () => {
  it("are what options are if the command line does not say", async () => {
    const other = { ROTA_SERVER: at, ROTA_SHORT: "1", ROTA_TIMEOUT: "" };
    expect(await rota(["lookup", "web"], other)).toMatchObject({ stdout: "10.0.1.11\n10.0.1.12\n", code: 0 });
    expect(await rota(["lookup", "web", "-s", at], { ...other, ROTA_SERVER: "127.0.0.1:1" })).toMatchObject({
      code: 0,
    });
  });

  it("that are no options of this command do not matter, as those that Kubernetes sets for a service named rota", async () => {
    const strangers = {
      ROTA_PORT: "tcp://10.96.0.1:53",
      ROTA_SERVICE_HOST: "10.96.0.1",
      ROTA_LISTEN: "x",
      ROTA_HELP: "1",
    };
    expect(await rota(["lookup", "web", "--short", "-s", at], strangers)).toMatchObject({
      stderr: "",
      code: 0,
    });
  });

  it("are checked as options are", async () => {
    const stderr = 'rota: ROTA_TCP is "perhaps": set it to true or false (see rota --help)\n';
    expect(await rota(["lookup", "web"], { ROTA_TCP: "perhaps" })).toEqual({ stdout: "", stderr, code: 2 });
    expect((await rota(["lookup", "web"], { ROTA_TIMEOUT: "soon" })).stderr).toContain(
      '"soon" is not a duration',
    );
  });
});

describe("rota says of itself", () => {
  it("its version", async () => {
    expect(await rota(["--version"])).toEqual({ stdout: "0.1.0\n", stderr: "", code: 0 });
  });

  it("in --help what it can do, with examples, exit codes and environment variables", async () => {
    const run = await rota(["--help"]);
    expect(run).toMatchObject({ stderr: "", code: 0 });
    for (const part of ["rota lookup [name] [type]", "Examples:", "Exit codes: 0 done", "ROTA_LOG_LEVEL"]) {
      expect(run.stdout).toContain(part);
    }
    expect((await rota(["lookup", "--help"])).stdout).toContain("rota lookup _http._tcp.web SRV --short");
  });

  it("all that in English, whatever the locale", async () => {
    expect((await rota(["--help"], { LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" })).stdout).toContain(
      "Show help",
    );
  });

  it.each([
    ["/bin/bash", "complete -o bashdefault -o default -F _rota_yargs_completions rota"],
    ["/usr/bin/zsh", "#compdef rota"],
  ])("how %s completes it", async (shell, line) => {
    const run = await rota(["completion"], { SHELL: shell });
    expect(run.stdout.split("\n")).toContain(line);
    expect(run).toMatchObject({ stderr: "", code: 0 });
    const completed = await rota(["--get-yargs-completions", "rota", "lookup", "--"], { SHELL: "/bin/bash" });
    expect(completed.stdout.split("\n")).toContain("--norecurse");
  });
});

it("says nothing when whoever reads it goes away, as head -1 does", async () => {
  expect(await rotaUnread(["lookup", "web", "-s", at])).toMatchObject({ stderr: "", code: 0 });
});

function known(name: string, fields: Partial<Resource>): Resource {
  return new Packet.Resource({ name, class: 1, ttl: 5, ...fields });
}

/** What is KNOWN of this name and type, else the apex; NXDOMAIN for any other name. */
function answer(query: Buffer): Buffer {
  const reply = Packet.createResponseFromRequest(Packet.parse(query));
  const [question] = reply.questions;
  const named = KNOWN.filter(({ name }) => name === question?.name);
  const found = named.filter(({ type }) => type === question?.type);
  reply.header.aa = 1;
  if (named.length === 0) reply.header.rcode = 3;
  reply.answers.push(...found);
  if (found.length === 0) reply.authorities.push(APEX);
  if (question?.type === SRV) reply.additionals.push(known(TASK, { type: A, address: "10.0.1.11" }));
  const opt = Packet.Resource.EDNS([]);
  opt.class = 1232;
  reply.additionals.push(opt);
  return reply.toBuffer();
}

/** The output without what differs from run to run. */
function steady(stdout: string): string {
  return stdout
    .replace(/id: \d+/, "id: ID")
    .replace(/time: \d+/, "time: N")
    .replace(at, "AT");
}
