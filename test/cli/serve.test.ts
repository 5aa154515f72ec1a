import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { chmod, mkdtemp, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openProbedTask } from "../app/probed-task.ts";
import { testNeeding } from "../needing.ts";
import { outputOf } from "../run.ts";
import { MAIN, rota } from "./run.ts";
import { type Serving, serving } from "./serving.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rota-serve-"));
});
afterEach(async () => rm(folder, { recursive: true }));

async function file(text: string, name = "services.yaml"): Promise<string> {
  const path = join(folder, name);
  // At once: a server that looks in between finds an empty file.
  writeFileSync(path, text);
  return path;
}

const dnsrr = (...tasks: string[]): string =>
  `services: { web: { endpoint_mode: dnsrr, tasks: [${tasks.map((task) => `"${task}"`).join(", ")}] } }\n`;

test("answers for a file, says where, and prints what to type next", async () => {
  await using serve = serving([await file(dnsrr("192.0.2.1"))]);
  expect(await serve.data("web.rota.internal A")).toEqual(["192.0.2.1"]);
  expect(serve.printed()).toMatch(
    /^Rota serves 1 service of 1 task. Try:\n {2}dig @127.0.0.1 -p \d+ web \+short\n/,
  );
});

test("follows the file: a task more is answered, a mistake changes nothing, its end changes nothing", async () => {
  const path = await file(dnsrr("192.0.2.1"));
  await using serve = serving([path]);
  expect(await serve.data("web A")).toEqual(["192.0.2.1"]);

  await file(dnsrr("192.0.2.1", "192.0.2.2"));
  await serve.logs(/service web has 2 tasks/);
  expect(await serve.data("web A")).toEqual(["192.0.2.1", "192.0.2.2"]);

  await file("services:\n  web:\n    endpoint_mod: dnsrr\n");
  expect(await serve.logs(/ERROR/)).toMatch(
    /services\.yaml:3:5: services\.web: unknown key "endpoint_mod": did you mean endpoint_mode\?/,
  );
  expect(await serve.data("web A")).toEqual(["192.0.2.1", "192.0.2.2"]);

  await file("");
  expect(await serve.logs(/ERROR/)).toMatch(
    /services\.yaml.* is empty: write `services: \{\}` into it to declare nothing/,
  );
  expect(await serve.data("web A")).toEqual(["192.0.2.1", "192.0.2.2"]);

  await rm(path);
  await serve.logs(/WARN.*services\.yaml/);
  expect(await serve.data("web A")).toEqual(["192.0.2.1", "192.0.2.2"]);

  await file("services: {}\n");
  await serve.logs(/service web is gone/);
  expect(await serve.data("web.rota.internal A")).toEqual(["NXDOMAIN"]);
});

test("outlives whoever read what it prints, and takes its files behind its options", async () => {
  await using serve = serving(["--listen", "127.0.0.1:0", await file(dnsrr("192.0.2.1"))]);
  serve.child.stdout?.destroy();
  expect(await serve.data("web A")).toEqual(["192.0.2.1"]);
  serve.child.kill("SIGTERM");
  await serve.logs(/SIGTERM: ending/);
  expect(await serve.exit).toBe(0);
});

test("reads the files again on SIGHUP", async () => {
  await using serve = serving([await file(dnsrr("192.0.2.1"))]);
  expect(await serve.data("web A")).toEqual(["192.0.2.1"]);
  serve.child.kill("SIGHUP");
  await serve.logs(/SIGHUP: reading the services files again/);
  await file(dnsrr("192.0.2.7"));
  serve.child.kill("SIGHUP");
  await serve.logs(/service web has 1 task/);
  expect(await serve.data("web A")).toEqual(["192.0.2.7"]);
});

