import { RotaError, messageOf } from "../../base/error.ts";
import { type Address, formatAddress, formatEndpoint, parseEndpoint } from "../../model/address.ts";
import { type Name, parseName, ROOT } from "../../model/name.ts";

/** A server that is asked for names of others. Two are the same if {@link formatUpstream} says the same of them. */
export interface Upstream {
  readonly transport: "udp" | "tcp" | "tls" | "https";
  readonly address: Address;
  readonly port: number;
  /** Of tls and https: whom its certificate must be for; undefined: the address. */
  readonly serverName: string | undefined;
  /** Of https: where on the server it is asked; else empty. */
  readonly path: string;
}

/** Who is asked for the names at and beneath a zone. */
export interface ForwardSpec {
  /** The root: for all that no other zone holds. */
  readonly zone: Name;
  readonly targets: readonly Target[];
}

export type Target =
  | { readonly kind: "upstream"; readonly upstream: Upstream }
  /** A resolv.conf, whose name servers are asked, as it says at the moment. */
  | { readonly kind: "file"; readonly path: string };

/** RFC 1035 section 4.2, RFC 7858 section 3.1, RFC 9110 section 4.2.2. */
const PORTS: Readonly<Record<Upstream["transport"], number>> = { udp: 53, tcp: 53, tls: 853, https: 443 };
/** Where nearly all are; RFC 8484 section 4.1 has it in its examples. */
const DEFAULT_PATH = "/dns-query";
const SYSTEM_FILE = "/etc/resolv.conf";

/**
 * Reads `10.0.0.53`, `10.0.0.53:5353`, `tcp://[fd00::53]`, `tls://10.0.0.53#dns.example`,
 * `https://10.0.0.53/dns-query#dns.example`, `/etc/resolv.conf` (or
 * `resolv.conf` for short), several of them with commas between, and maybe `corp.example=` in front.
 *
 * @throws RotaError `ERR_ROTA_OPTION`
 */
export function parseForward(text: string): ForwardSpec {
  const cut = text.indexOf("=");
  try {
    return {
      zone: cut < 0 ? ROOT : parseName(text.slice(0, cut)),
      targets: text
        .slice(cut + 1)
        .split(",")
        .map(parseTarget),
    };
  } catch (cause) {
    const forms =
      "write 10.0.0.53, tcp:// or, with #dns.example behind, tls:// or https://10.0.0.53, /etc/resolv.conf";
    throw new RotaError(
      "ERR_ROTA_OPTION",
      `could not forward to "${text}": ${messageOf(cause)}; ${forms}, or corp.example= and one of these`,
      { cause },
    );
  }
}

/** `udp://10.0.0.53:53`, `tls://10.0.0.53:853#dns.example`, `https://10.0.0.53:443/dns-query` */
export function formatUpstream({ transport, address, port, path, serverName }: Upstream): string {
  const name = serverName === undefined ? "" : `#${serverName}`;
  return `${transport}://${formatEndpoint(formatAddress(address), port)}${path}${name}`;
}

/** The name server that a line of resolv.conf names. */
export function plainUpstream(address: Address): Upstream {
  return { transport: "udp", address, port: PORTS.udp, serverName: undefined, path: "" };
}

function parseTarget(text: string): Target {
  if (text === "resolv.conf") return { kind: "file", path: SYSTEM_FILE };
  const [, scheme = "", endpoint = "", path, fragment] =
    /^(?:([a-z]+):\/\/)?([^#/]*)(\/[^#]*)?(?:#(.*))?$/is.exec(text) ?? [];
  if (scheme === "" && text.includes("/")) return { kind: "file", path: text };
  const transport = transportOf(scheme.toLowerCase());
  if (!transport) throw new RotaError("ERR_ROTA_OPTION", `nobody is asked over ${scheme}`);
  const { address, port = PORTS[transport] } = parseEndpoint(endpoint);
  const serverName = serverNameOf(fragment, transport);
  return {
    kind: "upstream",
    upstream: { transport, address, port, serverName, path: pathOf(path, transport) },
  };
}

function transportOf(scheme: string): Upstream["transport"] | undefined {
  switch (scheme) {
    case "":
    case "udp":
      return "udp";
    case "tcp":
    case "tls":
    case "https":
      return scheme;
    default:
      return undefined;
  }
}

function pathOf(text: string | undefined, transport: Upstream["transport"]): string {
  if (transport !== "https") {
    if (text === undefined) return "";
    throw new RotaError("ERR_ROTA_OPTION", `a path, "${text}", is for https:// alone`);
  }
  if (text === undefined || text === "/") return DEFAULT_PATH;
  if (/^[\w/.~!$&'()*+,;=:@%?-]+$/.test(text)) return text;
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is not the path of a URL`);
}

function serverNameOf(text: string | undefined, transport: Upstream["transport"]): string | undefined {
  if (text === undefined) return undefined;
  const isSecure = transport === "tls" || transport === "https";
  if (isSecure && /^[\w-]+(?:\.[\w-]+)*\.?$/.test(text)) return text.replace(/\.$/, "").toLowerCase();
  throw new RotaError("ERR_ROTA_OPTION", `#${text} is no name of a tls:// or https:// server`);
}
