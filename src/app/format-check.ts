import type { Check, Hold, Probe, ProbePort } from "../model/check.ts";
import { formatDuration } from "../model/duration.ts";
import { formatName } from "../model/name.ts";
import { formatType } from "../model/mnemonics.ts";

/** A check in one line for people: `http GET /healthz on port 8080 every 5s, time-out 2s, rise 2, fall 3`. */
export function formatCheck(check: Check): string {
  const { probe, intervalMs, timeoutMs, rise, fall, startPeriodMs, hold } = check;
  if (probe.kind === "heartbeat")
    return `heartbeat, by rota.report, at least every ${formatDuration(intervalMs)}`;
  return [
    `${formatProbe(probe)} every ${formatDuration(intervalMs)}`,
    `time-out ${formatDuration(timeoutMs)}`,
    `rise ${rise}`,
    `fall ${fall}`,
    ...(startPeriodMs > 0 ? [`start period ${formatDuration(startPeriodMs)}`] : []),
    ...(hold ? [`hold ${formatHold(hold)}`] : []),
  ].join(", ");
}

function formatHold({ initialMs, maxMs }: Hold): string {
  return initialMs === maxMs
    ? formatDuration(initialMs)
    : `${formatDuration(initialMs)} to ${formatDuration(maxMs)}`;
}

function formatProbe(probe: Exclude<Probe, { kind: "heartbeat" }>): string {
  switch (probe.kind) {
    case "tcp":
      return `tcp on ${formatPort(probe.port)}`;
    case "http":
      return `${probe.tls ? "https" : "http"} ${probe.method} ${probe.path} on ${formatPort(probe.port)}`;
    case "grpc":
      return `grpc health${probe.service === "" ? "" : ` of ${probe.service}`} on ${formatPort(probe.port)}`;
    case "dns":
      return `dns ${formatName(probe.name)} ${formatType(probe.type)} on ${formatPort(probe.port)}`;
    case "exec":
      return `exec ${probe.command.join(" ")}`;
  }
}

function formatPort({ name, number }: ProbePort): string {
  return name === undefined || name === String(number) ? `port ${number}` : `port ${name} (${number})`;
}
