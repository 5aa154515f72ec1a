import type { Socket } from "node:net";
import type { TcpProbe } from "../model/check.ts";
import { formatSpan } from "../model/duration.ts";
import { type Attempt, untilEnd } from "./attempt.ts";
import { openConnection } from "./connect.ts";
import { createExcerpt, formatMatch, formatSaid } from "./excerpt.ts";
import { type Outcome, outcome } from "./outcome.ts";

/** Connects, says something if it is to, and hears whether the task says what it should. */
export const attemptTcp: Attempt<TcpProbe> = ({ port, send, expect }, target, signal, stage) => {
  const startedMs = performance.now();
  let socket: Socket | undefined;
  return untilEnd<Outcome>(
    signal,
    () => socket?.destroy(),
    ({ end, fail }) => {
      const remote = { address: target.address, port: target.port ?? port.number, tls: undefined };
      const opened = openConnection(remote, stage, () => {
        if (isItself(opened, remote.port)) return end(outcome("fail", "connection refused"));
        if (send === "" && !expect) return pass("connected");
        stage(expect ? `waiting for ${formatMatch(expect)}` : "sending");
        if (send === "") return;
        opened.write(send, (error) => {
          if (!error && !expect) pass("sent");
        });
      });
      socket = opened;
      opened.on("error", fail);
      if (!expect) return;

      const heard = createExcerpt(expect, "stream");
      opened.on("data", (octets: Buffer) => {
        heard.add(octets);
        if (heard.look()) return pass(`said ${formatMatch(expect)}`);
        if (heard.isTooFine) return end(outcome("fail", "what it says comes in too small pieces"));
        if (heard.isFull) end(outcome("fail", `no ${formatMatch(expect)} in the first 64 KiB`));
      });
      opened.on("end", () => {
        if (heard.isFound()) pass(`said ${formatMatch(expect)}`);
        else end(outcome("fail", `connection closed without ${formatMatch(expect)}: ${formatSaid(heard)}`));
      });

      function pass(did: string): void {
        end(outcome("pass", `${did} in ${formatSpan(performance.now() - startedMs)}`));
      }
    },
  );
};

/**
 * Whether both ends are one (RFC 9293 section 3.5, "simultaneous connection synchronization"): where nobody listens,
 * Linux may give the socket the very port that it calls. Only here would that pass for an answer.
 */
function isItself(socket: Socket, port: number): boolean {
  return socket.localPort === port && socket.localAddress === socket.remoteAddress;
}
