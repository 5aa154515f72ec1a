import { createSocket } from "node:dgram";
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import { RotaError } from "../base/error.ts";
import { familyOf, formatAddress } from "../model/address.ts";
import type { HttpsServer, SocketServer } from "./server.ts";

/*
 * One message there and one back, with sockets of our own. dns2's clients hear no signal; over TCP they split an
 * IPv6 address at its colons and wait for ever, over HTTPS they take any number of octets.
 */

/** RFC 1035 section 4.2.2: the length before a message has two octets. */
export const MAX_MESSAGE_OCTETS = 0xffff;
/** RFC 8484 section 6. */
const MEDIA_TYPE = "application/dns-message";

/** Waits for a datagram that `isReply` accepts; the others are ignored, since anybody can send one. */
export function exchangeUdp(
  query: Buffer,
  server: SocketServer,
  isReply: (datagram: Buffer) => boolean,
  signal: AbortSignal,
): Promise<Buffer> {
  const socket = createSocket(familyOf(server.address) === 4 ? "udp4" : "udp6");
  return new Promise<Buffer>((resolve, reject) => {
    signal.addEventListener("abort", () => reject(closed("asking was ended")));
    socket.on("error", reject);
    socket.on("message", (datagram) => {
      if (isReply(datagram)) resolve(datagram);
    });
    // Connected, the kernel drops what comes from elsewhere and tells when nobody listens there.
    socket.on("connect", () => socket.send(query));
    socket.connect(server.port, formatAddress(server.address));
  }).finally(() => socket.close());
}

export async function exchangeTcp(query: Buffer, server: SocketServer, signal: AbortSignal): Promise<Buffer> {
  const socket = connect({ host: formatAddress(server.address), port: server.port, signal });
  const framed = Buffer.alloc(2 + query.length);
  framed.writeUInt16BE(query.length);
  framed.set(query, 2);
  // Not `end`: there are servers that take a half-closed connection for one that nobody reads.
  socket.write(framed);
  const received = Buffer.alloc(2 + MAX_MESSAGE_OCTETS);
  let count = 0;
  // However this loop is left, it destroys the socket.
  for await (const chunk of socket) {
    count += Buffer.from(chunk).copy(received, count);
    const end = count < 2 ? Infinity : 2 + received.readUInt16BE(0);
    if (count >= end) return received.subarray(2, end);
  }
  throw closed(`the connection was closed after ${count} octets of the answer`);
}

/** RFC 8484 section 4.1. Redirects are not followed: the question is for this server. */
export async function exchangeHttps(
  query: Buffer,
  server: HttpsServer,
  signal: AbortSignal,
): Promise<Buffer> {
  const url = new URL(server.url);
  const request = (url.protocol === "http:" ? requestHttp : requestHttps)(url, {
    method: "POST",
    agent: false, // no connection is kept for a next question
    headers: { "content-type": MEDIA_TYPE, accept: MEDIA_TYPE, "content-length": query.length },
    signal,
  });
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      request.on("error", reject).on("response", resolve).end(query);
    });
    return await readBody(response);
  } finally {
    request.destroy();
  }
}

async function readBody(response: IncomingMessage): Promise<Buffer> {
  const media = response.headers["content-type"] ?? "nothing";
  if (response.statusCode !== 200) {
    throw closed(`it answered HTTP ${response.statusCode}; is the path right?`);
  }
  if (!media.startsWith(MEDIA_TYPE))
    throw closed(`it answered ${media} and not ${MEDIA_TYPE}; is the path right?`);
  const chunks: Buffer[] = [];
  let count = 0;
  for await (const chunk of response) {
    const octets = Buffer.from(chunk);
    count += octets.length;
    if (count > MAX_MESSAGE_OCTETS) throw closed(`its answer has more than ${MAX_MESSAGE_OCTETS} octets`);
    chunks.push(octets);
  }
  return Buffer.concat(chunks);
}

function closed(why: string): RotaError {
  return new RotaError("ERR_ROTA_ASK", why);
}
