import type { ContainerState, EngineContainer, EngineEndpoint, EnginePort } from "./snapshot.ts";
import { at, countOf, fieldsOf, isTrue, labelsOf, listOf, secondsOf, textOf, textsOf } from "./fields.ts";
import { parsePort } from "./port.ts";
import { parseSignal, SIGTERM } from "./signal.ts";

/** What an inspection of a container shows. What others must tell of it is not in it. */
export interface Inspected {
  readonly container: EngineContainer;
  /** The number of the signal that it is asked to stop by. */
  readonly stopSignal: number;
  /** What it is given from then on. */
  readonly stopTimeoutMs: number;
  /** Which of its runs it is, as the engine writes it. */
  readonly startedAt: string;
}

/** As long as Docker gives a container that says nothing of it. */
const STOP_TIMEOUT_S = 10;
const STATES: ReadonlyMap<string, ContainerState> = new Map([
  ["created", "created"],
  ["running", "running"],
  ["paused", "paused"],
  ["restarting", "restarting"],
  ["removing", "removing"],
  ["exited", "exited"],
  ["dead", "dead"],
]);
const HEALTHS: ReadonlyMap<string, EngineContainer["health"]> = new Map([
  ["starting", "starting"],
  ["healthy", "healthy"],
  ["unhealthy", "unhealthy"],
]);

export function isContainerId(id: string): boolean {
  return /^[\da-f]{64}$/.test(id);
}

/**
 * Reads `/containers/ID/json`; undefined: it makes no sense.
 *
 * @param networkIds the networks' ids by their names: a container that was never started knows no more than these, nor
 * does any of Podman's
 */
export function parseContainer(
  inspected: unknown,
  networkIds: ReadonlyMap<string, string>,
): Inspected | undefined {
  const id = textOf(at(inspected, "Id"));
  const name = textOf(at(inspected, "Name")).replace(/^\//, "");
  if (!isContainerId(id) || name === "") return undefined;
  const config = at(inspected, "Config");
  const state = at(inspected, "State");
  const container: EngineContainer = {
    id,
    name,
    hostname: textOf(at(config, "Hostname")),
    createdAt: secondsOf(at(inspected, "Created")),
    state: parseState(state),
    health: HEALTHS.get(textOf(at(state, "Health", "Status"))) ?? "none",
    isStopping: false,
    pid: textOf(at(inspected, "HostConfig", "NetworkMode")) === "host" ? 0 : (countOf(at(state, "Pid")) ?? 0),
    labels: labelsOf(at(config, "Labels")),
    ports: parsePorts(at(config, "ExposedPorts"), at(inspected, "NetworkSettings", "Ports")),
    endpoints: fieldsOf(at(inspected, "NetworkSettings", "Networks")).flatMap(([network, endpoint]) =>
      parseEndpoint(id, networkIdOf(network, endpoint, networkIds), endpoint),
    ),
    gatewayAddresses: [],
  };
  return {
    container,
    stopSignal: parseSignal(textOf(at(config, "StopSignal"))) ?? SIGTERM,
    stopTimeoutMs: (countOf(at(config, "StopTimeout")) ?? STOP_TIMEOUT_S) * 1000,
    startedAt: textOf(at(state, "StartedAt")),
  };
}

/** Engines that are not Docker's have states of their own (Podman: `configured`, `stopped`); whether it runs they all say. */
function parseState(state: unknown): ContainerState {
  const said = STATES.get(textOf(at(state, "Status")));
  if (said !== undefined) return said;
  return isTrue(at(state, "Running")) ? "running" : "exited";
}

/** Podman writes the network's name in the place of its id. An id counts for more: Docker allows two of one name. */
function networkIdOf(network: string, endpoint: unknown, networkIds: ReadonlyMap<string, string>): string {
  const said = textOf(at(endpoint, "NetworkID"));
  return said === "" || said === network ? (networkIds.get(network) ?? said) : said;
}

function parseEndpoint(id: string, networkId: string, endpoint: unknown): EngineEndpoint[] {
  if (networkId === "") return [];
  const addresses = textsOf([at(endpoint, "IPAddress"), at(endpoint, "GlobalIPv6Address")]);
  // Before API 1.45, engines put the short id among them.
  const aliases = textsOf(at(endpoint, "Aliases")).filter(
    (alias) => alias !== id && alias !== id.slice(0, 12),
  );
  return [{ networkId, addresses, aliases }];
}

/** `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]}`, and those that are exposed alone. */
function parsePorts(exposed: unknown, bound: unknown): readonly EnginePort[] {
  const ports = new Map(fieldsOf(exposed).map(([port]): [string, unknown] => [port, undefined]));
  for (const [port, bindings] of fieldsOf(bound)) ports.set(port, bindings);
  return [...ports].flatMap(([port, bindings]) => {
    const [target = "", protocol = "tcp"] = port.split("/");
    const published = listOf(bindings).map((binding) => Number(textOf(at(binding, "HostPort"))));
    return parsePort(Number(target), protocol, published[0]);
  });
}
