import type { Socket } from "node:net";
import { RotaError } from "../base/error.ts";
import type { TcpProbe } from "../model/check.ts";
import { formatSpan } from "../model/duration.ts";
import type { Attempt } from "./attempt.ts";
import { openConnection } from "./connect.ts";
import { createExcerpt, formatMatch, formatSaid } from "./excerpt.ts";
import { type Outcome, outcome } from "./outcome.ts";

/** Connects, says something if it is to, and hears whether the task says what it should. */
export const attemptTcp: Attempt<TcpProbe> = ({ port, send, expect }, target, signal, stage) =>
  new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const remote = { address: target.address, port: target.port ?? port.number, tls: undefined };
    const socket = openConnection(remote, stage, () => {
      if (isItself(socket, remote.port)) return end(outcome("fail", "connection refused"));
      if (send === "" && !expect) return pass("connected");
      stage(expect ? `waiting for ${formatMatch(expect)}` : "sending");
      if (send === "") return;
      socket.write(send, (error) => {
        if (!error && !expect) pass("sent");
      });
    });
    socket.on("error", fail);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    if (!expect) return;

    const heard = createExcerpt(expect, "stream");
    socket.on("data", (octets: Buffer) => {
      heard.add(octets);
      if (heard.look()) return pass(`said ${formatMatch(expect)}`);
      if (heard.isTooFine) return end(outcome("fail", "what it says comes in too small pieces"));
      if (heard.isFull) end(outcome("fail", `no ${formatMatch(expect)} in the first 64 KiB`));
    });
    socket.on("end", () => {
      if (heard.isFound()) pass(`said ${formatMatch(expect)}`);
      else end(outcome("fail", `connection closed without ${formatMatch(expect)}: ${formatSaid(heard)}`));
    });

    function pass(did: string): void {
      end(outcome("pass", `${did} in ${formatSpan(performance.now() - startedMs)}`));
    }

    function end(result: Outcome): void {
      leave();
      resolve(result);
    }

    function fail(error: Error): void {
      leave();
      reject(error);
    }

    function abort(): void {
      fail(new RotaError("ERR_ROTA_ASK", "trying was ended"));
    }

    /** `error` keeps its listener, for one that is under way. */
    function leave(): void {
      signal.removeEventListener("abort", abort);
      socket.destroy();
    }
  });

/**
 * Whether both ends are one (RFC 9293 section 3.5, "simultaneous connection synchronization"): where nobody listens,
 * Linux may give the socket the very port that it calls. Only here would that pass for an answer.
 */
function isItself(socket: Socket, port: number): boolean {
  return socket.localPort === port && socket.localAddress === socket.remoteAddress;
}
