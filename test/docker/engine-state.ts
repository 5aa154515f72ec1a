import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import {
  at,
  countOf,
  fieldsOf,
  labelsOf,
  listOf,
  parseJson,
  plainAddress,
  textOf,
  textsOf,
} from "../../src/sources/docker/fields.ts";

/** What an engine says of itself, read for tests alone: what is right is not to be worked out by what is tested. */
export interface EngineState {
  readonly containers: readonly ContainerState[];
  readonly services: readonly ServiceState[];
}

export interface ContainerState {
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  /** As the engine's namespace counts. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** `healthy`, `unhealthy`, `starting`; empty: nobody checks it. */
  readonly health: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly places: readonly Place[];
}

/** Where somebody is on a network, by its name. */
export interface Place {
  readonly network: string;
  /** Undefined: nowhere now. */
  readonly address: string | undefined;
  readonly aliases: readonly string[];
}

export interface ServiceState {
  readonly id: string;
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly mode: "vip" | "dnsrr";
  readonly replicas: number;
  /** Whether a change of it is still being made. */
  readonly isUpdating: boolean;
  /** Its VIPs, and aliases. */
  readonly places: readonly Place[];
  /** How many tasks wait for their time to start. */
  readonly waiting: number;
  /** Those that are to run. */
  readonly tasks: readonly TaskState[];
}

export interface TaskState {
  readonly id: string;
  readonly slot: number;
  readonly isRunning: boolean;
  readonly containerId: string;
  readonly places: readonly Place[];
}

/** Looks at an engine once. What is in the middle of being removed is left out. */
export async function lookAt(socket: string): Promise<EngineState> {
  const ask = async (path: string): Promise<unknown> => read(socket, path);
  const [networks, listed, services, tasks] = await Promise.all([
    ask("/networks"),
    ask("/containers/json?all=true"),
    ask("/services?status=true"),
    ask("/tasks"),
  ]);
  const names = new Map(listOf(networks).map((one) => [textOf(at(one, "Id")), textOf(at(one, "Name"))]));
  names.delete(""); // of an engine that is no Swarm's manager, `message` is all that is told
  const inspected = await Promise.all(
    listOf(listed).map(async (one) => ask(`/containers/${textOf(at(one, "Id"))}/json`)),
  );
  return {
    containers: inspected.filter((one) => textOf(at(one, "Id")) !== "").map(containerOf),
    services: listOf(services).map((one) => serviceOf(one, listOf(tasks), names)),
  };
}

/** Whether all that is wanted runs, and nothing else. */
export function isSettled({ services, containers }: EngineState): boolean {
  const wanted = services.flatMap(({ tasks }) => tasks);
  const isComplete = services.every(
    ({ tasks, waiting, replicas, isUpdating }) =>
      !isUpdating && tasks.every(({ isRunning }) => isRunning) && tasks.length + waiting === replicas,
  );
  const isRun = (id: string): boolean => wanted.some((task) => task.isRunning && task.containerId === id);
  return isComplete && containers.filter(isOfSwarm).every(({ id, isRunning }) => isRunning === isRun(id));
}

export function isOfSwarm({ labels }: ContainerState): boolean {
  return labels.has("com.docker.swarm.service.id");
}

async function read(socketPath: string, path: string): Promise<unknown> {
  const asked = get({ socketPath, path: `/v1.41${path}` });
  const response: [IncomingMessage] = await once(asked, "response").then(([one]) => [one]);
  return parseJson(await text(response[0]));
}

function containerOf(one: unknown): ContainerState {
  const id = textOf(at(one, "Id"));
  const isRunning = textOf(at(one, "State", "Status")) === "running";
  return {
    id,
    name: textOf(at(one, "Name")).slice(1),
    hostname: textOf(at(one, "Config", "Hostname")),
    pid: countOf(at(one, "State", "Pid")) ?? 0,
    isRunning,
    health: textOf(at(one, "State", "Health", "Status")),
    labels: labelsOf(at(one, "Config", "Labels")),
    places: fieldsOf(at(one, "NetworkSettings", "Networks")).map(([network, place]) => ({
      network,
      address: (isRunning && textOf(at(place, "IPAddress"))) || undefined,
      aliases: textsOf(at(place, "Aliases")).filter((alias) => !id.startsWith(alias)),
    })),
  };
}

function serviceOf(
  one: unknown,
  tasks: readonly unknown[],
  names: ReadonlyMap<string, string>,
): ServiceState {
  const id = textOf(at(one, "ID"));
  const own = tasks.filter((task) => textOf(at(task, "ServiceID")) === id);
  const nameOf = (networkId: unknown): string => names.get(textOf(networkId)) ?? "";
  const vips = new Map(
    listOf(at(one, "Endpoint", "VirtualIPs")).map((vip) => [
      textOf(at(vip, "NetworkID")),
      plainAddress(at(vip, "Addr")),
    ]),
  );
  return {
    id,
    name: textOf(at(one, "Spec", "Name")),
    labels: labelsOf(at(one, "Spec", "Labels")),
    mode: textOf(at(one, "Spec", "EndpointSpec", "Mode")) === "dnsrr" ? "dnsrr" : "vip",
    replicas: countOf(at(one, "Spec", "Mode", "Replicated", "Replicas")) ?? 0,
    isUpdating: textOf(at(one, "UpdateStatus", "State")) === "updating",
    places: listOf(at(one, "Spec", "TaskTemplate", "Networks")).map((network) => ({
      network: nameOf(at(network, "Target")),
      address: vips.get(textOf(at(network, "Target"))),
      aliases: textsOf(at(network, "Aliases")),
    })),
    waiting: own.filter((task) => textOf(at(task, "DesiredState")) === "ready").length,
    tasks: own
      .filter((task) => textOf(at(task, "DesiredState")) === "running")
      .map((task) => ({
        id: textOf(at(task, "ID")),
        slot: countOf(at(task, "Slot")) ?? 0,
        isRunning: textOf(at(task, "Status", "State")) === "running",
        containerId: textOf(at(task, "Status", "ContainerStatus", "ContainerID")),
        places: listOf(at(task, "NetworksAttachments")).map((place) => ({
          network: nameOf(at(place, "Network", "ID")),
          address: plainAddress(listOf(at(place, "Addresses"))[0]) || undefined,
          aliases: [],
        })),
      }))
      .toSorted((some, other) => some.slot - other.slot),
  };
}
