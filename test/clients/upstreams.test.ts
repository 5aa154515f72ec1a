import { afterEach, beforeEach, describe, expect } from "vitest";
import { type Log, type Rota, type RotaOptions, startRota } from "../../src/index.ts";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { asking } from "../app/asking.ts";
import { findFreePort } from "../ask/servers.ts";
import { serving } from "../cli/serving.ts";
import { type Forwarding, forwarding } from "../dns/forward/forwarding.ts";
import { openAuthority } from "../health/certificates.ts";
import { testNeeding } from "../needing.ts";
import { BIG, type NameServer, openZone, type ServerKind, startServer } from "./name-servers.ts";
import { type Printed, readDig } from "./read-dig.ts";
import { run } from "./run.ts";
import { shared } from "./shared.ts";

// Rota in front of the servers that stand behind it in earnest, asked by dig. It tries once, and would wait for longer
// than a test may take.

const zone = shared(openZone);
const SIGNERS = ["ldns-keygen", "ldns-signzone"];

let scope: Scope;
beforeEach(() => {
  scope = createScope();
});
afterEach(async () => scope[Symbol.asyncDispose]());

/** One of `kind` that knows the zone; kresd, which has none, by asking nsd. */
async function open(kind: ServerKind): Promise<NameServer> {
  const { path } = await zone();
  const forwardTo = kind === "kresd" ? scope.use(await startServer("nsd", { zone: path })).port : undefined;
  return scope.use(await startServer(kind, { zone: path, ...(forwardTo && { forwardTo }) }));
}

const start = async (options: RotaOptions): Promise<Rota> => scope.use(await startRota(options));

async function dig(rota: Rota, words: string): Promise<Printed & { readonly stdout: string }> {
  const port = `${rota.addresses[0]?.port}`;
  const asked = ["dig", "@127.0.0.1", "-p", port, "+tries=1", "+timeout=60", ...words.split(" ")];
  const { stdout } = await run(asked);
  return { ...readDig(stdout), stdout };
}

const NEGATIVE = ["example. 7 SOA"];

const QUESTIONS: readonly {
  asks: string;
  header?: string;
  answers?: readonly string[];
  authority?: readonly string[];
}[] = [
  { asks: "www.example A", answers: ["www.example. 300 A 192.0.2.1"] },
  { asks: "www.example AAAA", answers: ["www.example. 300 AAAA 2001:db8::1"] },
  { asks: "+noedns www.example AAAA", answers: ["www.example. 300 AAAA 2001:db8::1"] },
  { asks: "+tcp www.example A", answers: ["www.example. 300 A 192.0.2.1"] },
  { asks: "wWw.eXaMpLe A", answers: ["wWw.eXaMpLe. 300 A 192.0.2.1"] },
  {
    asks: "alias.example A",
    answers: [
      "alias.example. 300 CNAME second.example.",
      "second.example. 300 CNAME www.example.",
      "www.example. 300 A 192.0.2.1",
    ],
  },
  // Octets that would be pointers, were the type known.
  { asks: "odd.example TYPE65400", answers: ["odd.example. 300 TYPE65400 \\# 5 00C00CFF07"] },
  { asks: "big.example TXT", answers: BIG.map((text) => `big.example. 300 TXT "${text}"`) },
  { asks: "+noedns big.example TXT", answers: BIG.map((text) => `big.example. 300 TXT "${text}"`) },
  { asks: "nosuch.example A", header: "NXDOMAIN rd ra", authority: NEGATIVE },
  { asks: "www.example MX", authority: NEGATIVE },
];

const KINDS: readonly {
  kind: ServerKind;
  /** Says SOA where there is nothing; for so long it is kept. */
  hasSoa: boolean;
  /** Gives signatures to who asks for them. */
  hasSignatures: boolean;
}[] = [
  { kind: "nsd", hasSoa: true, hasSignatures: true },
  { kind: "unbound", hasSoa: true, hasSignatures: true },
  { kind: "named", hasSoa: true, hasSignatures: true },
  { kind: "kresd", hasSoa: true, hasSignatures: false },
  { kind: "dnsmasq", hasSoa: false, hasSignatures: false },
];

