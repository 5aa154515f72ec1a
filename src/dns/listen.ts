import { isIPv4, isIPv6 } from "node:net";
import { RotaError } from "../base/error.ts";
import type { Transport } from "./counters.ts";

/** Where to listen. */
export interface ListenSpec {
  readonly transports: readonly Transport[];
  readonly address: string;
  /** 0: any free port, the same one for all transports. */
  readonly port: number;
  /** Whether a PROXY header stands in front of what is asked, and says who asks. */
  readonly isProxied: boolean;
}

/** A socket that answers until it is disposed of, and the port that it got. */
export interface Bound extends AsyncDisposable {
  readonly port: number;
}

/** Where something listens. */
export interface ListenAddress {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  /** Whether it takes only what has a PROXY header in front. */
  readonly isProxied: boolean;
}

/**
 * Reads `udp://`, `tcp://` or nothing (both) in front of ADDRESS:PORT; `proxy+udp://`, `proxy+tcp://` or `proxy://`
 * (both) for what comes through a proxy that sends the PROXY header, version 2.
 *
 * @throws RotaError `ERR_ROTA_OPTION`
 */
export function parseListen(text: string): ListenSpec {
  const [, scheme = "", rest = ""] = /^(?:([a-z]+(?:\+[a-z]+)?):\/\/)?(.*)$/.exec(text) ?? [];
  const known = SCHEMES.get(scheme);
  if (!known) {
    throw new RotaError(
      "ERR_ROTA_OPTION",
      `could not listen on "${text}": write udp://, tcp:// or nothing in front of ADDRESS:PORT, ` +
        "or proxy+udp://, proxy+tcp:// or proxy:// for what has a PROXY header",
    );
  }
  const [, six, four, digits] = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(rest) ?? [];
  const address = six ?? four ?? "";
  const port = Number(digits ?? Number.NaN);
  if (!(six === undefined ? isIPv4(address) : isIPv6(address)) || !(port <= 65_535)) {
    throw new RotaError(
      "ERR_ROTA_OPTION",
      `could not listen on "${text}": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53`,
    );
  }
  return { ...known, address, port };
}

const SCHEMES: ReadonlyMap<string, Pick<ListenSpec, "transports" | "isProxied">> = new Map([
  ["", { transports: ["udp", "tcp"], isProxied: false }],
  ["udp", { transports: ["udp"], isProxied: false }],
  ["tcp", { transports: ["tcp"], isProxied: false }],
  ["proxy", { transports: ["udp", "tcp"], isProxied: true }],
  ["proxy+udp", { transports: ["udp"], isProxied: true }],
  ["proxy+tcp", { transports: ["tcp"], isProxied: true }],
]);
