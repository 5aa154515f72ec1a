import type { Protocol, Roster, TaskDeclaration } from "../../model/declaration.ts";
import type { Verdict } from "../../registry/service.ts";

/** What an engine shows, whole, as far as it matters here. Its text is as the engine wrote it, checked by nobody yet. */
export interface EngineSnapshot {
  readonly networks: readonly EngineNetwork[];
  /** Those that do not run, too: a service whose containers are stopped is there all the same. */
  readonly containers: readonly EngineContainer[];
  /** Undefined: the engine manages no Swarm. */
  readonly swarm: SwarmSnapshot | undefined;
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  /** The routing mesh's own, on which nobody has a name. */
  readonly isIngress: boolean;
  /** As `172.18.0.0/16`. */
  readonly subnets: readonly string[];
}

export interface EngineContainer {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Without the slash in front. */
  readonly name: string;
  readonly hostname: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly state: ContainerState;
  /** What its HEALTHCHECK came to; `none`: it has none. */
  readonly health: "none" | "starting" | "healthy" | "unhealthy";
  /** It was sent the signal that it stops by, and is not to be given anything new. */
  readonly isStopping: boolean;
  /** Of its first process, on the engine's machine; 0: it does not run, or has no network namespace of its own. */
  readonly pid: number;
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: readonly EnginePort[];
  readonly endpoints: readonly EngineEndpoint[];
  /** Where else it asks from: its addresses on `docker_gwbridge`, by which those on overlays reach the node. */
  readonly gatewayAddresses: readonly string[];
}

export type ContainerState = "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";

export interface EnginePort {
  /** In the container. */
  readonly target: number;
  readonly protocol: Protocol;
  /** On the node, the first of several. */
  readonly published: number | undefined;
}

/** Where a container, or a Swarm's task, is on a network. */
export interface EngineEndpoint {
  /** Of an {@link EngineNetwork}. */
  readonly networkId: string;
  /** Without prefix lengths; empty while it does not run. */
  readonly addresses: readonly string[];
  /** As somebody gave them: neither the container's name nor its id is among them unasked. */
  readonly aliases: readonly string[];
}

/** What a Swarm's manager shows. */
export interface SwarmSnapshot {
  readonly services: readonly SwarmService[];
  readonly tasks: readonly SwarmTask[];
}

export interface SwarmService {
  readonly id: string;
  readonly name: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly labels: ReadonlyMap<string, string>;
  readonly endpointMode: "vip" | "dnsrr";
  readonly ports: readonly EnginePort[];
  /** With its VIP's addresses there, and the service's aliases. */
  readonly endpoints: readonly EngineEndpoint[];
}

export interface SwarmTask {
  readonly id: string;
  readonly serviceId: string;
  readonly nodeId: string;
  /** Undefined: of a global service. */
  readonly slot: number | undefined;
  /** `new`, `assigned`, `starting`, `running`, `complete`, `failed`, … as the Swarm API has it. */
  readonly state: string;
  /** `running`, `shutdown`, `remove`, …: what the Swarm wants it to be. */
  readonly desiredState: string;
  /** Empty while there is none. */
  readonly containerId: string;
  readonly endpoints: readonly EngineEndpoint[];
}

/** What a snapshot comes to. */
export interface EngineRoster {
  readonly roster: Roster;
  /** On all tasks of the roster whose health the engine tells. */
  readonly verdicts: ReadonlyMap<TaskDeclaration, Verdict>;
  /** What could not be taken as it was written, a line each, for people. */
  readonly warnings: readonly string[];
}
