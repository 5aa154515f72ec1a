import { isIPv4, isIPv6 } from "node:net";
import { RotaError } from "../base/error.ts";
import type { Transport } from "./counters.ts";

/** Where to listen. */
export interface ListenSpec {
  readonly transports: readonly Transport[];
  readonly address: string;
  /** 0: any free port, the same one for all transports. */
  readonly port: number;
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
}

/**
 * Reads `udp://`, `tcp://` or nothing (both) in front of ADDRESS:PORT.
 *
 * @throws RotaError `ERR_ROTA_OPTION`
 */
export function parseListen(text: string): ListenSpec {
  const [, scheme = "", rest = ""] = /^(?:([a-z]+):\/\/)?(.*)$/.exec(text) ?? [];
  const transports = TRANSPORTS.get(scheme);
  if (!transports) {
    throw new RotaError(
      "ERR_ROTA_OPTION",
      `could not listen on "${text}": write udp://, tcp:// or nothing in front of ADDRESS:PORT`,
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
  return { transports, address, port };
}

const TRANSPORTS: ReadonlyMap<string, readonly Transport[]> = new Map([
  ["", ["udp", "tcp"]],
  ["udp", ["udp"]],
  ["tcp", ["tcp"]],
]);
