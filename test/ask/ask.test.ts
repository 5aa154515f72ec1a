import { getEventListeners } from "node:events";
import { Packet } from "dns2";
import { describe, expect, it } from "vitest";
import { ask, type AskOptions, type Reply } from "../../src/ask/ask.ts";
import { parseType } from "../../src/model/mnemonics.ts";
import { parseServer } from "../../src/ask/server.ts";
import { parseName } from "../../src/model/name.ts";
import {
  type Answer,
  findFreePort,
  frame,
  openBoth,
  openHttp,
  openTcp,
  openUdp,
  record,
  replyTo,
} from "./servers.ts";

const ONE = record(1, "0a00010b");
const TC = 0x0200;
/** Long enough for any answer that comes at all; those that never come are waited for shortly. */
const SHORTLY: AskOptions = { timeoutMs: 60 };

const right: Answer = (query) => [replyTo(query, { answers: [ONE] })];
const otherId: Answer = (query) =>
  right(query).map((reply) => Buffer.concat([flipped(query), reply.subarray(2)]));
const otherName: Answer = (query) => right(query).map((reply) => replaced(reply, "web", "wet"));
const otherType: Answer = (query) => right(query).map((reply) => Buffer.from(reply).fill(65, 18, 19));
// Cut off in the middle of its record, as some servers do.
const cut: Answer = (query) => [replyTo(query, { flags: TC, answers: [ONE] }).subarray(0, -3)];

describe("a server that answers", () => {
  it("is heard over UDP", async () => {
    await using server = await openUdp(right);
    const reply = await askFor("web", `udp://127.0.0.1:${server.port}`);
    expect(reply).toMatchObject({
      flags: ["qr"],
      rcode: { number: 0, name: "NOERROR" },
      question: { name: "web.", class: "IN", type: "A" },
      answers: [{ name: "web.", ttl: 5, class: "IN", type: "A", data: "10.0.1.11" }],
      server: `udp://127.0.0.1:${server.port}`,
      transport: "udp",
      isRetried: false,
      octets: 37,
    });
  });

  it("is heard over UDP and IPv6", async () => {
    await using server = await openUdp(right, "::1");
    expect(dataOf(await askFor("web", `udp://[::1]:${server.port}`))).toEqual(["10.0.1.11"]);
  });

  it.each(["127.0.0.1", "::1"])("is heard over TCP at %s", async (address) => {
    await using server = await openTcp(
      (socket, query) => socket.write(frame(right(query)[0] ?? query)),
      address,
    );
    const host = address.includes(":") ? `[${address}]` : address;
    const reply = await askFor("web", `tcp://${host}:${server.port}`);
    expect(dataOf(reply)).toEqual(["10.0.1.11"]);
    expect(reply.transport).toBe("tcp");
  });

  it("is heard over TCP when its message comes octet by octet", async () => {
    await using server = await openTcp((socket, query) => {
      socket.setNoDelay(true);
      for (const octet of frame(right(query)[0] ?? query)) socket.write(Buffer.of(octet));
    });
    expect(dataOf(await askFor("web", `tcp://127.0.0.1:${server.port}`))).toEqual(["10.0.1.11"]);
  });

  it("is heard over HTTPS, asked with id 0", async () => {
    let id: number | undefined;
    await using server = await openHttp((request, response) => {
      request.once("data", (query: Buffer) => {
        id = query.readUInt16BE(0);
        expect(request.headers).toMatchObject({
          "content-type": "application/dns-message",
          connection: "close", // nothing is kept open behind the answer
        });
        response.setHeader("content-type", "application/dns-message").end(right(query)[0]);
      });
    });
    const reply = await askFor("web", `http://127.0.0.1:${server.port}/dns-query`);
    expect(dataOf(reply)).toEqual(["10.0.1.11"]);
    expect(reply).toMatchObject({ transport: "https", server: `http://127.0.0.1:${server.port}/dns-query` });
    expect(id).toBe(0);
  });

  it("is asked what was meant: every octet of the name, any type, EDNS, RD as told", async () => {
    const asked: Buffer[] = [];
    await using server = await openUdp((query) => {
      asked.push(query);
      return right(query);
    });
    const address = `127.0.0.1:${server.port}`;
    await askFor(String.raw`a\.b\000\255.web`, address, "TYPE65280", { recursionDesired: false });
    await askFor("web", address);
    expect(asked[0]?.subarray(2).toString("hex")).toBe(
      "0000000100000000000105612e6200ff0377656200ff00000100002904d0000000000000",
    );
    const header = Packet.Header.parse(asked[1] ?? Buffer.alloc(0));
    expect(header.rd).toBe(1);
  });

  it("may repeat the question in another case, and none at all in an error", async () => {
    await using shouting = await openUdp((query) => [upperCased(replyTo(query, { answers: [ONE] }))]);
    expect((await askFor("web", `127.0.0.1:${shouting.port}`)).question?.name).toBe("WEB.");
    await using terse = await openUdp((query) => [
      Buffer.concat([query.subarray(0, 2), Buffer.from("80010000000000000000", "hex")]),
    ]);
    const reply = await askFor("web", `127.0.0.1:${terse.port}`);
    expect(reply).toMatchObject({ rcode: { number: 1, name: "FORMERR" }, question: undefined });
  });
});

