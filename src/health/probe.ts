import type { HeartbeatProbe, Probe } from "../model/check.ts";
import { formatSpan } from "../model/duration.ts";
import { attemptDns } from "./dns.ts";
import { attemptExec } from "./exec.ts";
import { outcomeOfThrown } from "./fault.ts";
import { attemptGrpc } from "./grpc.ts";
import { attemptHttp } from "./http.ts";
import { type Outcome, outcome, type Target } from "./outcome.ts";
import { attemptTcp } from "./tcp.ts";
import { createTrust } from "./tls.ts";

/** A probe that goes out; a heartbeat comes in. */
export type ActiveProbe = Exclude<Probe, HeartbeatProbe>;

/**
 * Tries a task once. It resolves in any case: soon after `timeoutMs` at the latest, and soon after `signal` aborts.
 * When it has, nothing is left of the try: no open socket, child process, timer or listener.
 *
 * @param signal is best one probe's own: Node warns when it gets an eleventh listener.
 */
export type RunProbe = (
  probe: ActiveProbe,
  target: Target,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<Outcome>;

export function createProbes(): RunProbe {
  const trust = createTrust();
  const byHttp = attemptHttp(trust);
  const byGrpc = attemptGrpc(trust);

  return async (probe, target, timeoutMs, signal) => {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    let doing = "starting";
    let lastTurn: NodeJS.Immediate | undefined;
    // A reply may have come in time and wait in the socket, as this process was busy or stopped: it is read first.
    const timer = setTimeout(() => (lastTurn = setImmediate(end)), timeoutMs);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    try {
      const result = await attempt(probe, target, ending.signal, (now) => (doing = now));
      return ending.signal.aborted ? cutShort() : result;
    } catch (error) {
      return ending.signal.aborted ? cutShort() : outcomeOfThrown(error);
    } finally {
      clearTimeout(timer);
      clearImmediate(lastTurn);
      signal.removeEventListener("abort", end);
    }

    function cutShort(): Outcome {
      if (signal.aborted) return outcome("unknown", "ended");
      return outcome("fail", `no answer in ${formatSpan(timeoutMs)} (while ${doing})`);
    }
  };

  function attempt(
    probe: ActiveProbe,
    target: Target,
    signal: AbortSignal,
    stage: (doing: string) => void,
  ): Promise<Outcome> {
    switch (probe.kind) {
      case "tcp":
        return attemptTcp(probe, target, signal, stage);
      case "http":
        return byHttp(probe, target, signal, stage);
      case "grpc":
        return byGrpc(probe, target, signal, stage);
      case "dns":
        return attemptDns(probe, target, signal, stage);
      case "exec":
        return attemptExec(probe, target, signal, stage);
    }
  }
}
