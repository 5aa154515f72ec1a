import { describe, expect, expectTypeOf, test } from "vitest";
import type { Check, Probe } from "../../src/model/check.ts";
import type { Declaration } from "../../src/model/declaration.ts";
import { formatName } from "../../src/model/name.ts";
import type { HealthcheckInput } from "../../src/schema/healthcheck-input.ts";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { formatProblem } from "../../src/schema/problem.ts";
import { parseService, parseServicesFile, servicesJsonSchema } from "../../src/schema/schema.ts";

const PORTS: ServiceDeclaration["ports"] = [
  { name: "dns", target: 53, protocol: "udp" },
  { name: "http", target: 8080, port: 80 },
  { name: "admin", target: 9000 },
  { name: "dns", target: 5353 },
];

function declare(healthcheck: HealthcheckInput, ports = PORTS): Declaration {
  const service = { ports, healthcheck, tasks: ["10.0.0.1", "10.0.0.2"] };
  return parseService("web", service, { networks: new Map(), origin: "test", allowExec: true });
}

function checkOf(healthcheck: HealthcheckInput, ports = PORTS): Check {
  const { check } = declare(healthcheck, ports);
  if (check === undefined) throw new Error("there is no check");
  return check;
}

function probeOf(healthcheck: HealthcheckInput, ports = PORTS): Probe {
  return checkOf(healthcheck, ports).probe;
}

/** What is wrong with a health check, without where it stands. */
function wrongWith(healthcheck: unknown, ports = PORTS, allowExec = true): string[] {
  const parsed = parseServicesFile({ services: { web: { ports, healthcheck } } }, () => "", { allowExec });
  const problems = parsed.ok ? [] : parsed.problems.map(formatProblem);
  return problems.map((problem) => problem.replace(/^services\.web\.healthcheck[.:]? ?/, ""));
}

function warningsOf(healthcheck: HealthcheckInput): readonly string[] {
  const parsed = parseServicesFile({ services: { web: { ports: PORTS, healthcheck } } }, () => "", {
    allowExec: true,
  });
  return parsed.ok ? parsed.warnings.map(formatProblem) : ["is wrong"];
}

