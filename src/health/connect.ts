import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { type Address, formatAddress } from "../model/address.ts";

/** Where a connection goes to, and how. */
export interface Remote {
  readonly address: Address;
  readonly port: number;
  /** Undefined: plain TCP. */
  readonly tls: ConnectionOptions | undefined;
}

/**
 * A connection being made: what is written to it waits until it stands, what goes wrong is its `error`.
 *
 * @param ready is called when it stands, after the TLS handshake if there is one.
 */
export function openConnection(
  { address, port, tls }: Remote,
  stage: (doing: string) => void,
  ready: () => void,
): Socket {
  stage("connecting");
  const to = { host: formatAddress(address), port };
  if (!tls) return connectTcp(to).once("connect", ready);
  const socket = connectTls({ ...tls, ...to });
  socket.setNoDelay(); // the request is to leave right behind the handshake; over plain TCP it is the first anyway
  socket.once("connect", () => stage("negotiating TLS"));
  return socket.once("secureConnect", ready);
}
