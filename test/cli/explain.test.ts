import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askControl } from "../../src/api/control.ts";
import { createScope } from "../../src/base/scope.ts";
import { openProbedTask, type ProbedTask } from "../app/probed-task.ts";
import { createFolder, type Folder } from "../sources/folder.ts";
import { rota } from "./run.ts";
import { serving } from "./serving.ts";

const scope = createScope();
let folder: Folder;
beforeAll(async () => {
  folder = scope.use(await createFolder());
});
afterAll(async () => scope[Symbol.asyncDispose]());

/** What is another each time as one that is the same: times, ports of tasks, VIPs, and where the files are. */
function settled(text: string): string {
  return text
    .replaceAll(`${folder.path}/`, "")
    .replaceAll(/\d+(?:\.\d+)?m?s(?= ago)|(?<= in )\d+(?:\.\d+)?m?s/g, "T")
    .replaceAll(/(?<=held for |start period for )(?:59m\d+s|1h)/g, "T")
    .replaceAll(/127\.64\.\d+\.\d+/g, "VIP")
    .replaceAll(/, TTL 5s +(?=because)/g, ", TTL 5s  ")
    .replaceAll(/NODATA +(?=because)/g, "NODATA  ");
}

async function task(id: string, address: string): Promise<ProbedTask> {
  return scope.use(await openProbedTask(id, address));
}