describe("a health check", () => {
  const own = {
    intervalMs: 5000,
    timeoutMs: 2000,
    rise: 2,
    fall: 3,
    startPeriodMs: 0,
    startIntervalMs: 5000,
    hold: undefined,
  };
  const docker = { ...own, intervalMs: 30_000, timeoutMs: 30_000, rise: 1 };

  test.each<[string, HealthcheckInput, Partial<Check>]>([
    ["Rota's defaults", { tcp: true }, own],
    ["Docker's, in Compose's words", { test: "true" }, docker],
    [
      "what is said of it",
      {
        tcp: true,
        interval: "1m",
        timeout: "1m30s",
        rise: 1,
        fall: 5,
        start_period: 20,
        start_interval: "500ms",
      },
      {
        intervalMs: 60_000,
        timeoutMs: 90_000,
        rise: 1,
        fall: 5,
        startPeriodMs: 20_000,
        startIntervalMs: 500,
      },
    ],
    [
      "what is said of it in Compose's words",
      { test: "true", interval: "1m", timeout: "10s", retries: 5, start_period: "40s", start_interval: "1s" },
      {
        intervalMs: 60_000,
        timeoutMs: 10_000,
        rise: 1,
        fall: 5,
        startPeriodMs: 40_000,
        startIntervalMs: 1000,
      },
    ],
    ["retries for fall", { tcp: true, retries: 7 }, { ...own, fall: 7 }],
    [
      "the interval for the start as well",
      { tcp: true, interval: "9s" },
      { ...own, intervalMs: 9000, startIntervalMs: 9000 },
    ],
    ["Docker's start interval", { test: "true", interval: "9s" }, { ...docker, intervalMs: 9000 }],
    [
      "Docker's for zeros",
      { test: "true", interval: "0s", timeout: 0, retries: 0, start_interval: "0m0s" },
      docker,
    ],
    ["what is said in digits", { test: "true", retries: "5", disable: "false" }, { ...docker, fall: 5 }],
    ["Docker's for a zero in digits", { test: "true", retries: "0", timeout: "0" }, docker],
    ["very large numbers", { tcp: true, rise: 10_000, retries: 10_000 }, { rise: 10_000, fall: 10_000 }],
    ["a hold", { tcp: true, hold: "10s" }, { hold: { initialMs: 10_000, maxMs: 300_000 } }],
    [
      "a hold over the default's end",
      { tcp: true, hold: "6m" },
      { hold: { initialMs: 360_000, maxMs: 360_000 } },
    ],
    [
      "a hold with both ends",
      { tcp: true, hold: { initial: 1, max: "1m" } },
      { hold: { initialMs: 1000, maxMs: 60_000 } },
    ],
    [
      "a hold with one end",
      { tcp: true, hold: { initial: 1 } },
      { hold: { initialMs: 1000, maxMs: 300_000 } },
    ],
    [
      "a heartbeat's own duration, and one of each",
      { heartbeat: "30s", start_period: "1m" },
      {
        probe: { kind: "heartbeat" },
        intervalMs: 30_000,
        timeoutMs: 30_000,
        rise: 1,
        fall: 1,
        startPeriodMs: 60_000,
        startIntervalMs: 30_000,
      },
    ],
  ])("has %s", (_, healthcheck, expected) => {
    expect(checkOf(healthcheck)).toMatchObject(expected);
  });

  test("makes every task a checked one, and none is one without it", () => {
    expect(declare({ tcp: true }).tasks.map(({ isChecked }) => isChecked)).toEqual([true, true]);
    expect(declare({ disable: true }).tasks.map(({ isChecked }) => isChecked)).toEqual([false, false]);
  });

  test.each<HealthcheckInput>([
    { disable: true },
    { disable: true, exec: "exit 0", interval: "10s" },
    { disable: "true" },
    { test: ["NONE"] },
    { test: ["NONE"], interval: 0 },
    { test: ["NONE"], interval: "10s", retries: 3 },
  ])("%j is none, and runs nothing that would have to be allowed", (healthcheck) => {
    expect(declare(healthcheck).check).toBeUndefined();
    expect(wrongWith(healthcheck, PORTS, false)).toEqual([]);
  });

  test.each<[unknown, string]>([
    ["tcp", ': must be a mapping, not "tcp"'],
    [["/healthz"], ": must be a mapping, not a list"],
    [null, ": is empty: indent what belongs to it, or write { disable: true }"],
    ["/healthz", ': must be a mapping, not "/healthz": write { http: /healthz }'],
    ["/a: b", ': must be a mapping, not "/a: b"'],
    ["none", ': must be a mapping, not "none": write { disable: true }'],
    [false, ": must be a mapping, not false: write { disable: true }"],
    [{ disable: "yes" }, 'disable: must be true or false, not "yes"'],
    [{}, ": does not say how: write tcp, http, https, grpc, dns, exec, heartbeat or test, or disable: true"],
    [
      { interval: "5s", disable: false },
      ": does not say how: write tcp, http, https, grpc, dns, exec, heartbeat or test, or disable: true",
    ],
    [{ tcp: true, http: "/" }, ": has 2 probes, tcp and http: write one"],
    [{ test: "x", grpc: true, dns: "x" }, ": has 3 probes, grpc, dns and test: write one"],
    [{ htp: "/" }, ': unknown key "htp": did you mean http?'],
    [{ tcp: true, interval: "50ms" }, 'interval: "50ms" does not do: write a duration from 100ms to 24h'],
    [{ tcp: true, interval: "25h" }, 'interval: "25h" does not do: write a duration from 100ms to 24h'],
    [{ tcp: true, timeout: 0 }, "timeout: 0 does not do: write a duration from 1ms to 24h"],
    [{ tcp: true, timeout: "x" }, 'timeout: "x" is not a duration: write it as 5s, 1m30s or 500ms'],
    [{ tcp: true, start_period: -1 }, "start_period: -1 does not do: write a duration from 0s to 24h"],
    [{ tcp: true, start_interval: 0 }, "start_interval: 0 does not do: write a duration from 100ms to 24h"],
    [{ tcp: true, interval: [] }, "interval: must be a duration, as 5s or 1m30s, not a list"],
    [{ tcp: true, interval: "0s" }, 'interval: "0s" does not do: write a duration from 100ms to 24h'],
    [
      { tcp: true, interval: 90_000 },
      "interval: 90000 counts seconds and does not do: write a duration from 100ms to 24h",
    ],
    [{ tcp: true, rise: 0 }, "rise: must be a whole number from 1 to 10000, not 0"],
    [{ tcp: true, fall: 10_001 }, "fall: must be a whole number from 1 to 10000, not 10001"],
    [{ tcp: true, retries: 0 }, "retries: must be a whole number from 1 to 10000, not 0"],
    [{ tcp: true, retries: "10001" }, "retries: must be a whole number from 0 to 10000, not 10001"],
    [{ tcp: true, retries: "few" }, 'retries: must be a whole number, not "few"'],
    [{ tcp: true, fall: 2, retries: 2 }, "retries: is another word for fall: write one of them"],
    [{ tcp: true, hold: { initial: 2, max: 1 } }, "hold.max: is less than initial: write as much at least"],
    [{ tcp: true, hold: { max: 1 } }, "hold.initial: is missing"],
    [{ tcp: true, hold: true }, "hold: must be a duration or a mapping with initial and max, not true"],
    [{ heartbeat: "10ms" }, 'heartbeat: "10ms" does not do: write a duration from 100ms to 24h'],
    [
      { heartbeat: 9, interval: 9 },
      "interval: does not go with heartbeat: nothing is asked, and its own duration is all that counts",
    ],
    [
      { heartbeat: 9, timeout: 9 },
      "timeout: does not go with heartbeat: nothing is asked, and its own duration is all that counts",
    ],
    [
      { heartbeat: 9, start_interval: 9 },
      "start_interval: does not go with heartbeat: nothing is asked, and its own duration is all that counts",
    ],
    [
      { heartbeat: 9, rise: 1 },
      "rise: does not go with heartbeat: one report passes, and none for its duration fails",
    ],
    [
      { heartbeat: 9, fall: 1 },
      "fall: does not go with heartbeat: one report passes, and none for its duration fails",
    ],
    [
      { heartbeat: 9, retries: 1 },
      "retries: does not go with heartbeat: one report passes, and none for its duration fails",
    ],
  ])("%j is refused", (healthcheck, message) => {
    expect(wrongWith(healthcheck)).toEqual([message.replace(/^: /, "")]);
  });
});

