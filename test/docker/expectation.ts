import {
  type ContainerState,
  type EngineState,
  isOfSwarm,
  type Place,
  type ServiceState,
} from "./engine-state.ts";

/** What a name is to be answered, by what the engine says of itself. */
export interface Named {
  readonly addresses: readonly string[];
  readonly text: readonly string[];
  /** Of `_http._tcp` names: the port, on each of the addresses. */
  readonly port: number | undefined;
  /** Docker has no names of this kind: it need not be right. */
  readonly isNew: boolean;
  /** An upstream answers for it. */
  readonly isOutside: boolean;
}

/** All names that a container may ask for, without the final dot, in small letters. */
export type Names = ReadonlyMap<string, Named>;

/** The first network that has a name answers for it, as with Docker: addresses of several are not put together. */
export function namesSeenBy(client: ContainerState, state: EngineState): Names {
  const names = new Map<string, Named>();
  for (const { network } of client.places.toSorted((one, other) => (one.network < other.network ? -1 : 1))) {
    const there = namesOn(network, state);
    for (const [name, named] of there) {
      if (!names.has(name)) names.set(name, named);
      names.set(`${name}.${network}`, named);
    }
  }
  const inZone = [...names].map(
    ([name, named]) => [`${name}.rota.internal`, { ...named, isNew: true }] as const,
  );
  const outside = { addresses: [OUTSIDE.address], text: [], port: undefined, isNew: false, isOutside: true };
  return new Map([...names, ...inZone, [OUTSIDE.name, outside] as const]);
}

/** What the upstream knows. */
export const OUTSIDE = { name: "www.example", address: "192.0.2.80" } as const;

/** Whose an address is. */
export interface Owner {
  /** All that it has where the client sees it. */
  readonly addresses: readonly string[];
  /** Docker tells of no such owner. */
  readonly isNew: boolean;
}

/** Who is where, on the client's networks, by address. */
export function ownersSeenBy(
  client: ContainerState,
  { containers, services }: EngineState,
): ReadonlyMap<string, Owner> {
  const networks = new Set(client.places.map(({ network }) => network));
  const owners = new Map<string, Owner>();
  const add = (places: readonly Place[], isNew: boolean): void => {
    const addresses = places
      .filter(({ network }) => networks.has(network))
      .flatMap(({ address }) => address ?? []);
    for (const address of addresses) owners.set(address, { addresses, isNew });
  };
  for (const { places } of containers) add(places, false);
  for (const { places } of services) add(places, true);
  return owners;
}

function namesOn(network: string, { containers, services }: EngineState): Names {
  const names = new Map<string, Named>();
  const add = (name: string, addresses: readonly string[], more: Partial<Named> = {}): void => {
    const before = names.get(name.toLowerCase());
    const all = [...new Set([...(before?.addresses ?? []), ...addresses])].toSorted();
    names.set(name.toLowerCase(), {
      text: [],
      port: undefined,
      isNew: false,
      isOutside: false,
      ...before,
      ...more,
      addresses: all,
    });
  };
  for (const service of services) addService(service, network, containers, add);
  for (const container of containers) if (!isOfSwarm(container)) addContainer(container, network, add);
  return names;
}

type Add = (name: string, addresses: readonly string[], more?: Partial<Named>) => void;

function addService(
  service: ServiceState,
  network: string,
  containers: readonly ContainerState[],
  add: Add,
): void {
  const here = service.places.find((place) => place.network === network);
  if (!here) return;
  const tasks = service.tasks.map((task) => ({ ...task, own: listed(addressOn(task.places, network)) }));
  const all = tasks.flatMap(({ own }) => own);
  const shown = service.mode === "vip" ? listed(here.address) : all;
  const text = [...service.labels]
    .filter(([key]) => key.startsWith("rota.labels."))
    .map(([key, value]) => `${key.slice(12)}=${value}`);
  for (const name of [service.name, ...here.aliases]) {
    add(name, shown, { text });
    add(`tasks.${name}`, all, { text });
    for (const { slot, id, own } of tasks) {
      add(`${slot}.${name}`, own, { isNew: true });
      add(`${id}.${name}`, own, { isNew: true });
    }
    addPorts(service.labels, name, shown, add);
    addPorts(service.labels, `tasks.${name}`, all, add);
  }
  for (const { slot, id, own, containerId } of tasks) {
    add(`${service.name}.${slot}.${id}`, own);
    const container = containers.find((one) => one.id === containerId);
    if (container) for (const name of ownNames(container)) add(name, own);
  }
}

/** By labels alone, which name a service's ports. */
function addPorts(
  labels: ReadonlyMap<string, string>,
  name: string,
  addresses: readonly string[],
  add: Add,
): void {
  for (const [key, value] of labels) {
    if (key.startsWith("rota.port."))
      add(`_${key.slice(10)}._tcp.${name}`, addresses, { port: Number(value), isNew: true });
  }
}

/** Who is unhealthy is not led to by what is not its name alone; who is stopped leaves names behind, not addresses. */
function addContainer(container: ContainerState, network: string, add: Add): void {
  const here = container.places.find((place) => place.network === network);
  if (!here) return;
  const own = listed(here.address);
  const serving = ["unhealthy", "starting"].includes(container.health) ? [] : own;
  const { labels } = container;
  const service = labels.get("com.docker.compose.service") ?? container.name;
  const slot = labels.get("com.docker.compose.container-number");
  const project = labels.get("com.docker.compose.project");
  for (const name of new Set([service, ...here.aliases])) {
    add(name, serving);
    add(`tasks.${name}`, serving, { isNew: true });
  }
  if (project !== undefined) add(`${service}.${project}`, serving, { isNew: true });
  if (slot !== undefined && own.length > 0) add(`${slot}.${service}`, own, { isNew: true });
  addPorts(labels, service, serving, add);
  if (own.length > 0) for (const name of ownNames(container)) if (name !== service) add(name, own);
}

function ownNames({ id, name, hostname }: ContainerState): readonly string[] {
  return [name, id.slice(0, 12), hostname];
}

function addressOn(places: readonly Place[], network: string): string | undefined {
  return places.find((place) => place.network === network)?.address;
}

function listed(address: string | undefined): readonly string[] {
  return address === undefined ? [] : [address];
}
