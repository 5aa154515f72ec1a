// Asks a task, once or many times, and counts what came of it.

import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, isIPv6 } from "node:net";

/**
 * `count` questions, `at` a time, each a flow of its own; the addresses of `from` in turn. Names and peers as the tasks
 * told them, failures by their code.
 */
export async function ask({ protocol, count = 1, at = 1, from = [], ...target }) {
  const found = { names: {}, peers: {}, byClient: {}, errors: {}, slowestMs: 0 };
  let next = 0;
  const asker = async () => {
    while (next < count) {
      const source = from.length > 0 ? from[next % from.length] : undefined;
      next += 1;
      const began = performance.now();
      try {
        const { name, peer } = await askOnce(protocol, { ...target, from: source });
        bump(found.names, name);
        found.peers[name] = [...new Set([...(found.peers[name] ?? []), peer])];
        if (source !== undefined) bump((found.byClient[source] ??= {}), name);
      } catch (error) {
        bump(found.errors, codeOf(error));
      }
      found.slowestMs = Math.max(found.slowestMs, performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: at }, asker));
  return found;
}

/** A connection made, a line answered, and closed from both sides; anything less is a failure. */
export function askTcp({ host, port, from, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, localAddress: from, noDelay: true });
    let text = "";
    let failure;
    const late = setTimeout(() => {
      failure = "TIMEOUT";
      socket.destroy();
    }, timeoutMs);
    socket.on("connect", () => socket.write("hello\n"));
    socket.on("data", (octets) => {
      text += octets;
      if (text.endsWith("\n")) socket.end();
    });
    socket.on("error", (error) => {
      failure ??= codeOf(error);
    });
    socket.on("close", () => {
      clearTimeout(late);
      if (failure !== undefined) reject(failed(failure));
      else if (!text.endsWith("\n")) reject(failed("CLOSED"));
      else resolve(JSON.parse(text));
    });
  });
}

export async function askUdp({ host, port, from, timeoutMs }) {
  const socket = await openUdp({ host, port, from });
  try {
    socket.send("hello");
    const [octets] = await once(socket, "message", { signal: AbortSignal.timeout(timeoutMs) });
    return JSON.parse(octets.toString());
  } finally {
    socket.close();
  }
}

/** A socket that hears what its own peer says alone, refusals included. */
export async function openUdp({ host, port, from }) {
  const socket = await bindUdp(isIPv6(host) ? "udp6" : "udp4", from);
  socket.connect(port, host);
  await once(socket, "connect");
  return socket;
}

/**
 * Ports to ask from, each once before one comes again. The kernel would choose at random, and of forty two are often
 * the same: whoever asks from a port again within the idle time-out is the same flow, and no new one.
 */
const PORTS = { first: 10_000, count: 20_000 };
let nextPort = randomInt(PORTS.count);

async function bindUdp(type, from) {
  for (;;) {
    const socket = createSocket(type);
    nextPort = (nextPort + 1) % PORTS.count;
    try {
      socket.bind(PORTS.first + nextPort, from);
      await once(socket, "listening");
      return socket;
    } catch (error) {
      socket.close();
      if (error.code !== "EADDRINUSE") throw error;
    }
  }
}

/** A port that nothing has, on all addresses and for both protocols. */
export async function freePort() {
  for (;;) {
    const tcp = createServer().listen(0);
    await once(tcp, "listening");
    const { port } = tcp.address();
    const udp = createSocket("udp6");
    try {
      udp.bind(port);
      await once(udp, "listening");
      return { port };
    } catch {
      // The next one may be free for both.
    } finally {
      udp.close();
      tcp.close();
    }
  }
}

export function codeOf(error) {
  if (error?.name === "AbortError" || error?.name === "TimeoutError") return "TIMEOUT";
  return error?.code ?? String(error);
}

export function bump(counts, key) {
  counts[key] = (counts[key] ?? 0) + 1;
}

function askOnce(protocol, target) {
  return protocol === "udp" ? askUdp(target) : askTcp(target);
}

function failed(code) {
  return Object.assign(new Error(code), { code });
}