describe("a number that counts seconds", () => {
  test.each<[HealthcheckInput, readonly string[]]>([
    [{ tcp: true, interval: 5000 }, ["interval: 5000"]],
    [{ tcp: true, timeout: "5000" }, ["timeout: 5000"]],
    [
      { tcp: true, start_period: 3601, start_interval: 86_400 },
      ["start_period: 3601", "start_interval: 86400"],
    ],
    [{ tcp: true, hold: 5000 }, ["hold: 5000"]],
    [{ tcp: true, hold: { initial: 5000, max: 30_000 } }, ["hold.initial: 5000", "hold.max: 30000"]],
    [{ tcp: true, interval: 3600, timeout: "2h", hold: "1h1m" }, []],
  ])("in %j is warned of where milliseconds may have been meant", (healthcheck, odd) => {
    expect(warningsOf(healthcheck)).toEqual(
      odd.map((at) => {
        const [, number = ""] = at.split(": ");
        return `services.web.healthcheck.${at} counts seconds: write ${number}ms if milliseconds were meant`;
      }),
    );
  });
});

test("a heartbeat is warned of in a file, and is what a program may declare", () => {
  const healthcheck = { heartbeat: "30s" };
  expect(warningsOf(healthcheck)).toEqual([
    "services.web.healthcheck.heartbeat: is told by the program that imports Rota, by rota.report: rota serve by itself hears none",
  ]);
  expect(warningsOf({ ...healthcheck, disable: true })).toEqual([]);

  const warned: string[] = [];
  const warn = (message: string): void => void warned.push(message);
  parseService("web", { healthcheck }, { networks: new Map(), origin: "test", warn });
  expect(warned).toEqual([]);
});

