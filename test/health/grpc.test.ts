import { messageOf } from "../../src/base/error.ts";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTls } from "node:tls";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attemptGrpc } from "../../src/health/grpc.ts";
import { createTrust } from "../../src/health/tls.ts";
import { parseAddress } from "../../src/model/address.ts";
import type { GrpcProbe, ProbeTls } from "../../src/model/check.ts";
import { findFreePort } from "../ask/servers.ts";
import { testNeeding } from "../needing.ts";
import {
  continuation,
  data,
  flood,
  goaway,
  grpcMessage,
  headers,
  lastData,
  openHeaders,
  openRaw,
  PING,
  rstStream,
  SETTINGS,
  trailers,
  UNKNOWN_FRAME,
  WINDOW_UPDATE,
} from "./http2-frames.ts";
import { handles } from "./leftovers.ts";

const HEAD = headers({ ":status": "200", "content-type": "application/grpc" });
const SERVING = grpcMessage(Buffer.of(0x08, 1));
const OK = trailers({ "grpc-status": "0" });
const LONG = "x".repeat(200);

describe("a gRPC server", () => {
  it.each([
    ["no service", "", "pass SERVING"],
    ["one that does not serve", "shop.Cart", "fail NOT_SERVING"],
    ["one that does not know", "shop.Unclear", "fail UNKNOWN"],
    ["one that is not of ASCII", "shop.Größe", "pass SERVING"],
    ["one with a long name", LONG, "pass SERVING"],
    ["nobody", "shop.Nobody", "fail NOT_FOUND: Health status unknown for service shop.Nobody"],
  ])("is asked for %s", async (_, service, expected) => {
    await using server = await openGrpc();
    expect(await attempt(server.port, { service })).toBe(expected);
  });

  testNeeding({ ipv6: true })("is asked over IPv6", async () => {
    await using server = await openGrpc(ServerCredentials.createInsecure(), "[::1]");
    expect(await attempt(server.port, {}, "::1")).toBe("pass SERVING");
  });

  it("without the health service says so", async () => {
    await using server = await openGrpc(ServerCredentials.createInsecure(), "127.0.0.1", new Server());
    expect(await attempt(server.port)).toMatch(
      /^fail UNIMPLEMENTED: the server does not offer grpc.health.v1.Health: The server does not implement/,
    );
  });
});