describe.each(KINDS)("behind Rota, $kind", ({ kind, hasSoa, hasSignatures }) => {
  const test = testNeeding({ programs: ["dig", ...SIGNERS, kind, "nsd"] });

  test("is heard with all that it says, and again from what was kept", async () => {
    const { port } = await open(kind);
    const rota = await start({ forward: [`127.0.0.1:${port}`] });
    for (const { asks, header = "NOERROR rd ra", answers = [], authority = [] } of QUESTIONS) {
      for (const isKept of [false, true]) {
        const printed = await dig(rota, asks);
        const told = { header: printed.header.replace(" aa", ""), answers: printed.answers.map(unaged) };
        expect({ asks, isKept, ...told }).toEqual({ asks, isKept, header, answers });
        if (isKept) expect(printed.header).not.toContain("aa");
        // What stands beside an answer is the server's own affair.
        if (answers.length === 0) {
          expect({ asks, authority: printed.authority.map(unaged) }).toEqual({
            asks,
            authority: hasSoa ? authority : [],
          });
        }
        expect(printed.edns.length > 0).toBe(!asks.includes("+noedns"));
      }
    }
  });

  test("is asked once for what may be kept, and for denials only as long as they say", async () => {
    const { port } = await open(kind);
    const rota = await start({ forward: [`127.0.0.1:${port}`] });
    for (const [asks, isKept] of [
      ["www.example A", true],
      ["WWW.example A", true],
      ["big.example TXT", true],
      ["nosuch.example A", hasSoa],
      ["www.example MX", hasSoa],
    ] as const) {
      await dig(rota, asks);
      const before = rota.counters.forward.asked;
      await dig(rota, asks);
      expect({ asks, isKept: rota.counters.forward.asked === before }).toEqual({ asks, isKept });
    }
    expect(rota.counters.forward).toMatchObject({ failed: 0, strays: 0, garbage: 0 });
  });

  test("cuts over UDP what Rota asks for again over TCP", async () => {
    const { port } = await open(kind);
    const rota = await start({ forward: [`127.0.0.1:${port}`] });
    const cut = await dig(rota, "+ignore big.example TXT");
    expect(cut.header.replace(" aa", "")).toBe("NOERROR tc rd ra");
    // What fits is there: BusyBox and musl have no more.
    expect(cut.answers).toHaveLength(5);
    expect(rota.counters.forward).toMatchObject({ asked: 1, retried: 1 });
    expect((await dig(rota, "+tcp big.example TXT")).answers).toHaveLength(10);
    expect(rota.counters.forward.asked).toBe(1);
  });

  test("gives signatures to who sets DO, and to nobody else", async () => {
    const { port } = await open(kind);
    const rota = await start({ forward: [`127.0.0.1:${port}`] });
    for (const words of ["+dnssec", "", "+dnssec", ""]) {
      const { answers, edns } = await dig(rota, `${words} www.example A`.trim());
      const types = answers.map((line) => line.split(" ")[2]);
      expect(types).toEqual(words !== "" && hasSignatures ? ["A", "RRSIG"] : ["A"]);
      expect(edns[0]).toContain(words === "" ? "flags:;" : "flags: do;");
    }
    expect(rota.counters.forward.asked).toBe(2);
  });
});

testNeeding({ programs: [...SIGNERS, "nsd"] })("a denial is kept for as long as its SOA says", async () => {
  const { port } = await open("nsd");
  using asker = forwarding([`127.0.0.1:${port}`], { cacheOctets: 1_000_000 });
  for (const [asks, header] of [
    ["nosuch.example A", "NXDOMAIN"],
    ["www.example MX", "NOERROR"],
  ] as const) {
    const before = asker.counters.asked;
    await asker.ask(asks);
    await asker.hand.pass(6999);
    expect(await asker.ask(asks)).toEqual([`${header} rd ra`, "authority: example 1 SOA 7"]);
    expect(asker.counters.asked).toBe(before + 1);
    await asker.hand.pass(1);
    await asker.ask(asks);
    expect(asker.counters.asked).toBe(before + 2);
  }
});

testNeeding({ programs: ["dig", ...SIGNERS, "unbound", "dnsmasq"] })("each zone has its server", async () => {
  const corp = await open("unbound");
  const root = scope.use(await startServer("dnsmasq"));
  const rota = await start({
    forward: [`127.0.0.1:${root.port}`, `www.example=127.0.0.1:${corp.port}`],
  });
  // Only unbound offers recursion without being the authority; only dnsmasq is that.
  expect((await dig(rota, "www.example A")).header).toBe("NOERROR rd ra");
  expect((await dig(rota, "alias.example A")).header).toBe("NOERROR aa rd ra");
});

const SECURE = [
  ["unbound", "tls"],
  ["unbound", "https"],
  ["kresd", "tls"],
  ["kresd", "https"],
] as const;

for (const [kind, way] of SECURE) {
  testNeeding({ programs: ["openssl", ...SIGNERS, kind, "nsd"] })(
    `${kind} is asked over ${way}`,
    async () => {
      const authority = scope.use(await openAuthority());
      const { path } = await zone();
      const certificate = await authority.issue("DNS:dns.example");
      const nsd = scope.use(await startServer("nsd", { zone: path }));
      const options = kind === "kresd" ? { forwardTo: nsd.port } : { zone: path };
      const { tlsPort, httpsPort } = scope.use(await startServer(kind, { certificate, ...options }));
      const where = `${way}://127.0.0.1:${way === "tls" ? tlsPort : httpsPort}`;
      const words = ["-f", `${where}#dns.example`];
      await using serve = serving(words, { variables: { NODE_EXTRA_CA_CERTS: authority.ca } });
      expect(await serve.data("www.example A")).toEqual(["192.0.2.1"]);
      expect(await serve.data("big.example TXT")).toHaveLength(10);
      await using other = serving(["-f", `${where}#other.example`], {
        variables: { NODE_EXTRA_CA_CERTS: authority.ca },
      });
      expect(await other.data("www.example A")).toEqual(["SERVFAIL"]);
    },
  );
}