describe("the port of a probe", () => {
  const http = { name: "http", number: 8080 };

  test.each<[HealthcheckInput, object | undefined]>([
    [{ tcp: true }, http],
    [{ tcp: {} }, http],
    [{ http: "/" }, http],
    [{ https: "/" }, http],
    [{ grpc: true }, http],
    [{ exec: ["true"] }, { name: "dns", number: 53 }],
    [{ dns: "example.org" }, { name: "dns", number: 53 }],
    [{ dns: { name: "example.org", transport: "tcp", port: "DNS" } }, { name: "dns", number: 5353 }],
    [{ tcp: "admin" }, { name: "admin", number: 9000 }],
    [{ http: { port: "Admin" } }, { name: "admin", number: 9000 }],
    [{ grpc: { port: 9000 } }, { name: "admin", number: 9000 }],
    [{ tcp: 9000 }, { name: "admin", number: 9000 }],
    [{ tcp: "9000" }, { name: "admin", number: 9000 }],
    [{ http: { port: "22" } }, { name: undefined, number: 22 }],
    [{ tcp: { port: 22 } }, { name: undefined, number: 22 }],
    // What is written is where tasks listen: not the VIP's port, nor another transport's.
    [{ tcp: 80 }, { name: undefined, number: 80 }],
    [{ tcp: 53 }, { name: undefined, number: 53 }],
  ])("of %j is one of the service's if it can be", (healthcheck, port) => {
    expect(probeOf(healthcheck)).toHaveProperty("port", port);
  });

  test("may be missing only for a command", () => {
    expect(probeOf({ exec: "exit 0" }, [])).toHaveProperty("port", undefined);
    expect(probeOf({ tcp: 22 }, [])).toHaveProperty("port", { name: undefined, number: 22 });
  });

  test.each<[unknown, ServiceDeclaration["ports"], string]>([
    [
      { tcp: true },
      [],
      "tcp: has no port to go to: the service declares none over tcp: write port in it, or give the service ports",
    ],
    [
      { https: { path: "/" } },
      ["53/udp"],
      "https: has no port to go to: the service declares none over tcp: write port in it, or give the service ports",
    ],
    [
      { dns: "x" },
      [80],
      "dns: has no port to go to: the service declares none over udp: write port in it, or give the service ports",
    ],
    [{ tcp: "htp" }, PORTS, 'tcp: no port is named "htp": did you mean http?'],
    [{ grpc: { port: "x" } }, PORTS, 'grpc.port: no port is named "x": write dns, http or admin'],
    [{ http: { port: "x" } }, [], 'http.port: no port is named "x": the service declares none'],
    [
      { dns: { name: "x", port: "http" } },
      PORTS,
      "dns.port: port http is over tcp, and this probe goes over udp: name another, or write a number",
    ],
    [{ tcp: 0 }, PORTS, "tcp: must be a whole number from 1 to 65535, not 0"],
    [{ grpc: { port: "65536" } }, PORTS, 'grpc.port: must be a whole number from 1 to 65535, not "65536"'],
  ])("of %j, of %j, is refused", (healthcheck, ports, message) => {
    expect(wrongWith(healthcheck, ports)).toEqual([message]);
  });
});

