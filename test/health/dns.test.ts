import { describe, expect, it } from "vitest";
import { attemptDns } from "../../src/health/dns.ts";
import { type DnsProbe } from "../../src/model/check.ts";
import { parseAddress } from "../../src/model/address.ts";
import { parseType } from "../../src/model/mnemonics.ts";
import { parseName } from "../../src/model/name.ts";
import {
  type Answer,
  findFreePort,
  frame,
  openBoth,
  openTcp,
  openUdp,
  record,
  replyTo,
} from "../ask/servers.ts";
import { served } from "../dns/served.ts";
import { listen } from "../dns/sockets.ts";
import { handles } from "./leftovers.ts";

const TC = 0x0200;
const NXDOMAIN = 3;
const ONE = record(1, "0a00010b");
const TWO = record(1, "0a00010c");

const silent: Answer = () => [];
const answering =
  (...answers: readonly Buffer[]): Answer =>
  (query) => [replyTo(query, { answers })];
const refusing =
  (rcode: number): Answer =>
  (query) => [replyTo(query, { flags: rcode })];
const truncated: Answer = (query) => [replyTo(query, { flags: TC, answers: [ONE] })];

describe("Rota's own server", () => {
  const FILE = {
    services: {
      web: {
        endpoint_mode: "dnsrr",
        order: "rotate",
        ports: [{ name: "http", target: 8080 }],
        tasks: [{ id: "a", address: "10.0.1.11" }, { address: "fd00::12" }],
      },
      db: { labels: { Team: "shop" }, tasks: [] },
    },
  } as const;

  it.each([
    ["web A", {}, "pass NOERROR 10.0.1.11"],
    ["web AAAA", { answers: ["fd00::12"] }, "pass NOERROR fd00::12"],
    ["web A", { transport: "tcp" }, "pass NOERROR 10.0.1.11"],
    ["web A", { answers: ["10.0.1.12"] }, "fail NOERROR 10.0.1.11, without 10.0.1.12"],
    ["11.1.0.10.in-addr.arpa PTR", { answers: ["A.Web.Rota.Internal"] }, "pass NOERROR a.web.rota.internal."],
    ["rota.internal TXT", {}, "fail NOERROR without a record"],
    ["db.rota.internal TXT", { answers: ['"Team=shop"'] }, 'pass NOERROR "Team=shop"'],
    ["nobody.rota.internal A", {}, "fail NXDOMAIN, not NOERROR"],
    ["nobody.rota.internal A", { rcode: "NXDOMAIN" }, "pass NXDOMAIN"],
    ["web A", { rcode: "NXDOMAIN" }, "fail NOERROR 10.0.1.11, not NXDOMAIN"],
    ["example.com A", { rcode: "REFUSED" }, "pass REFUSED"],
  ] as const)("that is asked for %s and %j: %s", async (question, words, expected) => {
    await using listeners = await listen(served(FILE), ["127.0.0.1:0"]);
    const port = listeners.addresses[0]?.port ?? 0;
    expect(await attempt(port, question, words)).toBe(expected);
  });
});

describe("a server", () => {
  it("must have all of the answers, in any order", async () => {
    await using server = await openUdp(answering(TWO, ONE));
    const both = { answers: ["10.0.1.11", "10.0.1.12"] };
    expect(await attempt(server.port, "web A", both)).toBe("pass NOERROR 10.0.1.12, 10.0.1.11");
    const three = { answers: ["10.0.1.11", "10.0.1.13", "10.0.1.14"] };
    expect(await attempt(server.port, "web A", three)).toBe(
      "fail NOERROR 10.0.1.12, 10.0.1.11, without 10.0.1.13, 10.0.1.14",
    );
  });

  it("is asked with recursion desired, as a resolver answers only so", async () => {
    let flags = 0;
    await using server = await openUdp((query) => {
      flags = query.readUInt16BE(2);
      return answering(ONE)(query);
    });
    await attempt(server.port, "web A");
    expect(flags).toBe(0x0100);
  });

  it("is asked again over TCP when its answer is truncated", async () => {
    await using server = await openBoth(truncated, (socket, query) => {
      for (const reply of answering(ONE, TWO)(query)) socket.write(frame(reply));
    });
    expect(await attempt(server.port, "web A")).toBe("pass NOERROR 10.0.1.11, 10.0.1.12");
  });

  it("fails when its answer is truncated even then", async () => {
    await using server = await openBoth(truncated, (socket, query) => {
      for (const reply of truncated(query)) socket.write(frame(reply));
    });
    expect(await attempt(server.port, "web A")).toBe("fail NOERROR 10.0.1.11, truncated even over TCP");
  });

  it("may be heard at the port of the check when the task has no other", async () => {
    await using server = await openUdp(refusing(NXDOMAIN));
    const target = { service: "web", task: "a", address: parseAddress("127.0.0.1"), port: undefined };
    const probe = probeOf("web A", server.port, { rcode: "NXDOMAIN" });
    const { kind } = await attemptDns(probe, target, new AbortController().signal, () => {});
    expect(kind).toBe("pass");
  });
});