// Time stands still but where it is turned: whoever has to wait for an upstream waits for ever.
describe("while questions are asked, the first upstream", () => {
  const test = testNeeding({ programs: [...SIGNERS, "unbound", "nsd"] });

  /** Asks names one after the other, each for the first time. */
  async function askSome({ ask }: Forwarding, name: string): Promise<void> {
    for (let at = 0; at < 20; at++) {
      expect((await ask(`${name}${at}.example A`))[0]).toMatch(/^NXDOMAIN/);
    }
  }

  const between = (first: NameServer, second: NameServer): Forwarding =>
    forwarding([`127.0.0.1:${first.port},127.0.0.1:${second.port}`]);

  test("stands still and goes on: one question is late, and none fails", async () => {
    const [first, second] = [await open("unbound"), await open("nsd")];
    using asker = between(first, second);
    await askSome(asker, "a");
    expect(asker.counters).toMatchObject({ asked: 20, late: 0 });
    first.signal("SIGSTOP");
    const asked = asker.ask("late.example A");
    await asker.hand.pass(100);
    expect((await asked)[0]).toMatch(/^NXDOMAIN/);
    await askSome(asker, "b");
    expect(asker.counters).toMatchObject({ asked: 42, late: 1, failed: 0 });
    first.signal("SIGCONT");
    await second[Symbol.asyncDispose]();
    await askSome(asker, "c");
    expect(asker.counters).toMatchObject({ late: 1, failed: 0 });
  });

  test("has stood still from the start: no question is late, and none fails", async () => {
    const [first, second] = [await open("unbound"), await open("nsd")];
    first.signal("SIGSTOP");
    using asker = between(first, second);
    asker.forwarder.look();
    // Until the second has said that it is there, the first may be asked, but for a moment.
    const asked = asker.ask("first.example A");
    await asker.hand.pass(20);
    await asked;
    await askSome(asker, "a");
    expect(asker.counters).toMatchObject({ late: 0, failed: 0 });
    expect(asker.counters.asked).toBeLessThanOrEqual(22);
  });

  test("is killed and started again: no question is late, and none fails", async () => {
    const [first, second] = [await open("unbound"), await open("nsd")];
    using asker = between(first, second);
    await askSome(asker, "a");
    await first.kill();
    // Nobody listens there, which the system tells at once.
    await askSome(asker, "b");
    expect(asker.counters).toMatchObject({ asked: 41, late: 0, failed: 0 });
    const { path } = await zone();
    scope.use(await startServer("unbound", { zone: path, port: first.port }));
    await second[Symbol.asyncDispose]();
    await askSome(asker, "c");
    expect(asker.counters).toMatchObject({ late: 0, failed: 0 });
  });
});

for (const kind of ["unbound", "dnsmasq"] as const) {
  testNeeding({ programs: [...SIGNERS, kind, "nsd"] })(
    `${kind} that leads back here is left out`,
    async () => {
      const port = await findFreePort();
      const back = scope.use(await startServer(kind, { forwardTo: port }));
      const nsd = await open("nsd");
      const { log, line } = lines();
      const listen = [`127.0.0.1:${port}`];
      const rota = await start({ listen, forward: [`127.0.0.1:${back.port},127.0.0.1:${nsd.port}`], log });
      expect(await line(/leads back/)).toBe(
        `udp://127.0.0.1:${back.port} leads back here and is left out: what it is asked, it asks this server`,
      );
      expect(await asking(rota).addresses("www.example")).toEqual(["192.0.2.1"]);
      expect(rota.counters.forward).toMatchObject({ asked: 1, loops: 1 });
    },
  );
}

/** A record with the TTL that it began with: a slow machine may see a second go by. */
function unaged(record: string): string {
  return record.replace(/ (?:29\d|300) /, " 300 ").replace(/ [1-7] SOA/, " 7 SOA");
}

/** A log in which the next line can be waited for that matches. */
function lines(): { readonly log: Log; line(pattern: RegExp): Promise<string> } {
  const said: string[] = [];
  let wake = (): void => {};
  const say = (_: object, message: string): void => {
    said.push(message);
    wake();
  };
  return {
    log: { debug: say, info: say, warn: say, error: say },
    async line(pattern) {
      for (;;) {
        const found = said.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