describe("a tcp probe", () => {
  test.each<[HealthcheckInput, object]>([
    [{ tcp: true }, { kind: "tcp", send: "", expect: undefined }],
    [
      { tcp: { send: "PING\r\n", expect: "+PONG" } },
      { send: "PING\r\n", expect: { kind: "text", text: "+PONG" } },
    ],
    [{ tcp: { expect: { pattern: "^220 " } } }, { expect: { kind: "pattern", pattern: "^220 " } }],
  ])("%j", (healthcheck, expected) => {
    expect(probeOf(healthcheck)).toMatchObject(expected);
  });

  test.each<[unknown, string]>([
    [false, ": must be true, a port number, the name of a port, or a mapping, not false"],
    [null, ": must be true, a port number, the name of a port, or a mapping, not empty"],
    [{ expct: "x" }, ': unknown key "expct": did you mean expect?'],
    [{ expect: "" }, ".expect: is empty"],
    [{ expect: 5 }, ".expect: must be text or a mapping with a pattern, not 5"],
    [{ expect: { pattern: 5 } }, ".expect.pattern: must be text, not 5: put it in quotes"],
  ])("%j is refused", (tcp, message) => {
    expect(wrongWith({ tcp })).toEqual([`tcp${message}`]);
  });

  test("with a pattern that is none is refused", () => {
    expect(wrongWith({ tcp: { expect: { pattern: "(" } } })).toEqual([
      expect.stringMatching(/^tcp\.expect\.pattern: "\(" is not a regular expression of RE2's syntax: /),
    ]);
  });
});

describe("an http probe", () => {
  const plain = {
    kind: "http",
    tls: undefined,
    method: "GET",
    path: "/",
    headers: [],
    host: undefined,
    status: [{ from: 200, to: 299 }],
    body: undefined,
    redirects: 0,
  };
  const tls = { ca: undefined, servername: undefined, insecure: false };

  test.each<[HealthcheckInput, object]>([
    [{ http: "/healthz?full=1" }, { ...plain, path: "/healthz?full=1" }],
    [{ http: {} }, plain],
    [{ https: "/" }, { ...plain, tls }],
    [{ https: { tls: { ca: "ca.pem" } } }, { ...plain, tls: { ...tls, ca: "ca.pem" } }],
    [
      { https: { tls: { servername: "shop.example", insecure: true } } },
      { ...plain, tls: { ...tls, servername: "shop.example", insecure: true } },
    ],
    [
      { http: { path: "/a", method: "options", headers: { "X-One": "1", two: 2 }, redirects: 10 } },
      {
        ...plain,
        path: "/a",
        method: "OPTIONS",
        headers: [
          ["X-One", "1"],
          ["two", "2"],
        ],
        redirects: 10,
      },
    ],
    [{ http: { status: 204 } }, { ...plain, status: [{ from: 204, to: 204 }] }],
    [{ http: { status: "200-399" } }, { ...plain, status: [{ from: 200, to: 399 }] }],
    [
      { http: { status: [404, "200-299", "301"] } },
      {
        ...plain,
        status: [
          { from: 404, to: 404 },
          { from: 200, to: 299 },
          { from: 301, to: 301 },
        ],
      },
    ],
    [{ http: { body: "ok" } }, { ...plain, body: { kind: "text", text: "ok" } }],
    [{ http: { body: { pattern: "o+k" } } }, { ...plain, body: { kind: "pattern", pattern: "o+k" } }],
    ...["shop.example", "shop.example:8080", "10.0.0.1:80", "[fd00::1]", "[fd00::1]:443"].map(
      (host): [HealthcheckInput, object] => [{ http: { host } }, { ...plain, host }],
    ),
  ])("%j", (healthcheck, expected) => {
    expect(probeOf(healthcheck)).toEqual({ ...expected, port: { name: "http", number: 8080 } });
  });

  test.each<[unknown, string]>([
    [true, ': must be a path, as "/healthz", or a mapping, not true'],
    ["healthz", ': "healthz" is not a path: begin it with /'],
    [
      "http://localhost:8080/healthz",
      ': "http://localhost:8080/healthz" is not a path: write the path alone, as the host is each task\'s and the port is written as port',
    ],
    [
      { path: "HTTPS://x" },
      '.path: "HTTPS://x" is not a path: write the path alone, as the host is each task\'s and the port is written as port',
    ],
    [{ path: "/h", tls: {} }, ': unknown key "tls": it goes with https: write that instead of http'],
    [{ insecure: true }, ': unknown key "insecure": it goes with https, under tls'],
    ["/a b", ': "/a b" is not a path: write %20 for a space, and other characters likewise'],
    ["/a\r\nX: y", ': "/a\\r\\nX: y" is not a path: write %20 for a space, and other characters likewise'],
    ["/a#b", ': "/a#b" is not a path: write %20 for a space, and other characters likewise'],
    [{ path: "" }, '.path: "" is not a path: begin it with /'],
    [{ method: "G T" }, '.method: "G T" is not a method: write GET, HEAD or another'],
    [{ method: "connect" }, ".method: CONNECT asks for a tunnel, not for an answer: write another"],
    [{ method: "HEAD", body: "x" }, ".body: has a body to look for, and HEAD brings none: write method: GET"],
    [{ headers: { "a b": "x" } }, '.headers: "a b" is not the name of a header'],
    [{ headers: { a: "x\ny: z" } }, '.headers: a cannot be "x\\ny: z": it is one line of Latin-1'],
    [{ headers: { HOST: "x" } }, ".headers: HOST cannot be set: write host beside headers"],
    [{ headers: { "Content-Length": 5 } }, ".headers: Content-Length cannot be set: a probe sends no body"],
    [{ headers: { a: ["x"] } }, ".headers.a: must be text or a number, not a list"],
    ...["", "a b", "a:0", "a:70000", "a/b", "[10.0.0.1]", "fd00::1", "[::1"].map(
      (host): [unknown, string] => [
        { host },
        `.host: "${host}" is not a host: write shop.example or shop.example:8080`,
      ],
    ),
    [{ status: 99 }, ".status: must be a whole number from 100 to 599, not 99"],
    ...["2xx", "200,204", "200 - 299", "299-200", "200-600", "99", ""].map((status): [unknown, string] => [
      { status },
      `.status: "${status}" is not a status: write 200, a range as "200-299", or a list as [200, "300-399"], from 100 to 599`,
    ]),
    [{ status: [] }, ".status: is empty: no status would be well"],
    [{ status: [200, true] }, '.status[1]: must be a status, as 200 or "200-299", not true'],
    [{ redirects: 11 }, ".redirects: must be a whole number from 0 to 10, not 11"],
  ])("%j is refused", (http, message) => {
    expect(wrongWith({ http })).toEqual([`http${message}`]);
  });

  test.each<[unknown, string]>([
    [{ ca: "" }, "ca: is empty"],
    [{ servername: "10.0.0.1" }, 'servername: "10.0.0.1" is an address, and TLS asks for names: write one'],
    [{ servername: "a b" }, 'servername: "a b" is not a name: write shop.example'],
    [{ servername: "a..b" }, 'servername: "a..b" is not a name: it has an empty label'],
    [{ insecure: 1 }, "insecure: must be true or false, not 1"],
  ])("over TLS with %j is refused", (tls, message) => {
    expect(wrongWith({ https: { tls } })).toEqual([`https.tls.${message}`]);
  });

  test.each(["ca", "servername", "insecure"])("over TLS with %s beside tls is refused", (word) => {
    expect(wrongWith({ https: { [word]: "x" } })).toEqual([
      `https: unknown key "${word}": write it under tls`,
    ]);
  });
});

describe("a grpc probe", () => {
  const tls = { ca: undefined, servername: undefined, insecure: false };

  test.each<[HealthcheckInput, object]>([
    [{ grpc: true }, { kind: "grpc", service: "", tls: undefined }],
    [{ grpc: "shop.Cart" }, { service: "shop.Cart", tls: undefined }],
    [{ grpc: { service: "shop.Cart", tls: true } }, { service: "shop.Cart", tls }],
    [{ grpc: { tls: false } }, { service: "", tls: undefined }],
    [{ grpc: { tls: { insecure: true } } }, { tls: { ...tls, insecure: true } }],
  ])("%j", (healthcheck, expected) => {
    expect(probeOf(healthcheck)).toMatchObject(expected);
  });

  test.each<[unknown, string]>([
    [false, ": must be true, the name of a gRPC service, or a mapping, not false"],
    ["", ": is empty"],
    [{ insecure: true }, ': unknown key "insecure": write it under tls'],
    [{ tls: "yes" }, '.tls: must be true, false or a mapping, not "yes"'],
    [{ servce: "x" }, ': unknown key "servce": did you mean service?'],
  ])("%j is refused", (grpc, message) => {
    expect(wrongWith({ grpc })).toEqual([`grpc${message}`]);
  });
});

describe("a dns probe", () => {
  function shown(healthcheck: HealthcheckInput): object {
    const probe = probeOf(healthcheck);
    if (probe.kind !== "dns") throw new Error(`is a probe over ${probe.kind}`);
    const { name, type, transport, rcode, answers } = probe;
    return { name: formatName(name), type, transport, rcode, answers };
  }
  const plain = { name: "example.org.", type: 1, transport: "udp", rcode: "NOERROR", answers: [] };

  test.each<[HealthcheckInput, object]>([
    [{ dns: "Example.ORG" }, plain],
    [{ dns: { name: "example.org.", transport: "tcp" } }, { ...plain, transport: "tcp" }],
    [{ dns: { name: "example.org", rcode: "nxdomain" } }, { ...plain, rcode: "NXDOMAIN" }],
    [
      { dns: { name: "example.org", type: "aaaa", answers: ["FD00:0::1", "a.example.org."] } },
      { ...plain, type: 28, answers: ["fd00::1", "a.example.org."] },
    ],
  ])("%j", (healthcheck, expected) => {
    expect(shown(healthcheck)).toEqual(expected);
  });

  test.each<[unknown, string]>([
    ["a..b", ': "a..b" is not a name: it has an empty label'],
    [{}, ".name: is missing"],
    [{ name: "x", rcode: "nxdomian" }, '.rcode: "nxdomian" is not a response code: did you mean nxdomain?'],
    [{ name: "x", transport: "tls" }, '.transport: "tls" is not allowed: write udp or tcp'],
    [
      { name: "x", type: "AAAAA" },
      '.type: "AAAAA" is not a record type: write A, AAAA, SRV, TXT, PTR, SOA, NS, ANY or a number as TYPE65',
    ],
    [{ name: "x", answers: [""] }, ".answers[0]: is empty"],
  ])("%j is refused", (dns, message) => {
    expect(wrongWith({ dns })).toEqual([`dns${message}`]);
  });
});

describe("a command", () => {
  test.each<[HealthcheckInput, readonly string[]]>([
    [{ exec: ["check", "-x", ""] }, ["check", "-x", ""]],
    [{ exec: "exit $X" }, ["/bin/sh", "-c", "exit $X"]],
    [{ test: "exit $X" }, ["/bin/sh", "-c", "exit $X"]],
    [{ test: ["CMD-SHELL", "exit $X"] }, ["/bin/sh", "-c", "exit $X"]],
    [{ test: ["CMD", "check", "-x"] }, ["check", "-x"]],
  ])("%j is that", (healthcheck, command) => {
    expect(probeOf(healthcheck)).toMatchObject({ kind: "exec", command });
  });

  test.each(["exec", "test"])("in %s is refused unless it is allowed", (word) => {
    expect(wrongWith({ [word]: "exit 0" }, PORTS, false)).toEqual([
      `${word}: runs a command: allow it with --allow-exec, in a program with allowExec: true`,
    ]);
    expect(wrongWith({ [word]: "exit 0" })).toEqual([]);
  });

  test("is refused if nothing is said of commands", () => {
    const service: ServiceDeclaration = { healthcheck: { exec: "exit 0" } };
    expect(parseServicesFile({ services: { web: service } }, () => "").ok).toBe(false);
    expect(() => parseService("web", service, { networks: new Map(), origin: "test" })).toThrow(
      "healthcheck.exec: runs a command: allow it with --allow-exec",
    );
  });

  test("in Compose's words is warned of, as it runs elsewhere than there", () => {
    expect(warningsOf({ test: "exit 0" })).toEqual([
      "services.web.healthcheck.test: is run on this machine, not in a container",
    ]);
    expect(warningsOf({ exec: "exit 0" })).toEqual([]);
  });

  const NO_TEST =
    'is no test: write ["CMD", program, arguments], ["CMD-SHELL", text], ["NONE"], or text for a shell';

  test.each<[unknown, string]>([
    [{ exec: [] }, "exec: names no program: write the program, then its arguments"],
    [{ exec: ["", "x"] }, "exec: names no program: write the program, then its arguments"],
    [{ exec: " " }, "exec: is empty: write a command"],
    [{ exec: ["a", "b\0c"] }, "exec: has a zero octet in it: no command can"],
    [{ exec: ["nc", 80] }, "exec[1]: must be text, not 80: put it in quotes"],
    [{ exec: true }, "exec: must be a list of program and arguments, or text for a shell, not true"],
    [{ test: "" }, "test: is empty: write a command"],
    [{ test: [] }, `test: ${NO_TEST}`],
    [{ test: ["curl", "x"] }, `test: ${NO_TEST}`],
    [{ test: ["NONE", "x"] }, `test: ${NO_TEST}`],
    [{ test: ["CMD-SHELL"] }, `test: ${NO_TEST}`],
    [{ test: ["CMD-SHELL", "a", "b"] }, `test: ${NO_TEST}`],
    [{ test: ["CMD"] }, "test: names no program: write the program, then its arguments"],
    [{ test: 5 }, "test: must be a list as Compose has it, or text for a shell, not 5"],
  ])("%j is refused", (healthcheck, message) => {
    expect(wrongWith(healthcheck)).toEqual([message]);
  });
});

test("a service whose starting tasks serve says so", () => {
  const context = { networks: new Map(), origin: "test" };
  expect(parseService("web", { publish_not_ready: true }, context).publishNotReady).toBe(true);
  expect(parseService("web", {}, context).publishNotReady).toBe(false);
});

test("a health check takes its types from the words of the file", () => {
  expectTypeOf<{ http: "/" }>().toExtend<HealthcheckInput>();
  expectTypeOf<{ tcp: false }>().not.toExtend<HealthcheckInput>();
  expectTypeOf<{ http: { tls: Record<string, never> } }>().not.toExtend<HealthcheckInput>();
});

test("editors get a JSON Schema of all probes", () => {
  expect(servicesJsonSchema()).toMatchObject({
    properties: {
      services: {
        additionalProperties: {
          properties: {
            publish_not_ready: { type: "boolean", default: false },
            healthcheck: {
              additionalProperties: false,
              properties: {
                tcp: {
                  anyOf: [
                    { anyOf: [{ type: "integer" }, { type: "string" }] },
                    { type: "boolean", const: true },
                    { type: "object", additionalProperties: false },
                  ],
                },
                http: { anyOf: [{ type: "string" }, { type: "object" }] },
                https: { anyOf: [{ type: "string" }, { properties: { tls: { type: "object" } } }] },
                dns: { anyOf: [{ type: "string" }, { required: ["name"] }] },
                exec: {
                  anyOf: [
                    { type: "string", pattern: "\\S" },
                    { type: "array", minItems: 1 },
                  ],
                },
                test: {
                  anyOf: [{ type: "string" }, { type: "array", minItems: 1, items: { type: "string" } }],
                },
                disable: { anyOf: [{ type: "boolean" }, { enum: ["true", "false"] }] },
                rise: { type: "integer", minimum: 1, maximum: 10_000 },
                retries: { anyOf: [{ type: "integer", maximum: 10_000 }, { type: "string" }] },
              },
            },
          },
        },
      },
    },
  });
});

describe("editors hold text against a pattern", () => {
  const healthcheck = below(
    servicesJsonSchema(),
    "properties.services.additionalProperties.properties.healthcheck",
  );

  test.each([
    ["interval", ["5s", "1m30s", "1.5h", "30", "${EVERY}", "${EVERY:-5}s"], ["5 s", "s", "-5s", ""]],
    ["http", ["/", "/healthz?a=%20", "${PATH}"], ["healthz", "http://x/", "/a b", "/#a"]],
    ["http.anyOf.1.properties.status", ["200", "200-299", "${STATUS}"], ["2xx", "200,204", "600"]],
    ["exec", ["exit 0"], ["", " "]],
  ])("of %s, which takes what may be written and nothing else", (word, good, bad) => {
    const pattern = patternIn(below(healthcheck, `properties.${word}`)) ?? "there is none";
    expect([...good, ...bad].filter((text) => new RegExp(pattern, "u").test(text))).toEqual(good);
  });

  function below(value: unknown, path: string): unknown {
    return path.split(".").reduce((found, step) => new Map(entriesOf(found)).get(step), value);
  }

  function patternIn(schema: unknown): string | undefined {
    for (const [key, value] of entriesOf(schema)) {
      const found = key === "pattern" && typeof value === "string" ? value : patternIn(value);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function entriesOf(value: unknown): [string, unknown][] {
    return typeof value === "object" && value !== null ? Object.entries(value) : [];
  }
});
