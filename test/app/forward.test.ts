import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Log, type Rota, type RotaOptions, startRota } from "../../src/index.ts";
import { readReply } from "../../src/ask/reply.ts";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { findFreePort, record, replyTo } from "../ask/servers.ts";
import { openUpstream, saying, silent, type Way, well } from "../dns/forward/upstreams.ts";
import { askUdp } from "../dns/sockets.ts";
import { createFolder } from "../sources/folder.ts";
import { optRecord, query } from "../wire/query.ts";
import { asking } from "./asking.ts";
import { refusalOf } from "./refusal.ts";

let scope: Scope;
beforeEach(() => {
  scope = createScope();
});
afterEach(async () => scope[Symbol.asyncDispose]());

const start = async (options: RotaOptions): Promise<Rota> => scope.use(await startRota(options));
const upstreamOf = async (way?: Way): ReturnType<typeof openUpstream> => scope.use(await openUpstream(way));

/** A log in which a line can be waited for. */
interface Lines {
  readonly log: Log;
  line(pattern: RegExp): Promise<string>;
}

function lines(): Lines {
  const said: string[] = [];
  const told = new EventTarget();
  const say = (_: object, message: string): void => {
    said.push(message);
    told.dispatchEvent(new Event("said"));
  };
  return {
    log: { debug: say, info: say, warn: say, error: say },
    async line(pattern) {
      for (;;) {
        const found = said.find((line) => pattern.test(line));
        if (found !== undefined) return found;
        await once(told, "said");
      }
    },
  };
}

describe("names of others", () => {
  test("are asked of an upstream; ours never are, and special ones neither", async () => {
    const upstream = await upstreamOf();
    const rota = await start({
      services: { web: { endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] } },
      forward: [`127.0.0.1:${upstream.port}`],
    });
    const ask = asking(rota);
    expect(await ask.addresses("www.example")).toEqual(["192.0.2.1"]);
    expect(await ask.addresses("www.example")).toEqual(["192.0.2.1"]);
    expect(upstream.asked).toEqual(["udp www.example. A"]);
    for (const name of ["web", "web.rota.internal", "localhost"]) {
      expect(await ask.addresses(name)).toHaveLength(1);
    }
    for (const name of ["nosuch", "no.rota.internal", "printer.local", "a.onion", "b.invalid"]) {
      expect(await ask.addresses(name)).toBe("ENOTFOUND");
    }
    expect(upstream.asked).toHaveLength(1);
    expect(rota.cacheCounters).toMatchObject({ hits: 1, misses: 1, entries: 1 });
    expect(rota.counters.forward).toMatchObject({ asked: 1, waiting: 0 });
  });

  test("are asked of an upstream without the client's subnet, and kept by a client for that alone", async () => {
    const upstream = await upstreamOf((query, from) =>
      from.send(
        replyTo(query, {
          flags: 0x0180,
          answers: [record(1, "c0000201")],
          additionals: [Buffer.from(optRecord({}))],
        }),
      ),
    );
    const rota = await start({ forward: [`127.0.0.1:${upstream.port}`], trust: ["127.0.0.1"] });
    const options = [[8, Buffer.from("000118000a0001", "hex")]] as const;
    const asked = query({ name: "www.example", opt: { options } });
    for (const _ of ["asked", "kept"]) {
      const { octets } = await askUdp(asked, rota.addresses[0]?.port ?? 0);
      expect(octets.toString("hex")).toMatch(/000b00080007000118180a0001$/);
    }
    expect(upstream.queries).toHaveLength(1);
    expect(upstream.queries[0]?.toString("hex")).toMatch(/00002904d0000000000000$/);
  });

  test("that many ask for at once are asked once, and each client gets its own id and case", async () => {
    const held: (() => void)[] = [];
    const upstream = await upstreamOf((query, from) => held.push(() => well(query, from)));
    const rota = await start({ forward: [`127.0.0.1:${upstream.port}`] });
    const port = rota.addresses[0]?.port ?? 0;
    const names = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? "www.example" : "WWW.example"));
    const asked = names.map(async (name, id) => askUdp(query({ name, id }), port));
    while (rota.counters.forward.waiting < names.length || upstream.asked.length === 0)
      await new Promise(setImmediate);
    for (const answer of held) answer();
    for (const [id, { octets }] of (await Promise.all(asked)).entries()) {
      expect(octets.readUInt16BE(0)).toBe(id);
      expect(readReply(octets).question?.name).toBe(`${names[id]}.`);
    }
    expect(upstream.asked).toHaveLength(1);
  });

  test("are kept by nobody with cacheSize 0", async () => {
    const upstream = await upstreamOf();
    const rota = await start({ forward: [`127.0.0.1:${upstream.port}`], cacheSize: 0 });
    const ask = asking(rota);
    for (let times = 0; times < 2; times++) expect(await ask.addresses("www.example")).toEqual(["192.0.2.1"]);
    expect(upstream.asked).toHaveLength(2);
    expect(rota.cacheCounters).toBeUndefined();
  });

  test("are refused as `outside` says where nobody is asked for them", async () => {
    const corp = await upstreamOf();
    const rota = await start({ forward: [`corp.example=127.0.0.1:${corp.port}`], outside: "nxdomain" });
    expect(await asking(rota).addresses("www.example")).toBe("ENOTFOUND");
    expect(await asking(rota).addresses("www.corp.example")).toEqual(["192.0.2.1"]);
  });

  test("fail when their upstreams do", async () => {
    const upstream = await upstreamOf(saying(5));
    const rota = await start({ forward: [`127.0.0.1:${upstream.port},127.0.0.1:${await findFreePort()}`] });
    expect(await asking(rota).addresses("www.example")).toBe("EREFUSED");
    const nobody = await start({ forward: [`127.0.0.1:${await findFreePort()}`] });
    expect(await asking(nobody).addresses("www.example")).toBe("ESERVFAIL");
  });

  test("are explained by who is asked", async () => {
    const port = await findFreePort();
    const rota = await start({ forward: [`127.0.0.1:${port},tcp://127.0.0.1:${port}`] });
    const { answers } = await rota.explain("www.example");
    expect(answers).toMatchObject([
      {
        outcome: "FORWARDED",
        why: `it is not ours, and asked of udp://127.0.0.1:${port} and tcp://127.0.0.1:${port}`,
      },
    ]);
    expect((await rota.explain("printer.local")).answers).toMatchObject([
      {
        outcome: "NXDOMAIN",
        why: "no server is asked for such a name: it means nothing outside of a machine or link",
      },
    ]);
  });
});