describe("ends", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("with 0 on %s", async (signal) => {
    await using serve = serving([await file(dnsrr("192.0.2.1"))]);
    await serve.logs(/answering for/);
    serve.child.kill(signal);
    expect(await serve.exit).toBe(0);
  });

  test("with 0 while it is still reading", async () => {
    const services = Array.from(
      { length: 5000 },
      (_, at) => `  s${at}: { tasks: [10.0.${at >> 8}.${at & 255}] }`,
    );
    const path = await file(`services:\n${services.join("\n").replace("10.0.0.0]", "10.1.0.1]")}\n`);
    await using serve = serving([path, "--log-level", "debug"]);
    await serve.logs(/reading the services files/);
    serve.child.kill("SIGTERM");
    await serve.logs(/SIGTERM: ending before it began/);
    expect(await serve.exit).toBe(0);
  });

  test("after --drain, in which it answers, or at once when it is told again", async () => {
    await using serve = serving([await file(dnsrr("192.0.2.1")), "--drain", "1h"]);
    await serve.data("web A");
    serve.child.kill("SIGTERM");
    await serve.logs(/SIGTERM: ending in 1h/);
    expect(await serve.data("web A")).toEqual(["192.0.2.1"]);
    serve.child.kill("SIGTERM");
    expect(await serve.exit).toBe(0);
  });
});

describe("tells in a line what it cannot do, and exits", () => {
  test.each([
    ["a file that is not there", ["nosuch.yaml"], 1, /^rota: .*nosuch\.yaml.*(?:not there|missing|no such)/i],
    [
      "an address that is none",
      ["--listen", "here:53"],
      2,
      /^rota: could not listen on "here:53": write it as 127\.0\.0\.1:5300/,
    ],
    [
      "a scheme that is none",
      ["--listen", "tls://127.0.0.1:853"],
      2,
      /^rota: could not listen on "tls:\/\/127\.0\.0\.1:853": write udp:\/\/, tcp:\/\/ or nothing/,
    ],
    [
      "an address of another machine",
      ["--listen", "192.0.2.77:5353"],
      1,
      /^rota: could not listen on udp and tcp 192\.0\.2\.77:5353: this machine has no such address/,
    ],
    [
      "a zone that is no name",
      ["--zone", "a..b"],
      2,
      /^rota: could not take the zone: "a\.\.b" is not a name: it has an empty label/,
    ],
    [
      "a number that is none",
      ["--max-connections", "many"],
      2,
      /^rota: --max-connections: "many" is not a whole number from 1/,
    ],
    [
      "a duration that is none",
      ["--drain", "soon"],
      2,
      /^rota: .*"soon" is not a duration: write it as 5s, 1m30s or 500ms/,
    ],
    [
      "a duration that no timer holds",
      ["--idle", "10000h"],
      2,
      /^rota: .*"10000h" is out of range: write 1ms to 24h/,
    ],
    [
      "a wait that nobody would",
      ["--start-wait", "25h"],
      2,
      /^rota: --start-wait: "25h" is out of range: write 0ms to 24h/,
    ],
    [
      "too many lanes",
      ["--lanes", "65"],
      2,
      /^rota: --lanes: "65" is no number of lanes: write auto, or 0 to 64/,
    ],
    ["no probes at all", ["--max-probes", "0"], 2, /^rota: .*"0" is not a whole number from 1/],
    ["a grace that is none", ["--drain-grace", "-1s"], 2, /^rota: .*"-1s" is not a duration/],
    [
      "a control socket's path that is too long",
      ["--listen", "127.0.0.1:0", "--control", `/tmp/${"a".repeat(120)}`],
      1,
      /rota: could not take the control socket ".*": a path has 1 to 107 octets, this has 125$/m,
    ],
    ["no time at all", ["--idle", "0s"], 2, /^rota: .*"0s" is out of range: write 1ms to 24h/],
    ["a zone twice", ["--zone", "a", "--zone", "b"], 2, /^rota: .*"a" and "b": give only one/],
    [
      "a client to trust that is none",
      ["--trust", "10.0.0.53", "--trust", "proxy"],
      2,
      /^rota: could not take trust: "proxy" is not an IPv4 or IPv6 address/,
    ],
    [
      "a file where an engine is meant",
      ["--docker", "compose.yaml"],
      2,
      /^rota: --docker: "compose.yaml" is no engine: .*files in front of --docker/,
    ],
    [
      "an engine that is none",
      ["--docker", "http://x"],
      2,
      /^rota: could not take "http:\/\/x" as a Docker engine/,
    ],
    ["a scope that is none", ["--scope", "strickt"], 2, /^rota: .*scope.*strickt/i],
    ["a word that is none", ["--outside", "maybe"], 2, /^rota: .*outside.*maybe/i],
    ["an option that is none", ["--lisen", "127.0.0.1:0"], 2, /^rota: .*lisen/i],
  ])("%s", async (_, words, code, message) => {
    const run = await rota(["serve", ...words]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr.trim().split("\n")).toHaveLength(1);
    expect(run.code).toBe(code);
  });

  test("a port that is taken", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    const run = await rota(["serve", "--listen", `127.0.0.1:${port}`]);
    taken.close();
    expect(run).toEqual({
      code: 1,
      stdout: "",
      stderr: `rota: could not listen on udp and tcp 127.0.0.1:${port}: the port is taken; end what listens there, or choose another port\n`,
    });
  });

  testNeeding({ root: true, programs: ["unshare", "setpriv"] })(
    "a port that it has no right to",
    async () => {
      const without = ["setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service"];
      await using serve = serving(["--listen", "127.0.0.1:53"], { enter: ["unshare", "--net", ...without] });
      expect(await serve.logs(/could not listen/)).toMatch(
        /^rota: could not listen on udp and tcp 127\.0\.0\.1:53: ports below 1024 need a right; give it with "setcap cap_net_bind_service=\+ep/,
      );
      expect(await serve.exit).toBe(1);
    },
  );
});

