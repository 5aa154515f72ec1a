import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, describe, expect, it } from "vitest";
import { createTrust } from "../../src/health/tls.ts";
import type { HttpProbe, ProbeTls } from "../../src/model/check.ts";
import { testNeeding } from "../needing.ts";
import { type Authority, openAuthority } from "./certificates.ts";
import {
  answers,
  answersAndCloses,
  type Behaviour,
  closes,
  floods,
  openTask,
  resets,
  says,
  silent,
  tryTask,
} from "./servers.ts";

const TLS: ProbeTls = { ca: undefined, servername: undefined, insecure: false };
const HTTPS: HttpProbe = {
  kind: "http",
  port: { name: undefined, number: 1 },
  tls: TLS,
  method: "GET",
  path: "/",
  headers: [],
  host: undefined,
  status: [{ from: 200, to: 299 }],
  body: undefined,
  redirects: 0,
};
const FINE = answers("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
/** One for all tests, made when the first needs it: openssl takes its time. */
let made: Promise<Authority> | undefined;
const theAuthority = (): Promise<Authority> => (made ??= openAuthority());
afterAll(async () => (await made)?.[Symbol.asyncDispose]());

const testTls = testNeeding({ programs: ["openssl"] });

describe("a server over TLS", () => {
  const rows: readonly (readonly [
    certificate: string,
    names: string,
    days: number,
    probe: Partial<HttpProbe>,
    tls: Partial<ProbeTls>,
    expected: string,
  ])[] = [
    ["for its address", "IP:127.0.0.1", 1, {}, {}, "pass HTTP 200"],
    ["for the Host header", "DNS:web.example", 1, { host: "web.example" }, {}, "pass HTTP 200"],
    [
      "for the Host header, with its port",
      "DNS:web.example",
      1,
      { host: "Web.Example:8443" },
      {},
      "pass HTTP 200",
    ],
    [
      "for the servername",
      "DNS:a.example",
      1,
      { host: "web.example" },
      { servername: "a.example" },
      "pass HTTP 200",
    ],
    ["for the servername with a dot", "DNS:a.example", 1, {}, { servername: "a.example." }, "pass HTTP 200"],
    ["for all names", "DNS:*.web.example", 1, { host: "a.web.example" }, {}, "pass HTTP 200"],
    [
      "for another name",
      "DNS:a.example,DNS:b.example",
      1,
      { host: "web.example" },
      {},
      "fail the certificate is for a.example, b.example, not for web.example",
    ],
    [
      "for a name and not its address",
      "DNS:web.example",
      1,
      {},
      {},
      "fail the certificate is for web.example, not for 127.0.0.1",
    ],
    [
      "for another address",
      "IP:127.0.0.2",
      1,
      {},
      {},
      "fail the certificate is for 127.0.0.2, not for 127.0.0.1",
    ],
    [
      "for another name than asked for",
      "IP:127.0.0.1",
      1,
      {},
      { servername: "web.example" },
      "fail the certificate is for 127.0.0.1, not for web.example",
    ],
    ["that has expired", "IP:127.0.0.1", -1, {}, {}, "fail certificate has expired"],
    [
      "that nobody well-known signed",
      "IP:127.0.0.1",
      1,
      {},
      { ca: undefined },
      "fail unable to verify the first certificate",
    ],
    ["that does not matter", "DNS:a.example", -1, {}, { insecure: true, ca: undefined }, "pass HTTP 200"],
    [
      "that does not matter, nor does the file",
      "DNS:a.example",
      -1,
      {},
      { insecure: true, ca: "/nowhere" },
      "pass HTTP 200",
    ],
  ];

  for (const [certificate, names, days, probe, tls, expected] of rows) {
    testTls(`with a certificate ${certificate}: ${expected}`, async () => {
      const authority = await theAuthority();
      await using task = await openTask(FINE, { tls: await authority.issue(names, days) });
      const trusted = { ...TLS, ca: authority.ca, ...tls };
      expect(await tryTask({ ...HTTPS, ...probe, tls: trusted }, task)).toBe(expected);
    });
  }

  testTls("with a certificate that it signed itself passes if that is the one to trust", async () => {
    const authority = await theAuthority();
    const own = await authority.selfSign("IP:127.0.0.1");
    const ca = join(authority.folder, "own.pem");
    await writeFile(ca, own.cert);
    await using task = await openTask(FINE, { tls: own });
    expect(await tryTask({ ...HTTPS, tls: { ...TLS, ca } }, task)).toBe("pass HTTP 200");
    expect(await tryTask(HTTPS, task)).toBe("fail self-signed certificate");
    expect(await tryTask({ ...HTTPS, tls: { ...TLS, ca: authority.ca } }, task)).toBe(
      "fail self-signed certificate",
    );
  });

  testTls(
    "is told by SNI whom it is asked for, unless that is an address, and that HTTP/1.1 is meant",
    async () => {
      const authority = await theAuthority();
      const told: unknown[] = [];
      const certificate = await authority.issue("IP:127.0.0.1,DNS:web.example");
      await using task = await openTask(
        (socket) => {
          if (socket instanceof TLSSocket) told.push([socket.servername, socket.alpnProtocol]);
          FINE(socket);
        },
        { tls: { ...certificate, ALPNProtocols: ["h2", "http/1.1"] } },
      );
      const tls = { ...TLS, ca: authority.ca };
      expect(await tryTask({ ...HTTPS, tls }, task)).toBe("pass HTTP 200");
      expect(await tryTask({ ...HTTPS, tls, host: "web.example" }, task)).toBe("pass HTTP 200");
      expect(await tryTask({ ...HTTPS, tls: { ...tls, servername: "web.example." } }, task)).toBe(
        "pass HTTP 200",
      );
      expect(told).toEqual([
        [false, "http/1.1"],
        ["web.example", "http/1.1"],
        ["web.example", "http/1.1"],
      ]);
    },
  );

  testNeeding({ programs: ["openssl"], ipv6: true })(
    "at an IPv6 address has a certificate for it",
    async () => {
      const authority = await theAuthority();
      const tls = { ...TLS, ca: authority.ca };
      await using task = await openTask(FINE, { address: "::1", tls: await authority.issue("IP:::1") });
      expect(await tryTask({ ...HTTPS, tls }, task)).toBe("pass HTTP 200");
      await using other = await openTask(FINE, { address: "::1", tls: await authority.issue("IP:::2") });
      expect(await tryTask({ ...HTTPS, tls }, other)).toMatch(
        /^fail the certificate is for .*, not for ::1$/,
      );
    },
  );

  testTls("to which plain HTTP redirects is trusted as the well-known ones are", async () => {
    const authority = await theAuthority();
    await using task = await openTask(FINE, { tls: await authority.issue("IP:127.0.0.1") });
    await using plain = await openTask(
      answers(`HTTP/1.1 301 \r\nlocation: https://127.0.0.1:${task.port}/\r\ncontent-length: 0\r\n\r\n`),
    );
    const probe = { ...HTTPS, tls: undefined, redirects: 1 };
    expect(await tryTask(probe, plain)).toBe("fail unable to verify the first certificate");
  });

  testTls("from which a redirect leads to plain HTTP is followed there", async () => {
    const authority = await theAuthority();
    await using plain = await openTask(FINE);
    await using task = await openTask(
      answers(`HTTP/1.1 301 \r\nlocation: http://127.0.0.1:${plain.port}/\r\ncontent-length: 0\r\n\r\n`),
      { tls: await authority.issue("IP:127.0.0.1") },
    );
    const probe = { ...HTTPS, tls: { ...TLS, ca: authority.ca }, redirects: 1 };
    expect(await tryTask(probe, task)).toBe("pass HTTP 200, redirected once");
  });

  const after: readonly (readonly [string, Behaviour, string])[] = [
    ["closes", closes, "fail connection closed before an answer"],
    ["says garbage", says("hello\r\n"), "fail it does not speak HTTP/1.1: "],
    ["says nothing", silent, "fail no answer in 200ms (while waiting for the answer)"],
  ];
  for (const [does, behave, expected] of after) {
    testTls(`that ${does} after the handshake: ${expected}`, async () => {
      const authority = await theAuthority();
      await using task = await openTask(behave, { tls: await authority.issue("IP:127.0.0.1") });
      const probe = { ...HTTPS, tls: { ...TLS, ca: authority.ca } };
      expect(await tryTask(probe, task, 200)).toContain(expected);
    });
  }
});

// The words after the colon are OpenSSL's, and other ones in another version.
describe("instead of TLS, a server that", () => {
  const octets = (hex: string): Buffer => Buffer.from(hex, "hex");

  it.each<[does: string, behave: Behaviour, expected: RegExp, timeoutMs?: number]>([
    [
      "speaks plain HTTP",
      answers("HTTP/1.1 400 Bad Request\r\n\r\n"),
      /^fail it does not speak TLS as it should: \w/,
    ],
    ["greets", says("220 mail\r\n"), /^fail it does not speak TLS as it should: \w/],
    ["says random octets", says(octets("8012ff00ee00")), /^fail it does not speak TLS as it should: \w/],
    [
      "refuses all ciphers",
      says(octets("15030300020228")),
      /^fail it does not speak TLS as it should: .*handshake failure/,
    ],
    [
      "says a hello that is none",
      says(octets("160303000402000000")),
      /^fail it does not speak TLS as it should: \w/,
    ],
    ["says garbage for ever", floods("", "-".repeat(1024)), /^fail it does not speak TLS as it should: \w/],
    ["closes at once", closes, /^fail connection closed while negotiating TLS$/],
    ["closes once it was asked", answersAndCloses(""), /^fail connection closed while negotiating TLS$/],
    [
      "closes within a record",
      answersAndCloses(octets("1603030040020000")),
      /^fail connection closed while negotiating TLS$/,
    ],
    ["resets", resets, /^fail connection reset$/],
    ["says nothing", silent, /^fail no answer in 60ms \(while negotiating TLS\)$/, 60],
    [
      "stops within a record",
      answers(octets("1603030040020000")),
      /^fail no answer in 60ms \(while negotiating TLS\)$/,
      60,
    ],
  ])("%s", async (_, behave, expected, timeoutMs) => {
    await using task = await openTask(behave);
    expect(await tryTask(HTTPS, task, timeoutMs)).toMatch(expected);
  });
});

describe("the file of certificates", () => {
  testTls("that cannot be used says nothing of the task", async () => {
    const authority = await theAuthority();
    await using task = await openTask(FINE, { tls: await authority.issue("IP:127.0.0.1") });
    const at = (name: string): string => join(authority.folder, name);
    await mkdir(at("folder"));
    await writeFile(at("empty"), "");
    await writeFile(at("bad"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    await writeFile(at("large"), Buffer.alloc(5 * 1024 * 1024));
    for (const [name, why] of [
      ["missing", "ENOENT"],
      ["folder", "it is not a file"],
      ["empty", "it has no certificate in PEM"],
      ["key.pem", "it has no certificate in PEM"],
      ["bad", "error:"],
      ["large", "it has more than 4194304 octets"],
    ] as const) {
      const result = await tryTask({ ...HTTPS, tls: { ...TLS, ca: at(name) } }, task);
      expect(result).toContain(`unknown could not use the CA file ${at(name)}: ${why}`);
    }
    expect(task.heard).toEqual([]);
  });

  testTls(
    "is looked at again when it is older than five seconds, and is the same if nobody touched it",
    async () => {
      const authority = await theAuthority();
      const other = await authority.selfSign("DNS:web.example");
      const file = join(authority.folder, "trusted.pem");
      await copyFile(authority.ca, file);
      let nowMs = 0;
      const trust = createTrust({ now: () => 0, monotonic: () => nowMs });
      const context = async () => (await trust({ ...TLS, ca: file }, "web.example")).secureContext;

      const first = await context();
      nowMs = 6000;
      expect(await context(), "unchanged").toBe(first);
      await writeFile(file, other.cert);
      nowMs = 10_000;
      expect(await context(), "not looked at").toBe(first);
      nowMs = 11_000;
      const second = await context();
      expect(second, "changed").not.toBe(first);

      await rm(file);
      nowMs = 17_000;
      await expect(context()).rejects.toThrow(expect.objectContaining({ code: "ERR_ROTA_OPTION" }));
      await writeFile(file, other.cert);
      nowMs = 23_000;
      expect(await context(), "there again").toBeDefined();
    },
  );
});
