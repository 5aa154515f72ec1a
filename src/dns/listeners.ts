import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { createScope } from "../base/scope.ts";
import { formatEndpoint } from "../model/address.ts";
import type { Tally } from "./counters.ts";
import { followInterfaces, isWildcard } from "./interfaces.ts";
import type { Bound, ListenAddress, ListenSpec } from "./listen.ts";
import type { Respond } from "./respond.ts";
import { type ConnectionLimits, createConnections, openTcp } from "./tcp.ts";
import { openUdp } from "./udp.ts";

export interface Listeners extends AsyncDisposable {
  /** Every socket that is open now. */
  readonly addresses: readonly ListenAddress[];
}

export interface ListenersOptions {
  readonly respond: Respond;
  readonly counters: Tally;
  readonly limits: ConnectionLimits;
  readonly log: Log;
}

/** A port that is free for UDP may be taken for TCP; with port 0 another is tried. */
const PORT_TRIES = 16;

/**
 * Listens on all of `specs`, or on none if one cannot be had.
 *
 * A wildcard address is listened on address by address, and followed as the machine's addresses change: a UDP
 * reply must leave from the address that was asked (RFC 2181 section 4), and Node does not tell which that was.
 *
 * @throws RotaError `ERR_ROTA_LISTEN`
 */
export async function openListeners(
  specs: readonly ListenSpec[],
  options: ListenersOptions,
): Promise<Listeners> {
  await using scope = createScope();
  const open = new Map<string, ListenAddress>();
  const { limits, counters } = options;
  const connections = createConnections(limits, counters);
  scope.defer(() => connections[Symbol.dispose]());

  for (const spec of specs) scope.use(await openSpec(spec));
  const held = scope.move();
  return {
    get addresses() {
      return [...open.values()];
    },
    [Symbol.asyncDispose]: async () => held[Symbol.asyncDispose](),
  };

  async function openSpec(spec: ListenSpec): Promise<AsyncDisposable> {
    for (let tries = 1; ; tries++) {
      try {
        return await openTransports(spec);
      } catch (error) {
        const mayRetry = spec.port === 0 && systemCodeOf(error) === "EADDRINUSE" && tries < PORT_TRIES;
        if (!mayRetry) throw listenError(spec, error);
      }
    }
  }

  async function openTransports({
    transports,
    address,
    port: wanted,
    isProxied,
  }: ListenSpec): Promise<AsyncDisposable> {
    await using opened = createScope();
    let port = wanted;
    for (const transport of transports) {
      if (transport === "udp" && isWildcard(address)) {
        const open = async (each: string, port: number): Promise<Bound> =>
          openOne({ transport, address: each, port, isProxied });
        port = opened.use(await followInterfaces(address, port, open, options.log)).port;
        continue;
      }
      port = opened.use(await openOne({ transport, address, port, isProxied })).port;
    }
    return opened.move();
  }

  async function openOne(wanted: ListenAddress): Promise<Bound> {
    const { respond, log } = options;
    const { transport, address } = wanted;
    const listener =
      transport === "udp"
        ? await openUdp(wanted, respond, counters, log)
        : await openTcp(wanted, respond, connections, counters, log);
    const listening = { ...wanted, port: listener.port };
    const key = `${transport} ${formatEndpoint(address, listener.port)}`;
    open.set(key, listening);
    return {
      port: listener.port,
      async [Symbol.asyncDispose]() {
        open.delete(key);
        await listener[Symbol.asyncDispose]();
      },
    };
  }
}

function listenError({ transports, address, port }: ListenSpec, cause: unknown): RotaError {
  const where = `${transports.join(" and ")} ${formatEndpoint(address, port)}`;
  return new RotaError("ERR_ROTA_LISTEN", `could not listen on ${where}: ${adviceOn(cause, port)}`, {
    cause,
  });
}

function adviceOn(cause: unknown, port: number): string {
  switch (systemCodeOf(cause)) {
    case "EADDRINUSE":
      return "the port is taken; end what listens there, or choose another port";
    case "EACCES":
      return (
        `ports below 1024 need a right; give it with "setcap cap_net_bind_service=+ep $(readlink -f $(which node))", ` +
        `lower net.ipv4.ip_unprivileged_port_start to ${port}, run as root, or choose a higher port`
      );
    case "EADDRNOTAVAIL":
      return "this machine has no such address; see `ip address`";
    case undefined:
    default:
      return messageOf(cause);
  }
}