testNeeding({ root: true, programs: ["setpriv"] })(
  "a file that may not be read is told, and nothing is left running",
  async () => {
    const path = await file(dnsrr("192.0.2.1"));
    await chmod(path, 0);
    const capabilities = "-dac_override,-dac_read_search";
    const enter = ["setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities];
    await using serve = serving([path], { enter });
    expect(await serve.logs(/^rota:/)).toMatch(
      /could not take the services files: .*services\.yaml: could not be read: EACCES/,
    );
    expect(await serve.exit).toBe(1);
  },
);

test("takes its options from ROTA_ variables, and its log as JSON", async () => {
  const path = await file(dnsrr("192.0.2.1"));
  await using serve = serving([path], {
    variables: {
      ROTA_LISTEN: "127.0.0.1:0, udp://127.0.0.2:0",
      ROTA_ZONE: "corp.internal",
      ROTA_LOG_FORMAT: "json",
    },
  });
  const line: unknown = JSON.parse(await serve.logs(/answering for/));
  expect(line).toMatchObject({
    level: 30,
    msg: expect.stringMatching(
      /^answering for corp\.internal\. on udp 127\.0\.0\.1:\d+, tcp 127\.0\.0\.1:\d+, udp 127\.0\.0\.2:\d+$/,
    ),
  });
  expect(serve.printed(), "nothing but the log, which is on stderr").toBe("");
});

test("says where it is asked by proxies, and bids nobody else ask there", async () => {
  const path = await file(dnsrr("192.0.2.1"));
  await using serve = serving([path, "--listen", "proxy://127.0.0.1:0", "--listen", "udp://127.0.0.2:0"]);
  expect(await serve.logs(/answering for/)).toMatch(
    / on proxy\+udp 127\.0\.0\.1:\d+, proxy\+tcp 127\.0\.0\.1:\d+, udp 127\.0\.0\.2:\d+$/,
  );
  serve.child.kill("SIGTERM");
  expect(await serve.exit).toBe(0);
  expect(serve.printed()).toMatch(/dig @127\.0\.0\.2 -p \d+ web \+short/);
});

test("a service without a VIP and a name claimed twice are in the log, and the others are answered", async () => {
  const path = await file(`
networks: { default: { vips: 10.0.0.1/32 } }
services:
  web: {}
  api: {}
  one: { endpoint_mode: dnsrr, aliases: [both], tasks: [192.0.2.1] }
  two: { endpoint_mode: dnsrr, aliases: [both], tasks: [192.0.2.2] }
`);
  await using serve = serving([path]);
  expect(await serve.logs(/ERROR/)).toMatch(
    /service api has no VIP on network default: no VIP is left in 10\.0\.0\.1\/32/,
  );
  expect(await serve.logs(/WARN/)).toMatch(
    /the name both is claimed by two services: one \(.*services\.yaml:6:3\) answers, two \(.*services\.yaml:7:3\) does not/,
  );
  expect(await serve.data("web A")).toEqual(["10.0.0.1"]);
  expect(await serve.data("api A")).toEqual(["SERVFAIL"]);
  expect(await serve.data("both A")).toEqual(["192.0.2.1"]);
  expect(await serve.data("two A")).toEqual(["192.0.2.2"]);
});

describe("health checks and the operator's word", () => {
  const checked = (check: string): string =>
    `services: { web: { endpoint_mode: dnsrr, ports: [80], healthcheck: { ${check} }, tasks: [{ id: a, address: 192.0.2.1 }] } }\n`;

  test("--allow-exec lets checks run commands, and nothing else does", async () => {
    const path = await file(checked("exec: [/bin/true]"));
    const refused = await rota(["serve", path, "--control", "none"]);
    expect(refused.stderr).toMatch(
      /^rota: could not take the services files: .*services\.yaml:1:\d+: services\.web\.healthcheck\.exec: runs a command: allow it with --allow-exec/,
    );
    expect(refused.code).toBe(1);

    await using serve = serving([path], { variables: { ROTA_ALLOW_EXEC: "true" } });
    await serve.logs(/task a of web is passing: exit 0/);
  });

  test("--admin is followed, and what is wrong with it is told with its line", async () => {
    const services = await file(dnsrr("192.0.2.1", "192.0.2.2"));
    const admin = await file("web/192.0.2.1 => drain\n", "admin.state");
    await using serve = serving([services, "--admin", admin]);
    expect(await serve.data("web A")).toEqual(["192.0.2.2"]);

    await file("web/192.0.2.1 = drain\n", "admin.state");
    expect(await serve.logs(/ERROR/)).toMatch(
      /admin\.state:1:1: "web\/192\.0\.2\.1 = drain" is not understood: write SERVICE\/TASK => drain; the rules before it stay/,
    );
    expect(await serve.data("web A")).toEqual(["192.0.2.2"]);

    await rm(admin);
    await serve.logs(/task 192-0-2-1 of web is active again/);
    expect(await serve.data("web A")).toEqual(["192.0.2.1", "192.0.2.2"]);

    await file("web/*.2 => maintenance\n", "admin.state");
    await serve.logs(/task 192-0-2-2 of web is in maintenance, by .*admin\.state:1/);
    expect(await serve.data("web A")).toEqual(["192.0.2.1"]);
  });

  test("--drain-grace and the TTL over, a task is told to be drained", async () => {
    const services = await file(dnsrr("192.0.2.1").replace("web: {", "web: { ttl: 0s,"));
    const admin = await file("web => drain\n", "admin.state");
    await using serve = serving([services, "--admin", admin, "--drain-grace", "10ms"]);
    await serve.logs(/task 192-0-2-1 of web is drained: answers that named it have expired/);
  });

  test("--start-wait is how long names fail until the first results", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : 0;
    const path = await file(checked("http: /, timeout: 1h").replace("192.0.2.1", `"127.0.0.1:${port}"`));
    {
      await using waiting = serving([path, "--start-wait", "1h"]);
      expect(await waiting.data("web A")).toEqual(["SERVFAIL"]);
      await using ready = serving([path], { variables: { ROTA_START_WAIT: "0s" } });
      expect(await untilOther("SERVFAIL", ready)).toEqual(["NOERROR"]);
    }
    silent.close();
  });

  test("--max-probes is how many are under way at once", async () => {
    await using one = await openProbedTask("one", "127.0.0.1");
    await using two = await openProbedTask("two", "127.0.0.2");
    const tasks = [one, two].map(
      ({ declaration: { id }, address, port }) => `{ id: ${id}, address: "${address}:${port}" }`,
    );
    const path = await file(
      `services: { web: { endpoint_mode: dnsrr, ports: [80], healthcheck: { http: /, timeout: 1h }, tasks: [${tasks.join(", ")}] } }\n`,
    );
    await using serve = serving([path, "--max-probes", "1"]);
    await Promise.race([one.asked(), two.asked()]);
    expect(await serve.data("web A")).toEqual(["SERVFAIL"]);
    expect(one.probes + two.probes).toBe(1);

    for (const task of [one, two]) task.always("+");
    await serve.logs(/task one of web is passing/);
    await serve.logs(/task two of web is passing/);
    expect(await serve.data("web A")).toEqual(["127.0.0.1", "127.0.0.2"]);
  });
});

