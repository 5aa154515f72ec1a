import { type Address, formatAddress, formatEndpoint } from "../model/address.ts";

/** One request of a probe. */
export interface Hop {
  readonly method: string;
  readonly path: string;
  readonly scheme: "http" | "https";
  /** What the Host header says. */
  readonly host: string;
  readonly port: number;
}

/** RFC 9110 section 15.4: those that say where to go on, to a client that asks nobody. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Where a redirect leads: always to the same task, be it by another port or scheme, as somebody asks for this task's
 * health and no other's. Text says why it leads nowhere.
 *
 * @param location as Node gives it: an octet a character.
 */
export function redirectedTo(hop: Hop, status: number, location: string, address: Address): Hop | string {
  const from = parseUrl(`${hop.scheme}://${hop.host}${hop.path}`);
  const to = parseUrl(Buffer.from(location, "latin1").toString(), from?.href);
  if (!from || !to) return `redirects to ${JSON.stringify(location)}, which is no URL`;
  const scheme = schemeOf(to);
  if (!scheme) return `redirects to ${to.href}, which is not HTTP`;
  const own = parseUrl(`http://${formatEndpoint(formatAddress(address), hop.port)}`);
  if (to.hostname !== from.hostname && to.hostname !== own?.hostname)
    return `redirects to another host: ${to.host}`;
  const next = { method: methodAfter(hop.method, status), path: to.pathname + to.search, scheme };
  // The port of a Host header may be one that only others see: what stays there stays at the task's.
  if (to.origin === from.origin) return { ...hop, ...next };
  return { ...next, host: to.host, port: to.port === "" ? defaultPort(scheme) : Number(to.port) };
}

export function defaultPort(scheme: Hop["scheme"]): number {
  return scheme === "https" ? 443 : 80;
}

/** RFC 9110 section 15.4: 303 asks for GET, and everybody takes 301 and 302 so after a POST. */
function methodAfter(method: string, status: number): string {
  const isGet = status === 303 ? method !== "HEAD" : status <= 302 && method === "POST";
  return isGet ? "GET" : method;
}

function schemeOf({ protocol }: URL): Hop["scheme"] | undefined {
  if (protocol === "http:") return "http";
  return protocol === "https:" ? "https" : undefined;
}

function parseUrl(text: string, base?: string): URL | undefined {
  return URL.canParse(text, base) ? new URL(text, base) : undefined;
}
