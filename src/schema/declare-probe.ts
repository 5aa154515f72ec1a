import type { Probe, ProbePort } from "../model/check.ts";
import type { Port, Protocol } from "../model/declaration.ts";
import type { HealthcheckShape } from "./healthcheck-shape.ts";
import { listOf, type Path, suggest } from "./problem.ts";
import type { Surroundings } from "./surroundings.ts";

/** The words of a health check of which one is written. */
export const PROBE_WORDS = ["tcp", "http", "https", "grpc", "dns", "exec", "heartbeat", "test"] as const;

/** Makes the probe that a health check asks for, and finds its port; undefined: it has none, which is told. */
export function declareProbe(
  shape: HealthcheckShape,
  ports: readonly Port[],
  path: Path,
  around: Surroundings,
): Probe | undefined {
  const { tcp, https, grpc, dns } = shape;
  const portOf = (
    written: PortWord | undefined,
    protocol: "tcp" | "udp",
    below: Path,
  ): ProbePort | undefined => {
    const port = findPort(written, protocol, ports);
    if (typeof port !== "string") return port;
    around.problems.push({
      path: [...path, ...(written === undefined ? below.slice(0, 1) : below)],
      message: port,
    });
    return undefined;
  };

  if (tcp) {
    const port = portOf(tcp.port, "tcp", tcp.isBare ? ["tcp"] : ["tcp", "port"]);
    return port && { kind: "tcp", port, send: tcp.send ?? "", expect: tcp.expect };
  }
  const http = https ?? shape.http;
  if (http) {
    const { path, method, headers, host, status, body, redirects } = http;
    const port = portOf(http.port, "tcp", [https ? "https" : "http", "port"]);
    if (!port) return undefined;
    return { kind: "http", port, tls: https?.tls, method, path, headers, host, status, body, redirects };
  }
  if (grpc) {
    const port = portOf(grpc.port, "tcp", ["grpc", "port"]);
    return port && { kind: "grpc", port, tls: grpc.tls, service: grpc.service ?? "" };
  }
  if (dns) {
    const { transport, name, type, rcode, answers } = dns;
    const port = portOf(dns.port, transport, ["dns", "port"]);
    return port && { kind: "dns", port, transport, name, type, rcode, answers };
  }
  const command = shape.test === "none" ? undefined : (shape.exec ?? shape.test);
  if (command) {
    const [first] = ports;
    return { kind: "exec", port: first && { name: first.name, number: first.target }, command };
  }
  return { kind: "heartbeat" };
}

/** The number of a port, or the name of one of the service's. */
type PortWord = number | string;

/**
 * The port that is meant, or what is wrong with it. One that the service declares goes by its name, as some task
 * may listen elsewhere for it.
 */
function findPort(
  written: PortWord | undefined,
  protocol: Protocol,
  ports: readonly Port[],
): ProbePort | string {
  const fitting = ports.filter((port) => port.protocol === protocol);
  if (typeof written === "string") return findNamedPort(written, protocol, ports);
  const found = written === undefined ? fitting[0] : fitting.find(({ target }) => target === written);
  if (found) return { name: found.name, number: found.target };
  if (written !== undefined) return { name: undefined, number: written };
  return `has no port to go to: the service declares none over ${protocol}: write port in it, or give the service ports`;
}

function findNamedPort(written: string, protocol: Protocol, ports: readonly Port[]): ProbePort | string {
  const named = ports.filter(({ name }) => name === written.toLowerCase());
  const found = named.find((port) => port.protocol === protocol);
  if (found) return { name: found.name, number: found.target };
  if (named[0]) {
    return `port ${named[0].name} is over ${named[0].protocol}, and this probe goes over ${protocol}: name another, or write a number`;
  }
  const names = [...new Set(ports.map(({ name }) => name))];
  const known = names.length === 0 ? "the service declares none" : `write ${listOf(names, "or")}`;
  return `no port is named "${written}": ${suggest(written, names, known)}`;
}