describe("the control socket", () => {
  test("--control opens one where it says, for its user alone", async () => {
    const control = join(folder, "run", "control.sock");
    {
      await using serve = serving([await file(dnsrr("192.0.2.1"))], { variables: { ROTA_CONTROL: control } });
      await serve.data("web A");
      expect((await stat(control)).mode & 0o777).toBe(0o600);
      serve.child.kill("SIGTERM");
      expect(await serve.exit).toBe(0);
    }
    await expect(stat(control)).rejects.toThrow("ENOENT");
  });

  test("one that another server has is told in a line, and nothing is left running", async () => {
    const control = join(folder, "control.sock");
    const path = await file(dnsrr("192.0.2.1"));
    await using first = serving([path, "--control", control]);
    await first.data("web A");
    const second = await rota(["serve", path, "--listen", "127.0.0.1:0", "--control", control]);
    expect(second.code).toBe(1);
    expect(second.stderr.trim().split("\n").at(-1)).toBe(
      `rota: could not open the control socket ${control}: another server listens there; choose another by --control PATH`,
    );
  });

  // In a /run of its own: the machine's may have a server's.
  testNeeding({ root: true, programs: ["unshare"] })(
    "at its usual place another server's is a warning, and both serve",
    async () => {
      const path = await file(dnsrr("192.0.2.1"));
      const script = `set -e
        mount -t tmpfs none /run
        ${process.execPath} ${MAIN} serve ${path} -l 127.0.0.1:0 >${folder}/1.out 2>${folder}/1.log & one=$!
        until [ -S /run/rota/control.sock ]; do sleep 0.05; done
        ${process.execPath} ${MAIN} serve ${path} -l 127.0.0.1:0 >${folder}/2.out 2>${folder}/2.log & two=$!
        until grep -q . ${folder}/2.out; do sleep 0.05; done
        ${process.execPath} ${MAIN} explain web
        grep WARN ${folder}/2.log
        kill $one $two
        wait`;
      const told = await outputOf("unshare", ["-m", "sh", "-c", script]);
      expect(told).toContain("192.0.2.1");
      expect(told).toContain(
        "rota explain and rota plane will not reach this server: could not open the control socket /run/rota/control.sock: another server listens there",
      );
    },
  );
});

/** Asks again and again until the answer is another. */
async function untilOther(rcode: string, serve: Serving): Promise<string[]> {
  for (;;) {
    const data = await serve.data("web A");
    if (data[0] !== rcode) return data;
  }
}
