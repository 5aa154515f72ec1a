import {
  type ClientHttp2Session,
  connect,
  type IncomingHttpHeaders,
  type SecureClientSessionOptions,
} from "node:http2";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";
import { formatAddress, formatEndpoint } from "../model/address.ts";
import type { GrpcProbe } from "../model/check.ts";
import type { Attempt } from "./attempt.ts";
import { openConnection, type Remote } from "./connect.ts";
import { createCounted } from "./counted.ts";
import { type GrpcReply, isGrpc, judgeReply, writeRequest } from "./grpc-reply.ts";
import { type Outcome, outcome } from "./outcome.ts";
import type { Trust } from "./tls.ts";

/** What an answer's messages may have; a HealthCheckResponse has 7 octets with its frame. */
const MAX_BODY_OCTETS = 4096;
/**
 * What may come over a connection in all: what {@link LIMITS} and the body may have, and as much as is left for
 * settings, pings, and frames that nobody knows. A probe that is flooded with pings costs 2 ms so, and 6 ms with 64 KiB.
 */
const MAX_OCTETS = 24 * 1024;

/** What a server can make us hold. Beyond it, nghttp2 resets the stream or ends the session. */
const LIMITS: SecureClientSessionOptions = {
  maxSessionMemory: 1, // MB: the least that there is
  maxHeaderListPairs: 64,
  maxReservedRemoteStreams: 0,
  settings: {
    enablePush: false,
    initialWindowSize: 2 * MAX_BODY_OCTETS,
    maxHeaderListSize: 16 * 1024,
  },
};

/** RFC 9113 section 7, by number. */
const HTTP2_ERRORS = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

/** Calls Check of grpc.health.v1.Health (grpc/grpc doc/health-checking.md), over a connection of its own. */
export function attemptGrpc(trust: Trust): Attempt<GrpcProbe> {
  return async (probe, target, signal, stage) => {
    const host = formatAddress(target.address);
    const port = target.port ?? probe.port.number;
    const endpoint = formatEndpoint(host, port);
    const trusted = probe.tls && (await trust(probe.tls, host));
    signal.throwIfAborted();
    // RFC 9113 section 3.2: over TLS, HTTP/2 is agreed on by ALPN.
    const tls = trusted && { ...trusted, ALPNProtocols: ["h2"] };
    await using connection = openGuarded({ address: target.address, port, tls }, signal, stage);
    const { socket } = connection;
    await connection.stands;
    if (socket instanceof TLSSocket && socket.alpnProtocol !== "h2") {
      return outcome("fail", "it does not offer HTTP/2 over TLS (ALPN h2)");
    }
    const session = connect(`${tls ? "https" : "http"}://${endpoint}`, {
      ...LIMITS,
      createConnection: () => createCounted(socket, MAX_OCTETS),
    });
    try {
      return await call(session, probe.tls?.servername ?? endpoint, probe.service, stage);
    } finally {
      session.destroy();
    }
  };
}

interface Guarded extends AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when it can be used. */
  readonly stands: Promise<void>;
}

/** A connection that breaks with an error when `signal` aborts, and is gone when disposed of. */
function openGuarded(remote: Remote, signal: AbortSignal, stage: (doing: string) => void): Guarded {
  let ready: (() => void) | undefined;
  const socket = openConnection(remote, stage, () => ready?.());
  const stands = new Promise<void>((resolve, reject) => {
    ready = resolve;
    socket.on("error", reject);
  });
  const closed = new Promise((resolve) => {
    socket.once("close", resolve);
  });
  const end = (): void => {
    socket.destroy(new RotaError("ERR_ROTA_CLOSED", "the probe was ended"));
  };
  signal.addEventListener("abort", end);
  return {
    socket,
    stands,
    async [Symbol.asyncDispose]() {
      signal.removeEventListener("abort", end);
      socket.destroy();
      await closed;
    },
  };
}

/** The request sent, and what comes back until its stream is closed. */
function call(
  session: ClientHttp2Session,
  authority: string,
  service: string,
  stage: (doing: string) => void,
): Promise<Outcome> {
  stage("waiting for HTTP/2 settings");
  let isHttp2 = false;
  let goaway: number | undefined;
  let reply: GrpcReply | undefined;
  const body: Buffer[] = [];
  let octets = 0;

  session.on("error", () => {}); // the stream hears of it first
  session.once("remoteSettings", () => {
    isHttp2 = true;
    stage("waiting for the answer");
  });
  session.on("goaway", (code) => {
    goaway = code;
  });
  const stream = session.request({
    ":method": "POST",
    ":path": "/grpc.health.v1.Health/Check",
    ":authority": authority,
    "content-type": "application/grpc",
    te: "trailers",
    "user-agent": "rota",
  });
  stream.end(writeRequest(service));

  return new Promise((resolve, reject) => {
    const fail = (detail: string): void => resolve(outcome("fail", detail));
    stream.once("response", (headers) => {
      stage("reading the answer");
      reply = readHead(headers);
      // What is behind such a head is for somebody else, and may have no end.
      if (!isGrpc(reply)) resolve(judgeReply(reply, Buffer.alloc(0)));
    });
    stream.on("data", (chunk: Buffer) => {
      octets += chunk.length;
      if (octets > MAX_BODY_OCTETS) fail(`its answer has over ${MAX_BODY_OCTETS / 1024} KiB`);
      else body.push(chunk);
    });
    stream.once("trailers", (trailers) => {
      reply = reply && { ...reply, ...readStatus(trailers) };
    });
    stream.once("error", (error) => {
      const code = systemCodeOf(error);
      if (code === "ERR_HTTP2_STREAM_ERROR") return; // a reset, which comes behind whole answers as well: see close
      if (goaway !== undefined) fail(`it ended the session: GOAWAY ${nameHttp2Error(goaway)}`);
      if (code !== "ERR_HTTP2_ERROR") reject(error);
      const what = isHttp2 ? "it breaks HTTP/2's rules" : "it does not speak HTTP/2";
      fail(`${what}: ${messageOf(error)}`);
    });
    stream.once("close", () => {
      const { rstCode } = stream;
      if (reply?.grpcStatus !== undefined || (reply && rstCode === 0)) {
        return resolve(judgeReply(reply, Buffer.concat(body)));
      }
      if (session.destroyed) return fail("it closed the connection before its answer was whole");
      fail(`the stream was reset: ${nameHttp2Error(rstCode)}`);
    });
  });
}

function readHead(headers: IncomingHttpHeaders & { readonly ":status"?: number | undefined }): GrpcReply {
  return { status: headers[":status"], contentType: headers["content-type"], ...readStatus(headers) };
}

function readStatus(headers: IncomingHttpHeaders): Pick<GrpcReply, "grpcStatus" | "grpcMessage"> {
  const message = headers["grpc-message"];
  const status = headers["grpc-status"];
  return { grpcStatus: status?.toString(), grpcMessage: message?.toString() ?? "" };
}

function nameHttp2Error(code: number): string {
  return HTTP2_ERRORS[code] ?? `error ${code}`;
}