describe("a truncated answer", () => {
  it("is asked for again over TCP", async () => {
    await using server = await openBoth(cut, (socket, query) =>
      socket.write(frame(replyTo(query, { answers: [ONE, record(1, "0a00010c")] }))),
    );
    const reply = await askFor("web", `127.0.0.1:${server.port}`);
    expect(dataOf(reply)).toEqual(["10.0.1.11", "10.0.1.12"]);
    expect(reply).toMatchObject({
      transport: "tcp",
      isRetried: true,
      server: `tcp://127.0.0.1:${server.port}`,
    });
  });

  it("is taken as it is, when told so", async () => {
    await using server = await openUdp((query) => [replyTo(query, { flags: TC, answers: [ONE] })]);
    const reply = await askFor("web", `127.0.0.1:${server.port}`, "A", { truncated: "keep" });
    expect(reply).toMatchObject({ transport: "udp", isRetried: false, flags: ["qr", "tc"] });
  });

  it("that TCP does not make whole is a failure that says so", async () => {
    await using server = await openBoth(cut, (socket) => socket.end());
    await expect(askFor("web", `127.0.0.1:${server.port}`)).rejects.toMatchObject({
      code: "ERR_ROTA_ASK",
      message:
        `could not ask tcp://127.0.0.1:${server.port} for web. (its answer over UDP was truncated): ` +
        "the connection was closed after 0 octets of the answer",
    });
  });
});

describe("a UDP server that misbehaves", () => {
  it.each<[string, Answer, string]>([
    ["is silent", () => [], "no answer in 60 ms; is rota serve running there?"],
    ["answers with another id", otherId, "came that did not answer this question: its id is"],
    [
      "answers another name",
      otherName,
      "a datagram came that did not answer this question: its question is another",
    ],
    [
      "answers another type",
      otherType,
      "a datagram came that did not answer this question: its question is another",
    ],
    ["sends the query back", (query) => [query], "it is not a reply"],
    [
      "sends three octets, twice",
      () => [Buffer.alloc(3), Buffer.alloc(3)],
      "2 datagrams came that did not answer",
    ],
    ["sends nothing but zeros", () => [Buffer.alloc(512)], "it is not a reply"],
    [
      "counts more records than it sends",
      (query) => [Buffer.from(replyTo(query)).fill(0xff, 6, 8)],
      "its answer cannot be read: it ends before 65535 of its records",
    ],
  ])("and %s", async (_, answer, message) => {
    await using server = await openUdp(answer);
    const address = `127.0.0.1:${server.port}`;
    await expect(askFor("web", address, "A", SHORTLY)).rejects.toMatchObject({
      code: "ERR_ROTA_ASK",
      message: expect.stringContaining(message),
    });
    await expect(askFor("web", address, "A", SHORTLY)).rejects.toThrow(
      `could not ask udp://${address} for web.: `,
    );
  });

  it("is heard all the same, once the right answer comes behind the wrong ones", async () => {
    await using server = await openUdp((query) => [
      Buffer.alloc(3),
      ...otherId(query),
      ...otherName(query),
      ...right(query),
    ]);
    expect(dataOf(await askFor("web", `127.0.0.1:${server.port}`))).toEqual(["10.0.1.11"]);
  });
});

describe("a TCP server that misbehaves", () => {
  it.each<[string, (answer: Buffer) => { send: readonly Buffer[]; last?: "end" | "reset" }, string]>([
    [
      "closes at once",
      () => ({ send: [], last: "end" }),
      "the connection was closed after 0 octets of the answer",
    ],
    ["resets", () => ({ send: [], last: "reset" }), "the connection was reset before the answer was whole"],
    [
      "closes in the middle",
      (answer) => ({ send: [answer.subarray(0, 20)], last: "end" }),
      "the connection was closed after 20 octets of the answer",
    ],
    ["stops in the middle", (answer) => ({ send: [answer.subarray(0, 20)] }), "no answer in 60 ms"],
    ["sends one octet", () => ({ send: [Buffer.alloc(1)] }), "no answer in 60 ms"],
    [
      "sends an empty message",
      () => ({ send: [Buffer.alloc(2)] }),
      "what it answered is not the answer to this question: 0 octets are no message",
    ],
    [
      "answers another question",
      (answer) => ({ send: [replaced(answer, "web", "wet")] }),
      "its question is another",
    ],
  ])("and %s", async (_, act, message) => {
    await using server = await openTcp((socket, query) => {
      const { send, last } = act(frame(right(query)[0] ?? query));
      for (const octets of send) socket.write(octets);
      if (last === "end") socket.end();
      if (last === "reset") socket.resetAndDestroy();
    });
    await expect(askFor("web", `tcp://127.0.0.1:${server.port}`, "A", SHORTLY)).rejects.toMatchObject({
      code: "ERR_ROTA_ASK",
      message: expect.stringContaining(message),
    });
  });

  it("and never stops sending is cut off after one message", async () => {
    const flood = Buffer.alloc(65_536, 0xff);
    let sent = 0;
    await using server = await openTcp((socket) => {
      const pour = (): void => {
        if (socket.destroyed || sent > 100_000_000) return;
        sent += flood.length;
        socket.write(flood, pour);
      };
      pour();
    });
    await expect(askFor("web", `tcp://127.0.0.1:${server.port}`)).rejects.toThrow("it is not");
    expect(sent).toBeLessThan(100_000_000);
  });
});

