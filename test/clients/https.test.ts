import { once } from "node:events";
import { createSecureServer, type ServerHttp2Stream } from "node:http2";
import { createServer } from "node:https";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { serving } from "../cli/serving.ts";
import { addressed } from "../dns/forward/upstreams.ts";
import { openAuthority } from "../health/certificates.ts";
import { testNeeding } from "../needing.ts";

/** What a server does with a question, of which it is told how many came before. */
type Way = (stream: ServerHttp2Stream, question: Buffer, before: number) => void;

const GOOD = { ":status": 200, "content-type": "application/dns-message" };
const well: Way = (stream, question) => {
  stream.respond(GOOD);
  stream.end(addressed(question));
};

describe("an upstream over HTTPS", () => {
  const test = testNeeding({ programs: ["openssl", "dig"] });
  const scope = createScope();
  let authority: Awaited<ReturnType<typeof openAuthority>>;
  beforeAll(async () => {
    authority = scope.use(await openAuthority());
  });
  afterAll(async () => scope[Symbol.asyncDispose]());

  async function open(way: Way): Promise<{ readonly where: string; readonly asked: string[] }> {
    const asked: string[] = [];
    const server = createSecureServer(await authority.issue("DNS:dns.example"));
    server.on("stream", (stream, headers) => {
      const chunks: Buffer[] = [];
      stream.on("error", () => {});
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        asked.push(`${headers[":method"]} ${headers[":path"]} ${headers["content-type"]}`);
        way(stream, Buffer.concat(chunks), asked.length - 1);
      });
    });
    return { where: await listen(server), asked };
  }

  async function listen(
    server: ReturnType<typeof createSecureServer> | ReturnType<typeof createServer>,
  ): Promise<string> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    scope.defer(() => void server.close());
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return `https://127.0.0.1:${address.port}`;
  }

  /** What clients are told of these names, one after the other. */
  async function told(where: string, names: readonly string[]): Promise<string[]> {
    const words = ["-f", `${where}#dns.example`, "--cache-size", "0"];
    await using serve = serving(words, { variables: { NODE_EXTRA_CA_CERTS: authority.ca } });
    const all: string[] = [];
    for (const name of names) all.push((await serve.data(name)).join(" "));
    return all;
  }

  test("is asked by POST, as RFC 8484 has it", async () => {
    const { where, asked } = await open(well);
    expect(await told(`${where}/other/path`, ["www.example A", "w3.example A"])).toEqual([
      "192.0.2.1",
      "192.0.2.1",
    ]);
    expect(new Set(asked)).toEqual(new Set(["POST /other/path application/dns-message"]));
  });

  const LIES: readonly (readonly [string, Way])[] = [
    [
      "404",
      (stream, question) => {
        stream.respond({ ...GOOD, ":status": 404 });
        stream.end(addressed(question));
      },
    ],
    [
      "a page",
      (stream, question) => {
        stream.respond({ ":status": 200, "content-type": "text/html" });
        stream.end(addressed(question));
      },
    ],
    [
      "what does not end",
      (stream) => {
        stream.respond(GOOD);
        const more = (): void => void (stream.destroyed || stream.write(Buffer.alloc(16_384), more));
        more();
      },
    ],
    [
      "another question's",
      (stream, question) => {
        stream.respond(GOOD);
        stream.end(Buffer.from(addressed(question).toString("latin1").replace("www", "wwx"), "latin1"));
      },
    ],
    [
      "half of it",
      (stream, question) => {
        stream.respond({ ...GOOD, "content-length": addressed(question).length });
        stream.write(addressed(question).subarray(0, 20), () => stream.close(2));
      },
    ],
    ["nothing, and hangs up", (stream) => stream.session?.destroy()],
  ];
  for (const [lie, way] of LIES) {
    test(`that replies with ${lie}, fails`, async () => {
      const { where } = await open(way);
      expect(await told(where, ["www.example A"])).toEqual(["SERVFAIL"]);
    });
  }

  test("that goes away after each reply is connected to again", async () => {
    const { where } = await open((stream, question, before) => {
      well(stream, question, before);
      stream.session?.goaway();
    });
    const names = ["a", "b", "c", "d"].map((label) => `${label}.example A`);
    expect(await told(where, names)).toEqual(names.map(() => "192.0.2.1"));
  });

  test("that speaks no HTTP/2 is of no use", async () => {
    const where = await listen(createServer(await authority.issue("DNS:dns.example")));
    expect(await told(where, ["www.example A"])).toEqual(["SERVFAIL"]);
  });
});
