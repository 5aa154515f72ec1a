import { messageOf, RotaError } from "../base/error.ts";
import { type Address, formatAddress, formatEndpoint, parseEndpoint } from "../model/address.ts";

/** Whom to ask, and over what. */
export type Server = SocketServer | HttpsServer;

export interface SocketServer {
  readonly transport: "udp" | "tcp";
  readonly address: Address;
  readonly port: number;
}

/** DNS over HTTPS, RFC 8484. */
export interface HttpsServer {
  readonly transport: "https";
  /** Plain `http://` for a loopback address only. */
  readonly url: string;
}

/** RFC 1035 section 4.2. */
const DNS_PORT = 53;

/**
 * Reads `127.0.0.1:5300`, `[::1]:5300`, `udp://10.0.0.2`, `tcp://10.0.0.2:53` or `https://host/dns-query`.
 * No transport means UDP, no port 53. Names are for https only: a DNS server that had to be looked up first
 * could not be asked what is wrong with looking up; `localhost` is 127.0.0.1 (RFC 6761 section 6.3).
 *
 * @throws RotaError `ERR_ROTA_ADDRESS`
 */
export function parseServer(text: string): Server {
  const [, scheme = "udp", rest = ""] = /^(?:([a-z0-9+.-]+):\/\/)?(.*)$/is.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case "udp":
      return { transport: "udp", ...parseSocket(text, rest) };
    case "tcp":
      return { transport: "tcp", ...parseSocket(text, rest) };
    case "https":
    case "http":
      return { transport: "https", url: parseUrl(text) };
    default:
      throw notServer(text, `it cannot be asked over ${scheme}`);
  }
}

/** `udp://127.0.0.1:5300` or the URL. */
export function formatServer(server: Server): string {
  if (server.transport === "https") return server.url;
  return `${server.transport}://${formatEndpoint(formatAddress(server.address), server.port)}`;
}

function parseSocket(text: string, rest: string): { readonly address: Address; readonly port: number } {
  try {
    const endpoint = parseEndpoint(rest.replace(/^localhost(?=:|\/|$)/i, "127.0.0.1").replace(/\/$/, ""));
    return { address: endpoint.address, port: endpoint.port ?? DNS_PORT };
  } catch (cause) {
    throw notServer(text, messageOf(cause), cause);
  }
}

function parseUrl(text: string): string {
  if (!URL.canParse(text)) throw notServer(text, "it is not a URL");
  const url = new URL(text);
  if (url.protocol === "http:" && !/^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(url.hostname)) {
    throw notServer(text, "plain http is for loopback addresses only, elsewhere anybody could answer");
  }
  return url.href;
}

function notServer(text: string, why: string, cause?: unknown): RotaError {
  return new RotaError(
    "ERR_ROTA_ADDRESS",
    `"${text}" is not a server: ${why}; write 127.0.0.1:5300, tcp://[::1]:5300 or https://HOST/dns-query`,
    cause === undefined ? undefined : { cause },
  );
}
