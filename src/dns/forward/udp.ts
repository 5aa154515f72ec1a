import { randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { familyOf, formatAddress } from "../../model/address.ts";
import { pairAt } from "../../wire/octet-reader.ts";
import type { ForwardCounters } from "./counters.ts";
import { matchReply, withId } from "./question.ts";
import type { Upstream } from "./upstream.ts";

/** The sockets to one upstream. */
export interface Datagrams {
  /**
   * Asks, and waits until the signal aborts. What is no reply to this question is ignored and counted; `suspicious`:
   * nothing can be believed.
   *
   * @throws what the socket threw: nobody listens there, no route, no more files; the signal's reason.
   */
  ask(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array | "suspicious">;
}

/**
 * As long as there are no more, each question has a socket and so a port of its own, which the system chooses (RFC 5452
 * section 9.2); over it questions share one by chance, since files are few and strangers' questions are not.
 */
const MAX_SOCKETS = 512;

/**
 * So many replies to the very question that is asked, but under other ids, and somebody is guessing: the id has 65,536
 * values, and must be hit before the true reply comes. What else there is to do then is TCP (RFC 5452 section 9).
 */
const MAX_GUESSES = 8;

interface Port {
  readonly socket: Socket;
  /** What waits for its reply, by id. */
  readonly asked: Map<number, Asked>;
  isConnected: boolean;
}

interface Asked {
  readonly sent: Uint8Array;
  guesses: number;
  readonly resolve: (came: Uint8Array | "suspicious") => void;
  readonly reject: (reason: unknown) => void;
}

export function createDatagrams({ address, port: number }: Upstream, counters: ForwardCounters): Datagrams {
  const ports: Port[] = [];

  return {
    async ask(question, signal) {
      const port = choose();
      let sent = withId(question);
      while (port.asked.has(pairAt(sent, 0))) sent = withId(question);
      const id = pairAt(sent, 0);
      let abort: (() => void) | undefined;
      try {
        return await new Promise<Uint8Array | "suspicious">((resolve, reject) => {
          port.asked.set(id, { sent, guesses: 0, resolve, reject });
          abort = () => reject(signal.reason);
          signal.addEventListener("abort", abort, { once: true });
          if (port.isConnected) port.socket.send(sent);
        });
      } finally {
        if (abort) signal.removeEventListener("abort", abort);
        port.asked.delete(id);
        if (port.asked.size === 0) close(port);
      }
    },
  };

  function choose(): Port {
    const shared = ports.length < MAX_SOCKETS ? undefined : ports[randomInt(ports.length)];
    return shared ?? open();
  }

  function open(): Port {
    const socket = createSocket(familyOf(address) === 4 ? "udp4" : "udp6");
    const port: Port = { socket, asked: new Map(), isConnected: false };
    ports.push(port);
    socket.on("error", (error) => {
      leave(port); // nobody else is to be asked by it
      for (const { reject } of port.asked.values()) reject(error);
    });
    socket.on("message", (octets) => take(port, octets));
    // Connected, the system drops what comes from elsewhere, and tells when nobody listens there.
    socket.on("connect", () => {
      port.isConnected = true;
      for (const { sent } of port.asked.values()) socket.send(sent);
    });
    socket.connect(number, formatAddress(address));
    return port;
  }

  function take({ asked }: Port, octets: Uint8Array): void {
    const found = asked.get(pairAt(octets, 0));
    if (found && matchReply(octets, found.sent) === "reply") return found.resolve(octets);
    counters.strays += 1;
    for (const each of asked.values()) {
      if (matchReply(octets, each.sent) !== "guess") continue;
      each.guesses += 1;
      if (each.guesses === MAX_GUESSES) each.resolve("suspicious");
    }
  }

  function close(port: Port): void {
    leave(port);
    port.socket.close();
  }

  function leave(port: Port): void {
    const at = ports.indexOf(port);
    if (at < 0) return;
    ports[at] = ports.at(-1) ?? port;
    ports.pop();
  }
}
