import { RotaError } from "../base/error.ts";
import { type Address, type Endpoint, toOctets } from "../model/address.ts";
import type { Port, Protocol } from "../model/declaration.ts";
import { parseDuration } from "../model/duration.ts";
import { parsePrefix, type Prefix } from "../model/name.ts";

/** RFC 2181 section 8 allows 68 years; what a service directory says is out of date long before a day is over. */
const MAX_TTL_SECONDS = 86_400;
/** RFC 1035 section 3.3: a <character-string> is up to 255 octets. */
const MAX_LABEL_TEXT_OCTETS = 255;
/** What Docker takes for the name of a service, and so for each part of an alias or namespace. */
const SERVICE_NAME = /^[a-zA-Z0-9]+(?:[-_]+[a-zA-Z0-9]+)*$/;

/** A service's name: one label. @throws RotaError `ERR_ROTA_DECLARATION`, `ERR_ROTA_NAME` */
export function parseServiceName(text: string): Prefix {
  return parsePrefix(checkedLabel(text, text));
}

/** A namespace or an alias: labels as a service's name, with dots between. @throws as {@link parseServiceName} */
export function parseDottedName(text: string): Prefix {
  for (const label of text.split(".")) checkedLabel(label, text);
  return parsePrefix(text);
}

/** A task's id, as a container's name may be; dots make several labels of it. @throws as {@link parseServiceName} */
export function parseTaskId(text: string): Prefix {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(text)) return parsePrefix(text);
  throw unfit(`"${text}" is not an id: write letters, digits, "_", "." and "-", a letter or digit first`);
}

/** The id of a task that was given none: `10-0-1-11`, with its port behind it if it has one of its own. */
export function madeTaskId({ address, port }: Endpoint): Prefix {
  return parsePrefix([...partsOf(address), ...(port === undefined ? [] : [port])].join("-"));
}

/** Whole seconds of a duration, as a TTL counts them. @throws RotaError `ERR_ROTA_DURATION`, `ERR_ROTA_DECLARATION` */
export function parseSeconds(duration: string | number): number {
  const seconds = parseDuration(duration) / 1000;
  if (Number.isInteger(seconds) && seconds >= 0 && seconds <= MAX_TTL_SECONDS) return seconds;
  throw unfit(
    `${JSON.stringify(duration)} does not do: write whole seconds, from 0 to ${MAX_TTL_SECONDS} (24h)`,
  );
}

/** A port as Compose writes it: `8080`, `80:8080` (published, target) or `80:8080/udp`. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parsePortText(text: string): Port {
  const [, published, target = "", protocol = "tcp"] = /^(?:(\d+):)?(\d+)(?:\/(\w+))?$/.exec(text) ?? [];
  if (target === "" || !isProtocol(protocol)) {
    throw unfit(`"${text}" is not a port: write 8080, "80:8080" (published:target) or "80:8080/udp"`);
  }
  return portAt(checkedPort(target), {
    protocol,
    published: published === undefined ? undefined : checkedPort(published),
  });
}

/** A port with what was not said of it filled in. */
export function portAt(target: number, said: Partial<Port>): Port {
  const { name = String(target), protocol = "tcp", port = target, published } = said;
  const { mode = "ingress", policy = "cluster", proxyProtocol = 0 } = said;
  return { name, protocol, target, port, published, mode, policy, proxyProtocol };
}

/** RFC 6335 section 5.1, which RFC 6763 section 7 holds SRV names to; folded. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parsePortName(text: string): string {
  if (/^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(?:-[a-z0-9]+)*$/i.test(text)) return text.toLowerCase();
  throw unfit(
    `"${text}" is not a port name: write 1 to 15 letters, digits and single hyphens within, a letter among them`,
  );
}

/** `key=value`, as a TXT record has it. @throws RotaError `ERR_ROTA_DECLARATION`: no key, over 255 octets */
export function formatLabel(key: string, value: string): string {
  // RFC 6763 section 6.4: "printable US-ASCII values (0x20-0x7E), excluding '='"
  if (!/^[ -<>-~]+$/.test(key)) {
    throw unfit(`"${key}" is not a label's key: write printable ASCII without "="`);
  }
  const text = `${key}=${value}`;
  const octets = Buffer.byteLength(text);
  if (octets <= MAX_LABEL_TEXT_OCTETS) return text;
  throw unfit(`label "${key}" has ${octets} octets with its value: ${MAX_LABEL_TEXT_OCTETS} are allowed`);
}

function partsOf(address: Address): (string | number)[] {
  const octets = toOctets(address);
  if (octets.length === 4) return octets;
  return Array.from({ length: 8 }, (_, at) =>
    (((octets[at * 2] ?? 0) << 8) | (octets[at * 2 + 1] ?? 0)).toString(16),
  );
}

function checkedLabel(label: string, whole: string): string {
  if (SERVICE_NAME.test(label)) return label;
  throw unfit(
    `"${whole}" is not a name: write letters and digits, "-" and "_" between them, 63 at most in each part`,
  );
}

function checkedPort(digits: string): number {
  const port = Number(digits);
  if (port >= 1 && port <= 65_535) return port;
  throw unfit(`${digits} is not a port: ports go from 1 to 65535`);
}

export function isProtocol(text: string): text is Protocol {
  return text === "tcp" || text === "udp" || text === "sctp";
}

function unfit(message: string): RotaError {
  return new RotaError("ERR_ROTA_DECLARATION", message);
}