describe("an HTTPS server that misbehaves", () => {
  it.each<[string, number, string, Buffer, string]>([
    ["knows no such path", 404, "text/plain", Buffer.from("no"), "it answered HTTP 404; is the path right?"],
    ["sends us elsewhere", 302, "text/plain", Buffer.from(""), "it answered HTTP 302; is the path right?"],
    [
      "answers with a page",
      200,
      "text/html",
      Buffer.from("hi"),
      "it answered text/html and not application/dns-message",
    ],
    [
      "answers with too much",
      200,
      "application/dns-message",
      Buffer.alloc(70_000),
      "its answer has more than 65535 octets",
    ],
    ["answers with nothing", 200, "application/dns-message", Buffer.alloc(0), "0 octets are no message"],
  ])("and %s", async (_, status, media, body, message) => {
    await using server = await openHttp((_request, response) => {
      response.writeHead(status, { "content-type": media, location: "/elsewhere" }).end(body);
    });
    await expect(askFor("web", `http://127.0.0.1:${server.port}/dns-query`)).rejects.toMatchObject({
      code: "ERR_ROTA_ASK",
      message: expect.stringContaining(message),
    });
  });

  it("and stops in the middle of its answer", async () => {
    await using server = await openHttp((_request, response) => {
      response.writeHead(200, { "content-type": "application/dns-message" }).write("half");
    });
    await expect(askFor("web", `http://127.0.0.1:${server.port}/`, "A", SHORTLY)).rejects.toThrow(
      "no answer in 60 ms",
    );
  });
});

describe("nobody there", () => {
  it.each(["udp://", "tcp://", "http://"])("is said at once over %s", async (transport) => {
    const server = `${transport}127.0.0.1:${await findFreePort()}`;
    await expect(askFor("web", server)).rejects.toMatchObject({
      code: "ERR_ROTA_ASK",
      message: expect.stringMatching(
        new RegExp(
          `^could not ask ${server}/? for web\\.: connection refused; is rota serve running there\\?$`,
        ),
      ),
    });
  });
});

describe("asking", () => {
  it("that gets no answer says whom, for what, and how long", async () => {
    await using server = await openUdp(() => []);
    const address = `127.0.0.1:${server.port}`;
    await expect(askFor("web", address, "A", SHORTLY)).rejects.toThrow(
      `could not ask udp://${address} for web.: no answer in 60 ms; is rota serve running there?`,
    );
  });

  it("many times with one signal leaves nothing on it", async () => {
    await using server = await openUdp((query) => (query.includes("silence") ? [] : right(query)));
    const { signal } = new AbortController();
    const address = `127.0.0.1:${server.port}`;
    await askFor("web", address, "A", {}, signal);
    await expect(askFor("silence", address, "A", SHORTLY, signal)).rejects.toThrow("no answer");
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("ends with the signal, and gives its reason", async () => {
    const reason = new Error("enough");
    const controller = new AbortController();
    for (const open of [
      () => openUdp(() => (controller.abort(reason), [])),
      () => openTcp(() => controller.abort(reason)),
    ]) {
      await using server = await open();
      for (const transport of ["udp", "tcp"]) {
        const asking = askFor("web", `${transport}://127.0.0.1:${server.port}`, "A", {}, controller.signal);
        await expect(asking).rejects.toBe(reason);
      }
    }
  });
});

function askFor(
  name: string,
  server: string,
  type = "A",
  options: AskOptions = {},
  signal: AbortSignal = new AbortController().signal,
): Promise<Reply> {
  return ask({ name: parseName(name), type: parseType(type) }, parseServer(server), options, signal);
}

function dataOf(reply: Reply): string[] {
  return reply.answers.map(({ data }) => data);
}

/** Another id than the query's. */
function flipped(query: Buffer): Buffer {
  return Buffer.of(query.readUInt8(0) ^ 0xff, query.readUInt8(1));
}

function replaced(message: Buffer, from: string, to: string): Buffer {
  return Buffer.from(message.toString("latin1").replace(from, to), "latin1");
}

function upperCased(message: Buffer): Buffer {
  return replaced(message, "web", "WEB");
}