describe("of a running server, explain tells", () => {
  let control = "";
  let port = 0;

  beforeAll(async () => {
    const [a, b, c, late, slow, flap] = await Promise.all([
      task("a", "127.0.3.1"),
      task("b", "127.0.3.2"),
      task("c", "127.0.3.3"),
      task("l", "127.0.3.4"),
      task("s", "127.0.3.5"),
      task("f", "127.0.3.6"),
    ]);
    port = a.port;
    control = folder.at("control.sock");
    const at = ({ address, port }: ProbedTask): string => `"${address}:${port}"`;
    const check = "http: /healthz, interval: 100ms, timeout: 1h";
    const file = await folder.write(
      "services.yaml",
      `services:
  web:
    endpoint_mode: dnsrr
    aliases: [www]
    ports: [{ name: http, target: 80 }]
    healthcheck: { ${check} }
    tasks:
      - { id: a, slot: 1, address: ${at(a)} }
      - { id: b, address: ${at(b)} }
      - { id: c, address: ${at(c)} }
  api: { namespace: shop, ports: [{ name: rpc, target: 90 }], tasks: [192.0.2.1, 192.0.2.2] }
  idle: { endpoint_mode: dnsrr }
  late: { endpoint_mode: dnsrr, ports: [80], healthcheck: { ${check} }, tasks: [${at(late)}] }
  slow: { endpoint_mode: dnsrr, ports: [80], healthcheck: { ${check}, start_period: 1h }, tasks: [{ id: s, address: ${at(slow)} }] }
  flap: { endpoint_mode: dnsrr, ports: [80], healthcheck: { ${check}, rise: 1, fall: 1, hold: 1h }, tasks: [{ id: f, address: ${at(flap)} }] }
  one: { endpoint_mode: dnsrr, aliases: [both], tasks: [192.0.2.11] }
  two: { endpoint_mode: dnsrr, aliases: [both], tasks: [192.0.2.12] }
`,
    );
    const admin = await folder.write("admin.state", "# for the night\nweb/b => drain\n");
    scope.use(
      serving([file, "--admin", admin, "--control", control, "--start-wait", "1h", "--drain-grace", "1h"]),
    );
    await Promise.all([
      a.says("++"),
      b.says("+"),
      c.says("---"),
      late.asked(),
      slow.says("--"),
      flap.says("+-++"),
    ]);
  });

  /** As the command prints it, without starting one for each question. */
  async function explained(name: string): Promise<string> {
    const target = `/explain/${encodeURIComponent(name)}`;
    return settled(await askControl(control, target, "text/plain", AbortSignal.timeout(10_000)));
  }

  test("who of a service serves, who does not, and why", async () => {
    const { stdout, stderr, code } = await rota(["explain", "web", "--control", control]);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    expect(settled(stdout)).toBe(`\
web is the service web (services.yaml:2:3)
  A     to everyone:  127.0.3.1, TTL 5s  because 1 of 3 tasks serves
  AAAA  to everyone:  NODATA  because no task that is shown has an IPv6 address

1 of 3 tasks serving; checked by http GET /healthz on port http (80) every 100ms, time-out 1h, rise 2, fall 3
  b  127.0.3.2  draining  +    taken out by admin.state:2, T ago; HTTP 200 in T, T ago; next now
  c  127.0.3.3  failing   ---  HTTP 500 Internal Server Error, T ago; 3 failures in a row; next now
  a  127.0.3.1  passing   ++   HTTP 200 in T, T ago; next now
`);
  });

  test("to whom: what the machine itself, and a task, would be told", async () => {
    const { stdout, code } = await rota(["explain", "api.shop", "--from", "192.0.2.1", "--control", control]);
    expect(code).toBe(0);
    expect(stdout).toContain("  A     to 192.0.2.1, on default:  ");
    const { stderr } = await rota(["explain", "api.shop", "--from", "web", "--control", control]);
    expect(stderr).toContain('--from: "web" is not an IPv4 or IPv6 address');
  });

  test("the same of an alias and of tasks., in whatever spelling", async () => {
    const [, ...lines] = (await explained("web")).split("\n");
    for (const name of ["www", "tasks.web", "WEB.rota.internal", "tasks.www."]) {
      const [first, ...others] = (await explained(name)).split("\n");
      expect(first).toMatch(/ is the (?:service|tasks of)? ?web \(services\.yaml:2:3\)$/);
      expect(others).toEqual(lines);
    }
  });

  test.each(["c", "c.web", "c.web.rota.internal."])("a task's own name, that answers: %s", async (name) => {
    expect(await explained(name)).toBe(`\
${name} is the task c of web (services.yaml:2:3)
  A     to everyone:  127.0.3.3, TTL 5s  because a task's own name answers whether it serves or not
  AAAA  to everyone:  NODATA  because the task has no IPv6 address

1 of 3 tasks serving; checked by http GET /healthz on port http (80) every 100ms, time-out 1h, rise 2, fall 3
  c  127.0.3.3  failing  ---  HTTP 500 Internal Server Error, T ago; 3 failures in a row; next now
`);
  });

  test.each<[name: string, lines: readonly string[]]>([
    ["1.web", ["1.web is the task a of web (services.yaml:2:3)"]],
    [
      "127.0.3.3",
      [
        "127.0.3.3 is the task c of web (services.yaml:2:3)",
        "  PTR  to everyone:  c.web.rota.internal., TTL 5s  because the address is the task's",
      ],
    ],
    ["3.3.0.127.in-addr.arpa", ["3.3.0.127.in-addr.arpa is the task c of web (services.yaml:2:3)"]],
    [
      "api.shop",
      [
        "api.shop is the service api.shop (services.yaml:11:3)",
        "  A     to everyone:  VIP, TTL 5s  because the VIP is the service's, whoever serves",
        "  AAAA  to everyone:  NODATA  because the service has no VIP that is an IPv6 address",
        "",
        "2 of 2 tasks serving; not checked",
        "  192-0-2-1  192.0.2.1  unchecked",
        "  192-0-2-2  192.0.2.2  unchecked",
      ],
    ],
    [
      "_rpc._tcp.api.shop",
      [
        "_rpc._tcp.api.shop is port rpc of the service api.shop (services.yaml:11:3)",
        "  SRV  to everyone:  0 0 90 api.shop.rota.internal., TTL 5s",
        "    because the VIP is the service's, whoever serves",
      ],
    ],
    [
      "idle",
      [
        "idle is the service idle (services.yaml:12:3)",
        "  A     to everyone:  NODATA  because the service has no tasks",
        "  AAAA  to everyone:  NODATA  because the service has no tasks",
        "",
        "0 of 0 tasks serving; not checked",
      ],
    ],
    [
      "late",
      [
        "late is the service late (services.yaml:13:3)",
        "  A     to everyone:  SERVFAIL",
        "    because its first round of checks is under way: no result yet of 1 of 1 task",
        "  AAAA  to everyone:  SERVFAIL",
        "    because its first round of checks is under way: no result yet of 1 of 1 task",
      ],
    ],
    [
      "slow",
      [
        "slow is the service slow (services.yaml:14:3)",
        "  A     to everyone:  NODATA  because no task is serving (1 starting), and when_empty is nodata",
        "  AAAA  to everyone:  NODATA  because no task is serving (1 starting), and when_empty is nodata",
        "",
        "0 of 1 task serving; checked by http GET /healthz on port 80 every 100ms, time-out 1h, rise 2, fall 3, start period 1h",
        "  s  127.0.3.5  starting  --  HTTP 500 Internal Server Error, T ago; in its start period for T more: failures do not count; next now",
      ],
    ],
    [
      "flap",
      [
        "flap is the service flap (services.yaml:15:3)",
        "  A     to everyone:  NODATA  because no task is serving (1 failing), and when_empty is nodata",
        "  AAAA  to everyone:  NODATA  because no task is serving (1 failing), and when_empty is nodata",
        "",
        "0 of 1 task serving; checked by http GET /healthz on port 80 every 100ms, time-out 1h, rise 1, fall 1, hold 1h",
        "  f  127.0.3.6  failing  +-++  HTTP 200 in T, T ago; 2 passes in a row; held for T more, as it flaps; last failed T ago; next now",
      ],
    ],
    [
      "both",
      [
        "both is the service one (services.yaml:16:3)",
        "  A     to everyone:  192.0.2.11, TTL 5s  because 1 of 1 task serves",
        "  AAAA  to everyone:  NODATA  because no task that is shown has an IPv6 address",
        "note: the name both is claimed by two services: one (services.yaml:16:3) answers, two (services.yaml:17:3) does not",
      ],
    ],
    [
      "weeb",
      [
        "weeb is nothing here",
        "  A  to everyone:  NXDOMAIN  because no service, alias or task is called so",
        "note: did you mean web?",
      ],
    ],
    [
      "quite.other.rota.internal",
      [
        "quite.other.rota.internal is nothing here",
        "  A  to everyone:  NXDOMAIN  because no service, alias or task is called so",
        "note: the services are web, api.shop, idle, late, slow, flap, one and two",
      ],
    ],
    [
      "api",
      [
        "api is nothing here",
        "  A  to everyone:  NXDOMAIN  because no service, alias or task is called so",
        "note: with its namespace there is api.shop",
      ],
    ],
    [
      "shop",
      [
        "shop is nothing itself: only names beneath it exist",
        "  A  to everyone:  NODATA  because other names end in it, and it has nothing itself",
        "note: beneath it there is api.shop",
      ],
    ],
    [
      "www.example.com",
      [
        "www.example.com is nothing here",
        "  A  to everyone:  REFUSED",
        "    because it is not in the zone rota.internal, and no short name of a service or task",
      ],
    ],
    [
      "198.51.100.1",
      [
        "198.51.100.1 is nothing here",
        "  PTR  to everyone:  REFUSED  because no task, VIP or declared network has this address",
      ],
    ],
    [
      "rota.internal",
      [
        "rota.internal is the zone itself",
        "  A  to everyone:  NODATA  because the zone has SOA and NS, and no address",
        "",
      ],
    ],
    [
      "ns.rota.internal",
      [
        "ns.rota.internal is the name of this server",
        "  A  to everyone:  127.0.0.1, TTL 5s  because it is where this server is asked",
        "",
      ],
    ],
  ])("%s", async (name, lines) => {
    expect((await explained(name)).split("\n").slice(0, lines.length)).toEqual(lines);
  });

  test("a port of tasks, each at its own", async () => {
    expect((await explained("_http._tcp.web")).split("\n")).toEqual(
      expect.arrayContaining([
        "_http._tcp.web is port http of the service web (services.yaml:2:3)",
        `  SRV  to everyone:  0 1 ${port} a.web.rota.internal., TTL 5s  because 1 of 3 tasks serves`,
      ]),
    );
  });

  test("whose a VIP is", async () => {
    const { stdout } = await rota(["explain", "api.shop", "--json", "--control", control]);
    const vip = /127\.64\.\d+\.\d+/.exec(stdout)?.[0] ?? "";
    expect((await explained(vip)).split("\n").slice(0, 2)).toEqual([
      "VIP is the VIP of the service api.shop (services.yaml:11:3)",
      "  PTR  to everyone:  api.shop.rota.internal., TTL 5s  because the address is the service's VIP",
    ]);
  });

  test("the same to programs, and where the server is asked by ROTA_CONTROL", async () => {
    const { stdout, code } = await rota(["explain", "web", "--json"], { ROTA_CONTROL: control });
    expect(code).toBe(0);
    const json: unknown = JSON.parse(stdout);
    expect(json).toMatchObject({
      name: "web",
      meaning: "the service web",
      answers: [
        { type: "A", clients: "everyone", outcome: "NOERROR", records: ["127.0.3.1"], ttl: 5 },
        { type: "AAAA", outcome: "NODATA", records: [] },
      ],
      service: { name: "web", aliases: ["www"], isWaiting: false },
      tasks: [
        { id: "a", status: "passing", isServing: true, isAnswering: true, results: "++" },
        { id: "b", status: "draining", isServing: false, isAnswering: false, results: "+" },
        { id: "c", status: "failing", isServing: false, isAnswering: false, results: "---" },
      ],
      notes: [],
    });
  });
});