describe("a loop is found, and that upstream left out:", () => {
  test("to itself", async () => {
    const port = await findFreePort();
    const good = await upstreamOf();
    const { log, line } = lines();
    const rota = await start({
      listen: [`127.0.0.1:${port}`],
      forward: [`127.0.0.1:${port},127.0.0.1:${good.port}`],
      log,
    });
    expect(await line(/leads back/)).toBe(
      `udp://127.0.0.1:${port} leads back here and is left out: what it is asked, it asks this server`,
    );
    expect(await asking(rota).addresses("www.example")).toEqual(["192.0.2.1"]);
    expect(rota.counters.forward).toMatchObject({ loops: 1, asked: 1 });
  });

  test("through another server", async () => {
    const [port, otherPort] = [await findFreePort(), await findFreePort()];
    const [log, otherLog] = [lines(), lines()];
    const good = await upstreamOf();
    const rota = await start({
      listen: [`127.0.0.1:${port}`],
      forward: [`127.0.0.1:${otherPort},127.0.0.1:${good.port}`],
      cacheSize: 0,
      log: log.log,
    });
    const other = await start({
      listen: [`127.0.0.1:${otherPort}`],
      forward: [`127.0.0.1:${port}`],
      cacheSize: 0,
      log: otherLog.log,
    });
    // One of them finds it first, and the other has an upstream then that leads elsewhere.
    await Promise.race([log.line(/leads back/), otherLog.line(/leads back/)]);
    expect(await asking(rota).addresses("www.example")).toEqual(["192.0.2.1"]);
    expect(await asking(other).addresses("www.other.example")).not.toBe("ETIMEOUT");
  });
});

test("a resolv.conf is followed: whom it names is asked", async () => {
  const folder = scope.use(await createFolder());
  const file = await folder.write("resolv.conf", "nameserver 127.9.9.1\n");
  const { log, line } = lines();
  const rota = await start({ forward: [file, `corp.example=${file}`], log });
  const told = async (name: string): Promise<string | undefined> =>
    (await rota.explain(name)).answers[0]?.why;
  expect(await told("www.example")).toBe("it is not ours, and asked of udp://127.9.9.1:53");
  await folder.write("resolv.conf", "nameserver 127.9.9.2\nnameserver 127.9.9.3\n");
  await line(/name servers 127\.9\.9\.2, 127\.9\.9\.3/);
  const both = "it is not ours, and asked of udp://127.9.9.2:53 and udp://127.9.9.3:53";
  expect(await told("www.example")).toBe(both);
  expect(await told("www.corp.example")).toBe(both);
});

test("closing waits for nobody's answer, and leaves nothing", async () => {
  const upstream = await upstreamOf(silent);
  const rota = await startRota({ forward: [`127.0.0.1:${upstream.port}`] });
  const socket = createSocket("udp4");
  const [where] = rota.addresses;
  socket.send(
    Buffer.from("000101000001000000000000037777770765786d61706c650000010001", "hex"),
    where?.port,
    where?.address,
  );
  await upstream.askedTimes(1);
  await rota.close();
  expect(rota.counters.forward.waiting).toBe(0);
  socket.close();
});

describe("Rota does not start with", () => {
  test.each<[RotaOptions, string]>([
    [
      { forward: ["dns.example"] },
      'could not forward to "dns.example": "dns.example" is not an IPv4 or IPv6 address',
    ],
    [{ cacheSize: -1 }, "could not start with cacheSize -1: it must be a whole number from 0 to 1073741824"],
    [{ maxForwards: 0 }, "could not start with maxForwards 0: it must be a whole number from 1 to 1000000"],
  ])("%j", async (options, message) => {
    expect(await refusalOf(startRota(options))).toContain(`ERR_ROTA_OPTION: ${message}`);
  });
});
