import { RotaError } from "../base/error.ts";
import { EMPTY_PREFIX, MAX_PREFIX_OCTETS, type Prefix } from "../model/name.ts";
import { parseDottedName, parseServiceName } from "./words.ts";

export interface ServiceName {
  readonly name: Prefix;
  /** Empty: none. */
  readonly namespace: Prefix;
}

/** What may stand in front of a service's name: `_http._tcp.tasks`, a task's id. */
export const MAX_FRONT_OCTETS = 64;
/** A service's name with its namespace, so that whatever stands in front of it fits. */
export const MAX_SERVICE_OCTETS: number = MAX_PREFIX_OCTETS - MAX_FRONT_OCTETS;

/** `web`, or `web.shop` with a namespace. @throws RotaError `ERR_ROTA_DECLARATION`, `ERR_ROTA_NAME` */
export function parseService(text: string): ServiceName {
  const [first = "", ...rest] = text.split(".");
  const name = parseServiceName(first);
  const namespace = rest.length === 0 ? EMPTY_PREFIX : parseDottedName(rest.join("."));
  if (name.length + namespace.length <= MAX_SERVICE_OCTETS) return { name, namespace };
  const message = `"${text}" is too long for a service: ${MAX_SERVICE_OCTETS} octets are allowed`;
  throw new RotaError("ERR_ROTA_DECLARATION", message);
}
