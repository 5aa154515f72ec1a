import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findFreePort } from "../ask/servers.ts";
import { openUpstream, silent } from "../dns/forward/upstreams.ts";
import { type Authority, openAuthority } from "../health/certificates.ts";
import { testNeeding } from "../needing.ts";
import { rota } from "./run.ts";
import { serving } from "./serving.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rota-forward-"));
});
afterEach(async () => rm(folder, { recursive: true }));

test("--forward is taken several times, and by zone", async () => {
  await using root = await openUpstream();
  await using corp = await openUpstream();
  const words = ["-f", `127.0.0.1:${root.port}`, "--forward", `corp.example=127.0.0.1:${corp.port}`];
  await using serve = serving(words);
  expect(await serve.data("www.example A")).toEqual(["192.0.2.1"]);
  expect(await serve.data("www.corp.example A")).toEqual(["192.0.2.1"]);
  expect(root.asked).toEqual(["udp www.example. A"]);
  expect(corp.asked).toEqual(["udp www.corp.example. A"]);
});

test("ROTA_FORWARD: commas within a zone's upstreams are theirs", async () => {
  await using root = await openUpstream();
  await using corp = await openUpstream();
  const dead = await findFreePort();
  const ROTA_FORWARD = `127.0.0.1:${root.port} corp.example=127.0.0.1:${dead},127.0.0.1:${corp.port}`;
  await using serve = serving([], { variables: { ROTA_FORWARD, ROTA_CACHE_SIZE: "0" } });
  for (let times = 0; times < 2; times++) {
    expect(await serve.data("www.example A")).toEqual(["192.0.2.1"]);
    expect(await serve.data("www.corp.example A")).toEqual(["192.0.2.1"]);
  }
  expect(root.asked).toHaveLength(2);
  expect(corp.asked).toHaveLength(2);
});

describe("--cache-size takes", () => {
  test.each(["0", "65536", "512K", "64m", "1G"])("%s", async (size) => {
    await using serve = serving(["--cache-size", size]);
    await serve.logs(/answering for/);
  });

  test.each(["", "-1", "1.5M", "2G", "1T", "M"])("not %j", async (size) => {
    const { code, stderr } = await rota(["serve", "--cache-size", size]);
    expect(code).toBe(2);
    expect(stderr).toContain(size);
  });
});

test("an upstream that is none is wrong usage, with what to write", async () => {
  const { code, stderr } = await rota(["serve", "--forward", "dns.example"]);
  expect(code).toBe(2);
  expect(stderr).toBe(
    'rota: could not forward to "dns.example": "dns.example" is not an IPv4 or IPv6 address; write 10.0.0.53, ' +
      "tcp:// or, with #dns.example behind, tls:// or https://10.0.0.53, /etc/resolv.conf, or corp.example= and one of these (see rota --help)\n",
  );
});

testNeeding({ programs: ["sh"] })("with no more files for upstreams, the server answers on", async () => {
  await using upstream = await openUpstream(silent);
  const path = join(folder, "services.yaml");
  await writeFile(path, "services: { web: { endpoint_mode: dnsrr, tasks: [192.0.2.7] } }\n");
  const enter = ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh"];
  await using serve = serving([path, "-f", `127.0.0.1:${upstream.port}`], { enter });
  expect(await serve.data("web A")).toEqual(["192.0.2.7"]);
  const flood = Array.from({ length: 400 }, (_, at) => serve.data(`n${at}.example A`).catch(() => ["late"]));
  expect(await serve.data("web A")).toEqual(["192.0.2.7"]);
  // Those that got a socket wait for a reply that never comes.
  expect(new Set((await Promise.all(flood)).flat())).toEqual(new Set(["SERVFAIL", "late"]));
  expect(await serve.data("web A")).toEqual(["192.0.2.7"]);
});

describe("an upstream over TLS", () => {
  /** What is answered where a certificate for `names` is shown and `spec` says whom it must be for. */
  async function told(authority: Authority, names: string, spec: string): Promise<string[]> {
    await using upstream = await openUpstream(undefined, 0, await authority.issue(names));
    await using serve = serving(["-f", `tls://127.0.0.1:${upstream.port}${spec}`], {
      variables: { NODE_EXTRA_CA_CERTS: authority.ca },
    });
    const answers = [];
    for (const name of ["a", "b", "c"]) answers.push(...(await serve.data(`${name}.example A`)));
    expect(upstream.asked.every((asked) => asked.startsWith("tcp "))).toBe(true);
    if (answers.includes("192.0.2.1")) expect(upstream.connections).toBe(1);
    return [...new Set(answers)];
  }

  const testTls = testNeeding({ programs: ["openssl"] });

  testTls("is believed for its name or its address, on one connection, and not for another", async () => {
    await using authority = await openAuthority();
    expect(await told(authority, "DNS:dns.example", "#dns.example")).toEqual(["192.0.2.1"]);
    expect(await told(authority, "IP:127.0.0.1", "")).toEqual(["192.0.2.1"]);
    expect(await told(authority, "DNS:dns.example", "#other.example")).toEqual(["SERVFAIL"]);
    expect(await told(authority, "IP:127.0.0.2", "")).toEqual(["SERVFAIL"]);
  });

  testTls("is not believed where nobody that is trusted has signed", async () => {
    await using authority = await openAuthority();
    await using upstream = await openUpstream(undefined, 0, await authority.issue("IP:127.0.0.1"));
    await using serve = serving(["-f", `tls://127.0.0.1:${upstream.port}`]);
    expect(await serve.data("www.example A")).toEqual(["SERVFAIL"]);
    expect(await serve.logs(/passed over/)).toMatch(/unable to verify|self-signed|issuer/);
    expect(upstream.asked).toEqual([]);
  });
});