describe("of services files, without a server, explain tells", () => {
  /** What it prints, and with which exit code. */
  async function ranBy(name: string, text: string, ...words: readonly string[]): Promise<[string, number]> {
    const file = await folder.write("offline.yaml", text);
    const { stdout, stderr, code } = await rota(["explain", name, file, ...words]);
    expect(stderr).toBe("");
    return [settled(stdout), code ?? -1];
  }

  async function explainedBy(text: string, ...words: readonly string[]): Promise<string> {
    const [told, code] = await ranBy("web", text, ...words);
    expect(code).toBe(0);
    return told;
  }

  const web = (check: string, ...tasks: readonly string[]): string =>
    `services: { web: { endpoint_mode: dnsrr, ports: [80], healthcheck: { ${check} }, tasks: [${tasks.join(", ")}] } }\n`;

  test("that no task was tried", async () => {
    expect(await explainedBy(web("tcp: true", "{ id: a, address: 127.0.3.9 }"))).toBe(`\
web is the service web (offline.yaml:1:13)
  A     to everyone:  not known: no task was tried
  AAAA  to everyone:  not known: no task was tried
note: --probe tries each task once

1 task, not tried; checked by tcp on port 80 every 5s, time-out 2s, rise 2, fall 3
  a  127.0.3.9  not tried
`);
  });

  test("a service of a file in which some are checked by commands, as long as none is to be run", async () => {
    const other = "  api: { ports: [80], healthcheck: { exec: 'true' }, tasks: [192.0.2.2] }\n";
    const file = `services:\n  web: { endpoint_mode: dnsrr, tasks: [192.0.2.1] }\n${other}`;
    expect(await explainedBy(file)).toContain("  A     to everyone:  192.0.2.1, TTL 5s");
    expect(await explainedBy(file, "--probe")).toContain("  A     to everyone:  192.0.2.1, TTL 5s");
    expect(await explainedBy(web("exec: 'true'", "192.0.2.1"))).toContain("not known: no task was tried");
  });

  test("with --probe which tasks would serve", async () => {
    const listening = createServer().listen(0, "127.0.3.7");
    await once(listening, "listening");
    scope.defer(() => void listening.close());
    const bound = listening.address();
    const port = typeof bound === "object" ? bound?.port : 0;
    const tasks = [`{ id: a, address: "127.0.3.7:${port}" }`, `{ id: b, address: "127.0.3.8:${port}" }`];
    expect(await explainedBy(web("tcp: true", ...tasks), "--probe")).toBe(`\
web is the service web (offline.yaml:1:13)
  A     to everyone:  127.0.3.7, TTL 5s  because 1 of 2 tasks serves
  AAAA  to everyone:  NODATA  because no task that is shown has an IPv6 address

1 of 2 tasks serving; checked by tcp on port 80 every 5s, time-out 2s, rise 2, fall 3
  b  127.0.3.8  starting  -  connection refused, T ago
  a  127.0.3.7  passing   +  connected in T, T ago
`);
  });

  test("with --probe and --allow-exec what a command says", async () => {
    const check = 'exec: "echo I am $$ROTA_TASK; exit 3"';
    const file = web(check, "{ id: a, address: 192.0.2.1 }");
    const [told] = await ranBy("web", file, "--probe", "--allow-exec");
    expect(told).toContain("  a  192.0.2.1  starting  -  exit 3: I am a, T ago\n");
  });

  test.each<[which: string, code: number, name: string, text: string]>([
    ["that none of its tasks would serve", 1, "web", web("tcp: true", '"127.0.3.9:1"')],
    ["that it has no task", 1, "web", "services: { web: { endpoint_mode: dnsrr } }\n"],
    ["that there is no service", 1, "other", web("tcp: true", '"127.0.3.9:1"')],
    ["that its tasks serve unchecked", 0, "web", "services: { web: { tasks: [192.0.2.1] } }\n"],
    ["nothing of tasks that send heartbeats", 0, "web", web("heartbeat: 30s", "192.0.2.1")],
  ])("with --probe by its exit code %s: %i", async (_, code, name, text) => {
    expect((await ranBy(name, text, "--probe"))[1]).toBe(code);
  });

  test("with --probe in finite time what is no fault of the task", async () => {
    const check = `https: { path: /, port: 1, tls: { ca: ${folder.at("no.pem")} } }, timeout: 500ms`;
    const [told] = await ranBy("web", web(check, "{ id: a, address: 127.0.3.9 }"), "--probe");
    expect(told).toMatch(/^ {2}a {2}127\.0\.3\.9 {2}starting {2}\? {2}.*no\.pem.*, T ago$/m);
  });

  test("with --probe that heartbeats do not come here", async () => {
    expect(await explainedBy(web("heartbeat: 30s", "{ id: a, address: 127.0.3.9 }"), "--probe")).toBe(`\
web is the service web (offline.yaml:1:13)
  A     to everyone:  not known: no task was tried
  AAAA  to everyone:  not known: no task was tried
note: heartbeats reach a running server only

1 task, not tried; checked by heartbeat, by rota.report, at least every 30s
  a  127.0.3.9  not tried
`);
  });

  test("of a service that is not checked, with --probe as without it", async () => {
    const file = "services: { web: { endpoint_mode: dnsrr, tasks: [192.0.2.1] } }\n";
    const told = await explainedBy(file, "--probe");
    expect(told).toContain("1 of 1 task serving; not checked\n  192-0-2-1  192.0.2.1  unchecked\n");
    expect(await explainedBy(file)).toBe(told);
  });

  test("as JSON, too", async () => {
    const json: unknown = JSON.parse(
      await explainedBy("services: { web: { endpoint_mode: dnsrr } }", "--json"),
    );
    expect(json).toMatchObject({
      name: "web",
      answers: [{ outcome: "NODATA" }, { outcome: "NODATA" }],
      tasks: [],
    });
  });
});