describe("a gRPC server over TLS", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "grpc-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const testTls = testNeeding({ programs: ["openssl"] });

  testTls("is asked when its certificate is trusted", async () => {
    await using server = await openGrpc(credentials());
    expect(await attempt(server.port, { tls: trusting({ ca: join(folder, "cert.pem") }) })).toBe(
      "pass SERVING",
    );
    expect(await attempt(server.port, { tls: trusting({ insecure: true }) })).toBe("pass SERVING");
  });

  testTls("is not asked when its certificate is not trusted, or for another", async () => {
    await using server = await openGrpc(credentials());
    const tls = trusting({ ca: join(folder, "cert.pem"), servername: "elsewhere" });
    await expect(attempt(server.port, { tls: trusting({}) })).rejects.toThrow("self-signed certificate");
    await expect(attempt(server.port, { tls })).rejects.toThrow(
      "the certificate is for 127.0.0.1, not for elsewhere",
    );
  });

  testTls("cannot be asked when it has no HTTP/2 there", async () => {
    credentials();
    const server = createTls({ key: read("key.pem"), cert: read("cert.pem") });
    await using raw = await openRaw(
      () => {},
      (socket) => server.emit("connection", socket),
    );
    expect(await attempt(raw.port, { tls: trusting({ insecure: true }) })).toBe(
      "fail it does not offer HTTP/2 over TLS (ALPN h2)",
    );
    await raw.allClosed();
  });

  testTls("has what it says counted as well", async () => {
    credentials();
    const keys = { key: read("key.pem"), cert: read("cert.pem"), ALPNProtocols: ["h2"] };
    const server = createTls(keys, (socket) => {
      socket.on("error", () => {}).resume(); // it is hung up on, which is known only to who reads
      socket.write(Buffer.concat([SETTINGS, ...unknown(25)]));
    });
    await using raw = await openRaw(
      () => {},
      (socket) => server.emit("connection", socket),
    );
    const asking = attempt(raw.port, { tls: trusting({ insecure: true }) });
    await expect(asking).rejects.toThrow("it sent over 24 KiB without an answer");
    await raw.allClosed();
  });

  it("cannot be asked when the file of certificates is not there", async () => {
    const tls = trusting({ ca: join(folder, "nowhere.pem") });
    await expect(attempt(1, { tls })).rejects.toMatchObject({ code: "ERR_ROTA_OPTION" });
  });

  it("that speaks no TLS is seen through", async () => {
    await using raw = await openRaw(
      () => {},
      (socket) => socket.write(SETTINGS),
    );
    await expect(attempt(raw.port, { tls: trusting({ insecure: true }) })).rejects.toMatchObject({
      code: "ERR_SSL_WRONG_VERSION_NUMBER",
    });
    await raw.allClosed();
  });

  function credentials(): ServerCredentials {
    const [key, cert] = ["key.pem", "cert.pem"].map((file) => join(folder, file));
    const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`;
    execFileSync("openssl", words.split(" "), { stdio: "ignore" });
    return ServerCredentials.createSsl(null, [
      { private_key: read("key.pem"), cert_chain: read("cert.pem") },
    ]);
  }

  function read(file: string): Buffer {
    return readFileSync(join(folder, file));
  }
});

describe("a server that answers", () => {
  it.each([
    ["as it should", [HEAD, data(SERVING), OK], "pass SERVING"],
    ["in pieces", [HEAD, ...pieces(SERVING), OK], "pass SERVING"],
    [
      "with fields that nobody knows",
      [HEAD, data(grpcMessage(hex("1203616263 0801 2105060708090a0b0c 1d01020304"))), OK],
      "pass SERVING",
    ],
    ["with much in front that nobody knows", [...unknown(23), HEAD, data(SERVING), OK], "pass SERVING"],
    ["with the default", [HEAD, data(grpcMessage(Buffer.alloc(0))), OK], "fail UNKNOWN"],
    ["that there is no such service", [HEAD, data(grpcMessage(hex("0803"))), OK], "fail SERVICE_UNKNOWN"],
    ["with a status that nobody knows", [HEAD, data(grpcMessage(hex("08ac02"))), OK], "fail status 300"],
    ["and resets the stream behind it", [HEAD, data(SERVING), OK, rstStream(0)], "pass SERVING"],
    ["and goes away behind it", [goaway(1, 0), HEAD, data(SERVING), OK], "pass SERVING"],
    [
      "with another content-type of gRPC",
      [grpcHead("application/grpc+proto"), data(SERVING), OK],
      "pass SERVING",
    ],
    ["no message", [HEAD, OK], "fail its answer has no message"],
    ["half a frame", [HEAD, data(hex("0000")), OK], "fail its message is cut off"],
    [
      "less than it says",
      [HEAD, data(grpcMessage(hex("0801"), 9)), OK],
      "fail its message has 2 octets and says that it has 9",
    ],
    [
      "more than it says",
      [HEAD, data(grpcMessage(hex("08010801"), 2)), OK],
      "fail its message has 4 octets and says that it has 2",
    ],
    [
      "2 GiB, by its word",
      [HEAD, data(grpcMessage(hex("0801"), 0x80000000)), OK],
      "fail its message has 2 octets and says that it has 2147483648",
    ],
    [
      "what is compressed",
      [HEAD, data(grpcMessage(hex("0801"), 2, 1)), OK],
      "fail its message is compressed",
    ],
    [
      "what is no message",
      [HEAD, data(grpcMessage(hex("ffff"))), OK],
      "fail its answer is no HealthCheckResponse",
    ],
    [
      "a field that ends beyond the message",
      [HEAD, data(grpcMessage(hex("0801127f00"))), OK],
      "fail its answer is no HealthCheckResponse",
    ],
    [
      "a number without an end",
      [HEAD, data(grpcMessage(Buffer.alloc(40, 0x88))), OK],
      "fail its answer is no HealthCheckResponse",
    ],
    [
      "with an error",
      [HEAD, trailers({ "grpc-status": "14", "grpc-message": "going down" })],
      "fail UNAVAILABLE: going down",
    ],
    [
      "with an error at once",
      [
        headers(
          {
            ":status": "200",
            "content-type": "application/grpc",
            "grpc-status": "7",
            "grpc-message": "f%C3%BCr %22dich%22 100%",
          },
          1,
        ),
      ],
      'fail PERMISSION_DENIED: für "dich" 100%',
    ],
    ["with an error that nobody knows", [HEAD, trailers({ "grpc-status": "99" })], "fail grpc-status 99"],
    ["with an error that is no number", [HEAD, trailers({ "grpc-status": "well" })], "fail grpc-status well"],
    ["without trailers", [HEAD, lastData(SERVING)], "fail its answer ended without a grpc-status"],
    [
      "with other trailers",
      [HEAD, data(SERVING), trailers({ "x-other": "1" })],
      "fail its answer ended without a grpc-status",
    ],
    ["HTTP 503", [headers({ ":status": "503", "content-type": "application/grpc" }, 1)], "fail HTTP 503"],
    [
      "HTML",
      [headers({ ":status": "200", "content-type": "text/html" }), data(SERVING)],
      "fail it answered text/html and not application/grpc",
    ],
    [
      "something",
      [headers({ ":status": "200" }), data(SERVING)],
      "fail it answered no content-type and not application/grpc",
    ],
  ])("%s", async (_, frames, expected) => {
    expect(await afterwards((socket) => socket.write(Buffer.concat([SETTINGS, ...frames])))).toBe(expected);
  });
});

describe("a server that misbehaves", () => {
  it.each<[string, (socket: Socket) => void, RegExp]>([
    [
      "resets the stream",
      (socket) => socket.write(Buffer.concat([SETTINGS, rstStream(7)])),
      /^fail the stream was reset: REFUSED_STREAM$/,
    ],
    [
      "cancels the stream",
      (socket) => socket.write(Buffer.concat([SETTINGS, HEAD, rstStream(8)])),
      /^fail the stream was reset: CANCEL$/,
    ],
    [
      "ends the stream without an answer",
      (socket) => socket.write(Buffer.concat([SETTINGS, rstStream(0)])),
      /^fail the stream was reset: NO_ERROR$/,
    ],
    [
      "goes away",
      (socket) => socket.write(Buffer.concat([SETTINGS, goaway(0, 0)])),
      /^fail the stream was reset: REFUSED_STREAM$/,
    ],
    [
      "goes away in anger",
      (socket) => socket.write(Buffer.concat([SETTINGS, goaway(0, 11)])),
      /^fail it ended the session: GOAWAY ENHANCE_YOUR_CALM$/,
    ],
    [
      "goes away for a reason of its own",
      (socket) => socket.write(Buffer.concat([SETTINGS, goaway(0, 99)])),
      /^fail it ended the session: GOAWAY error 99$/,
    ],
    ["hangs up", (socket) => socket.end(), /^fail it closed the connection before its answer was whole$/],
    [
      "hangs up in its answer",
      (socket) => socket.end(Buffer.concat([SETTINGS, HEAD])),
      /^fail it closed the connection before its answer was whole$/,
    ],
    ["breaks the connection", (socket) => socket.resetAndDestroy(), /^thrown read ECONNRESET$/],
    [
      "speaks HTTP/1.1",
      (socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"),
      /^fail it does not speak HTTP\/2: /,
    ],
    [
      "speaks nothing known",
      (socket) => socket.write(Buffer.alloc(100, 0xff)),
      /^fail it does not speak HTTP\/2: /,
    ],
    [
      "has no end to its answer",
      (socket) => flood(first(socket, HEAD), data(Buffer.alloc(1000))),
      /^(?:fail its answer has over 4 KiB|thrown it sent over 24 KiB without an answer)$/,
    ],
    [
      "has more in its answer than it may",
      (socket) => first(socket, HEAD, ...Array.from({ length: 5 }, () => data(Buffer.alloc(1000)))),
      /^fail its answer has over 4 KiB$/,
    ],
    [
      "has no end to its headers",
      (socket) => flood(first(socket, openHeaders({ a: "b" })), continuation({ a: "b".repeat(100) })),
      /^(?:fail |thrown it sent over 24 KiB)/,
    ],
    [
      "says too much in front of a good answer, all at once",
      (socket) => first(socket, ...unknown(25), HEAD, data(SERVING), OK),
      /^thrown it sent over 24 KiB without an answer$/,
    ],
    [
      "has too many headers",
      (socket) =>
        first(socket, headers(Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`x-${at}`, ""])))),
      /^fail /,
    ],
    [
      "has no end to its interim answers",
      (socket) => flood(first(socket), headers({ ":status": "103" })),
      /^thrown it sent over 24 KiB without an answer$/,
    ],
    [
      "has no end to its pings",
      (socket) => flood(first(socket), PING),
      /^(?:fail it breaks HTTP\/2's rules|thrown it sent over 24 KiB)/,
    ],
    [
      "has no end to its settings",
      (socket) => flood(socket, SETTINGS),
      /^(?:fail it breaks HTTP\/2's rules|thrown it sent over 24 KiB)/,
    ],
    [
      "has no end to its window",
      (socket) => flood(first(socket), WINDOW_UPDATE),
      /^thrown it sent over 24 KiB/,
    ],
    [
      "has no end to what nobody knows",
      (socket) => flood(first(socket), UNKNOWN_FRAME),
      /^thrown it sent over 24 KiB/,
    ],
  ])("%s", async (_, serve, expected) => {
    expect(await afterwards(serve)).toMatch(expected);
  });

  it("is not there", async () => {
    await expect(attempt(await findFreePort())).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("a server that hangs", () => {
  it.each<[string, string, Partial<GrpcProbe>, (socket: Socket) => void]>([
    ["before TLS", "negotiating TLS", { tls: trusting({ insecure: true }) }, () => {}],
    ["before its settings", "waiting for HTTP/2 settings", {}, () => {}],
    [
      "in the middle of its settings",
      "waiting for HTTP/2 settings",
      {},
      (socket) => socket.write(SETTINGS.subarray(0, 5)),
    ],
    ["behind its settings", "waiting for the answer", {}, (socket) => socket.write(SETTINGS)],
    ["in its headers", "waiting for the answer", {}, (socket) => first(socket, openHeaders({ a: "b" }))],
    [
      "after a push",
      "waiting for the answer",
      {},
      (socket) => first(socket, hex("000005050400000001 00000002 88")),
    ],
    ["in its answer", "reading the answer", {}, (socket) => first(socket, HEAD)],
    ["before its trailers", "reading the answer", {}, (socket) => first(socket, HEAD, data(SERVING))],
  ])("%s is left when the time is over", async (_, expected, probe, serve) => {
    await using server = await openRaw(serve);
    const before = await handles();
    const ending = new AbortController();
    const stages: string[] = [];
    const ended = attempt(server.port, probe, "127.0.0.1", ending.signal, (doing) => {
      stages.push(doing);
      if (doing === expected) ending.abort();
    });
    await expect(ended).rejects.toThrow("the probe was ended");
    expect(stages).toContain("connecting");
    await server.allClosed();
    expect(await handles()).toEqual(before);
  });

  it("after garbage is left when the time is over, or at once", async () => {
    await using server = await openRaw((socket) => first(socket, Buffer.alloc(100, 0xff)));
    const ending = new AbortController();
    const ended = attempt(server.port, {}, "127.0.0.1", ending.signal, (doing) => {
      if (doing === "waiting for the answer") ending.abort();
    });
    // nghttp2 says what was wrong to the server; Node 24 tells us as well, Node 20 hears nothing any more.
    const came = await ended.catch(messageOf);
    expect(["the probe was ended", "fail it breaks HTTP/2's rules: Protocol error"]).toContain(came);
    await server.allClosed();
  });

  it("is not even called when the time is over before", async () => {
    await expect(attempt(1, {}, "127.0.0.1", AbortSignal.abort())).rejects.toThrow("aborted");
  });
});

/** What came of it, when it is sure that nothing is left of it. */
async function afterwards(serve: (socket: Socket) => void): Promise<string> {
  await using server = await openRaw(serve);
  const before = await handles();
  const said = await attempt(server.port).catch((error: Error) => `thrown ${error.message}`);
  await server.allClosed();
  expect(await handles()).toEqual(before);
  return said;
}

/** As `pass SERVING`. */
async function attempt(
  port: number,
  probe: Partial<GrpcProbe> = {},
  address = "127.0.0.1",
  signal = new AbortController().signal,
  stage: (doing: string) => void = () => {},
): Promise<string> {
  const { kind, detail } = await attemptGrpc(createTrust())(
    { kind: "grpc", port: { name: undefined, number: 1 }, tls: undefined, service: "", ...probe },
    { service: "web", task: "a", address: parseAddress(address), port },
    signal,
    stage,
  );
  return `${kind} ${detail}`;
}

function trusting(words: Partial<ProbeTls>): ProbeTls {
  return { ca: undefined, servername: undefined, insecure: false, ...words };
}

interface GrpcServer extends AsyncDisposable {
  readonly port: number;
}

/** The server that gRPC's authors made. */
async function openGrpc(
  credentials = ServerCredentials.createInsecure(),
  address = "127.0.0.1",
  server = healthServer(),
): Promise<GrpcServer> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${address}:0`, credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.forceShutdown();
    },
  };
}

function healthServer(): Server {
  const server = new Server();
  new HealthImplementation({
    "": "SERVING",
    "shop.Cart": "NOT_SERVING",
    "shop.Unclear": "UNKNOWN",
    "shop.Größe": "SERVING",
    [LONG]: "SERVING",
  }).addToServer(server);
  return server;
}

/** Says what comes before what is wrong. */
function first(socket: Socket, ...frames: readonly Buffer[]): Socket {
  socket.write(Buffer.concat([SETTINGS, ...frames]));
  return socket;
}

function grpcHead(contentType: string): Buffer {
  return headers({ ":status": "200", "content-type": contentType });
}

function pieces(octets: Buffer): Buffer[] {
  return Array.from(octets, (octet) => data(Buffer.of(octet)));
}

/** So many KiB in frames that nobody knows. */
function unknown(kib: number): Buffer[] {
  return Array.from({ length: (kib * 1024) / UNKNOWN_FRAME.length }, () => UNKNOWN_FRAME);
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}