describe("a server that cannot be understood", () => {
  it.each([
    ["cuts its answer off", (query: Buffer) => answering(ONE)(query).map((reply) => reply.subarray(0, -3))],
    [
      "says that it has more records",
      (query: Buffer) => answering(ONE)(query).map((reply) => reply.fill(9, 7, 8)),
    ],
    ["has an address of three octets", answering(record(1, "0a0001"))],
  ])("%s: that is thrown without what is for a person who asked", async (_, answer) => {
    await using server = await openUdp(answer);
    await expect(attempt(server.port, "web A")).rejects.toThrow(/^its answer cannot be read: /);
  });

  it.each(["udp", "tcp"] as const)(
    "says more over %s than a probe reads, which is not read at all",
    async (transport) => {
      const fits = record(65_280, Buffer.alloc(4096 - 21 - 12));
      const answer =
        (answers: Buffer): Answer =>
        (query) => [replyTo(query, { answers: [answers] })];
      const talk = (large: Buffer) =>
        openBoth(answer(large), (socket, query) => {
          for (const reply of answer(large)(query)) socket.write(frame(reply));
        });
      await using enough = await talk(fits);
      expect(await attempt(enough.port, "web A", { transport })).toMatch(/^pass NOERROR /);
      // A name that points at itself: nobody may have looked.
      await using tooMuch = await talk(Buffer.concat([record(5, "c021"), Buffer.alloc(4096)]));
      await expect(attempt(tooMuch.port, "web A", { transport })).rejects.toThrow(
        /^its answer has 4131 octets, over 4096$/,
      );
    },
  );

  it("sends garbage over TCP", async () => {
    await using server = await openTcp((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    await expect(attempt(server.port, "web A", { transport: "tcp" })).rejects.toThrow(
      /^the connection was closed after 28 octets of the answer/,
    );
  });

  it("is not there: the system's error is thrown, as it tells whose fault it is", async () => {
    const port = await findFreePort();
    const code = "ECONNREFUSED";
    await expect(attempt(port, "web A")).rejects.toMatchObject({ code });
    await expect(attempt(port, "web A", { transport: "tcp" })).rejects.toMatchObject({ code });
  });
});

describe("a server that never comes to an end", () => {
  const otherId: Answer = (query) =>
    answering(ONE)(query).map((reply) =>
      Buffer.concat([Buffer.of(query.readUInt8(0) ^ 1), reply.subarray(1)]),
    );
  it.each([
    ["is silent", silent],
    ["sends garbage", () => [Buffer.from("garbage, and more of it")]],
    ["answers with another id", otherId],
    [
      "answers another question",
      (query: Buffer) => answering(ONE)(query).map((reply) => reply.fill(65, 13, 14)),
    ],
    ["sends the query back", (query: Buffer) => [query]],
  ])("%s: it is left when the time is over", async (_, answer) => {
    const ending = new AbortController();
    await using server = await openUdp((query) => {
      setImmediate(() => setImmediate(() => ending.abort()));
      return answer(query);
    });
    const before = await handles();
    await expect(attempt(server.port, "web A", {}, ending.signal)).rejects.toThrow("aborted");
    expect(await handles()).toEqual(before);
  });

  it("is silent over TCP, and is hung up on", async () => {
    const ending = new AbortController();
    let closed: Promise<unknown> | undefined;
    await using server = await openTcp((socket) => {
      closed = new Promise((resolve) => socket.once("close", resolve));
      ending.abort();
    });
    const asking = attempt(server.port, "web A", { transport: "tcp" }, ending.signal);
    await expect(asking).rejects.toThrow("aborted");
    await closed;
  });
});

/** As `pass NOERROR 10.0.1.11`. */
async function attempt(
  port: number,
  question: string,
  words: Partial<DnsProbe> = {},
  signal = new AbortController().signal,
): Promise<string> {
  const target = { service: "web", task: "a", address: parseAddress("127.0.0.1"), port };
  // Another port than the task's, which must not matter.
  const { kind, detail } = await attemptDns(probeOf(question, 1, words), target, signal, () => {});
  return `${kind} ${detail}`;
}

function probeOf(question: string, port: number, words: Partial<DnsProbe>): DnsProbe {
  const [name = "", type = ""] = question.split(" ");
  return {
    kind: "dns",
    port: { name: undefined, number: port },
    transport: "udp",
    name: parseName(name),
    type: parseType(type),
    rcode: "NOERROR",
    answers: [],
    ...words,
  };
}