describe("explain tells in a line what it cannot do, and exits", () => {
  test.each<[string, words: readonly string[], code: number, message: RegExp]>([
    [
      "when no server listens",
      ["web", "--control", "/nowhere/control.sock"],
      1,
      /^rota: could not ask the server at \/nowhere\/control\.sock: no server listens there; start rota serve, name its socket by --control, or name services FILES\n$/,
    ],
    ["without a name", [], 2, /^rota: say the NAME to explain/],
    ["on what is no name", ["a..b"], 2, /^rota: "a\.\.b" is not a name: it has an empty label/],
    [
      "on --probe without files",
      ["web", "--probe"],
      2,
      /^rota: --probe needs FILES: a running server probes by itself/,
    ],
    [
      "on a file that is not there",
      ["web", "/nowhere/s.yaml"],
      1,
      /^\/nowhere\/s\.yaml: could not be read: there is no such file or folder\n$/,
    ],
    [
      "on the socket of a server that has none",
      ["web", "--control", "none"],
      2,
      /^rota: --control none is nowhere to ask: name the socket of a running server, or FILES/,
    ],
    [
      "on a socket's path that is too long",
      ["web", "--control", `/tmp/${"a".repeat(120)}`],
      1,
      /^rota: could not take the control socket .*: a path has 1 to 107 octets, this has 125\n$/,
    ],
  ])("%s", async (_, words, code, message) => {
    const run = await rota(["explain", ...words]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
    expect(run).toMatchObject({ code, stdout: "" });
  });

  test("on files that are wrong, a line for each mistake as rota check", async () => {
    const file = await folder.write("wrong.yaml", "services:\n  web: { task: [] }\n  api: { ttl: 5 sec }\n");
    const { stdout, stderr, code } = await rota(["explain", "web", file]);
    expect(settled(stderr).split("\n")).toEqual([
      'wrong.yaml:2:10: services.web: unknown key "task": did you mean tasks?',
      expect.stringMatching(/^wrong\.yaml:3:\d+: services\.api\.ttl: /),
      "",
    ]);
    expect({ stderr, stdout, code }).toEqual(await rota(["check", file]));
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
  });

  test("on a command that is not allowed and would be run", async () => {
    const exec = "{ ports: [80], healthcheck: { exec: 'true' }, tasks: [192.0.2.1] }";
    const file = await folder.write("exec.yaml", `services: { web: ${exec} }\n`);
    const { stdout, stderr, code } = await rota(["explain", "web", file, "--probe"]);
    expect(settled(stderr)).toBe(
      "exec.yaml:1:13: the check of web runs a command: allow it with --allow-exec, or leave out --probe\n",
    );
    expect({ stdout, code }).toEqual({ stdout: "", code: 1 });
  });

  test("but ROTA_CONTROL=none is no trouble to who names files", async () => {
    const file = await folder.write("fine.yaml", "services: { web: { tasks: [192.0.2.1] } }\n");
    expect(await rota(["explain", "web", file], { ROTA_CONTROL: "none" })).toMatchObject({
      stderr: "",
      code: 0,
    });
  });
});
