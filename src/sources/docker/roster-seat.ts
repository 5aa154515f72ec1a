import { EMPTY_PREFIX, formatPrefix, type Prefix } from "../../model/name.ts";
import { MAX_SERVICE_OCTETS, type ServiceName } from "../../schema/service-name.ts";
import { distinct, plain, readName, shortId } from "./roster-text.ts";
import type { EngineContainer } from "./snapshot.ts";

/** Which service a container belongs to, and as what. */
export interface Seat extends ServiceName {
  readonly key: string;
  readonly origin: string;
  readonly title: string;
  readonly slot: number | undefined;
  /** What the service is called on each network, whole. */
  readonly aliases: readonly Prefix[];
  /** What the container is called besides what every container is. */
  readonly names: readonly Prefix[];
  /** A Swarm's, of its task. */
  readonly taskId: Prefix | undefined;
  /** Whose names it asks for: a one-off container of a project is in no service, and asks as the others do. */
  readonly home: Prefix;
}

const COMPOSE = "com.docker.compose";
const SWARM = "com.docker.swarm";
export const STACK = "com.docker.stack.namespace";

/** @param named what its `rota.service` says; undefined: nothing */
export function seatOf(container: EngineContainer, named: ServiceName | undefined): Seat | undefined {
  const given = swarmSeat(container) ?? composeSeat(container) ?? plainSeat(container);
  if (!named || !given) return given;
  return { ...given, ...seatIn(named), home: named.namespace };
}

/** Whether a Swarm runs it, which tells more of it than its container does. */
export function isOfSwarm({ labels }: EngineContainer): boolean {
  return labels.has(`${SWARM}.service.id`);
}

/** A stack's services are called `shop_web`: `web` of `shop`. */
export function readSwarmName(name: string, stack: string | undefined): ServiceName | undefined {
  const namespace = stack === undefined ? undefined : readName(stack, MAX_SERVICE_OCTETS / 2);
  const isPrefixed = namespace !== undefined && name.startsWith(`${stack}_`);
  const own = isPrefixed && stack !== undefined ? readName(name.slice(stack.length + 1)) : undefined;
  const whole = own ?? readName(name);
  if (whole === undefined) return undefined;
  const found = { name: whole, namespace: namespace ?? EMPTY_PREFIX };
  return fits(found) ? found : undefined;
}

/** Its name in the Swarm, and with `-` for the `_` that Tomcat, Django and others take in no host name. */
export function swarmAliases(name: string, { namespace, name: own }: ServiceName): readonly Prefix[] {
  const hyphened = name.replaceAll("_", "-");
  const aliases = distinct([readName(name), readName(hyphened)]);
  return namespace === "" ? aliases.filter((alias) => alias !== own) : aliases;
}

/** The `com.docker.swarm` labels say it all where no manager is asked. */
function swarmSeat(container: EngineContainer): Seat | undefined {
  const { labels } = container;
  const id = labels.get(`${SWARM}.service.id`);
  const name = labels.get(`${SWARM}.service.name`);
  if (id === undefined || name === undefined) return undefined;
  const service = readSwarmName(name, labels.get(STACK));
  if (!service) return undefined;
  const taskName = labels.get(`${SWARM}.task.name`) ?? "";
  const slot = taskName.startsWith(`${name}.`) ? taskName.slice(name.length + 1).split(".", 1)[0] : undefined;
  return {
    ...service,
    key: JSON.stringify(["swarm", id]),
    origin: `docker: service ${plain(name)}`,
    title: `service ${name}`,
    slot: readSlot(slot),
    aliases: swarmAliases(name, service),
    names: distinct([readName(taskName)]),
    taskId: readName(labels.get(`${SWARM}.task.id`) ?? ""),
    home: service.namespace,
  };
}

function composeSeat({ labels }: EngineContainer): Seat | undefined {
  const namespace = readName(labels.get(`${COMPOSE}.project`) ?? "");
  const name = readName(labels.get(`${COMPOSE}.service`) ?? "");
  if (namespace === undefined || name === undefined || isOneOff(labels)) return undefined;
  if (!fits({ name, namespace })) return undefined;
  return {
    ...seatIn({ name, namespace }),
    slot: readSlot(labels.get(`${COMPOSE}.container-number`)),
    aliases: [name],
    names: [],
    taskId: undefined,
    home: namespace,
  };
}

function plainSeat({ id, name: written, labels }: EngineContainer): Seat | undefined {
  const name = readName(written, MAX_SERVICE_OCTETS) ?? readName(shortId(id));
  if (name === undefined) return undefined;
  return {
    name,
    namespace: EMPTY_PREFIX,
    key: JSON.stringify(["container", id]),
    origin: `docker: container ${plain(written)}`,
    title: `container ${written}`,
    slot: undefined,
    aliases: [],
    names: [],
    taskId: undefined,
    home: readName(labels.get(`${COMPOSE}.project`) ?? "") ?? EMPTY_PREFIX,
  };
}

/** The service of this name, whoever says it. */
function seatIn(service: ServiceName): ServiceName & Pick<Seat, "key" | "origin" | "title"> {
  const name = formatPrefix(service.name);
  const shown = service.namespace === "" ? `service ${name}` : `${formatPrefix(service.namespace)}/${name}`;
  return {
    ...service,
    key: JSON.stringify(["service", service.namespace, service.name]),
    origin: `docker: ${shown}`,
    title: shown,
  };
}

function fits({ name, namespace }: ServiceName): boolean {
  return name.length + namespace.length <= MAX_SERVICE_OCTETS;
}

/** Compose writes Python's word for it. */
function isOneOff(labels: ReadonlyMap<string, string>): boolean {
  return labels.get(`${COMPOSE}.oneoff`)?.toLowerCase() === "true";
}

function readSlot(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
