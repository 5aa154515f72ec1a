import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { createScope } from "../base/scope.ts";
import { formatEndpoint } from "../model/address.ts";
import type { Tally } from "./counters.ts";
import { followInterfaces, isWildcard } from "./interfaces.ts";
import { type LaneOptions, type Lanes, openLanes } from "./lanes/lanes.ts";
import { openSockets, type Sockets } from "./lanes/sockets.ts";
import type { Bound, ListenAddress, ListenSpec } from "./listen.ts";
import type { Respond } from "./respond.ts";
import { type ConnectionLimits, createConnections, openTcp } from "./tcp.ts";
import { openUdp } from "./udp.ts";

export interface Listeners extends AsyncDisposable {
  /** Every socket that is open now. */
  readonly addresses: readonly ListenAddress[];
  /** Resolves when every reply that leaves shows what has changed before the call. */
  caughtUp(): Promise<void>;
}

export interface ListenersOptions {
  readonly respond: Respond;
  readonly counters: Tally;
  readonly limits: ConnectionLimits;
  /** What answers over UDP, but where a PROXY header says who asks; undefined: `node:dgram`, on this thread. */
  readonly lanes?: LaneOptions | undefined;
  readonly log: Log;
}

/** A port that is free for UDP may be taken for TCP; with port 0 another is tried. */
const PORT_TRIES = 16;

/**
 * Listens on all of `specs`, or on none if one cannot be had.
 *
 * A UDP reply must leave from the address that was asked (RFC 2181 section 4). Lanes are told which that was. Node
 * does not tell it, so without them a wildcard address is listened on address by address, and followed as the
 * machine's addresses change.
 *
 * @throws RotaError `ERR_ROTA_LISTEN`
 */
export async function openListeners(
  specs: readonly ListenSpec[],
  options: ListenersOptions,
): Promise<Listeners> {
  await using scope = createScope();
  const open = new Map<string, ListenAddress>();
  const { limits, counters, log } = options;
  const laneSockets: Sockets[] = [];
  const connections = createConnections(limits, counters);
  scope.defer(() => connections[Symbol.dispose]());

  for (const spec of specs) scope.use(await openSpec(spec));
  let lanes: Lanes | undefined;
  if (options.lanes && laneSockets.length > 0)
    lanes = scope.use(await openLanes(laneSockets, options.lanes, counters, log));
  const held = scope.move();
  return {
    get addresses() {
      return [...open.values()];
    },
    async caughtUp() {
      await lanes?.caughtUp();
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
      if (transport === "udp" && options.lanes && !isProxied) {
        port = opened.use(await openForLanes(address, port, options.lanes)).port;
        continue;
      }
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

  /** Lanes have one socket for all that a wildcard stands for; where they can be asked is told all the same. */
  async function openForLanes(
    address: string,
    wanted: number,
    { system, count }: LaneOptions,
  ): Promise<Bound> {
    await using opened = createScope();
    const sockets = openSockets(system, address, wanted, count);
    laneSockets.push(sockets);
    opened.defer(() => {
      laneSockets.splice(laneSockets.indexOf(sockets), 1);
      sockets[Symbol.dispose]();
    });
    const { port } = sockets;
    opened.use(
      isWildcard(address)
        ? await followInterfaces(address, port, toldOfLanes, log)
        : await toldOfLanes(address, port),
    );
    const held = opened.move();
    return { port, [Symbol.asyncDispose]: async () => held[Symbol.asyncDispose]() };
  }

  async function toldOfLanes(address: string, port: number): Promise<Bound> {
    return told({ transport: "udp", address, port, isProxied: false });
  }

  async function openOne(wanted: ListenAddress): Promise<Bound> {
    const { respond } = options;
    const listener =
      wanted.transport === "udp"
        ? await openUdp(wanted, respond, counters, log)
        : await openTcp(wanted, respond, connections, counters, log);
    const listed = told({ ...wanted, port: listener.port });
    return {
      port: listener.port,
      async [Symbol.asyncDispose]() {
        await listed[Symbol.asyncDispose]();
        await listener[Symbol.asyncDispose]();
      },
    };
  }

  /** Lists where it can be asked now. */
  function told(listening: ListenAddress): Bound {
    const { transport, address, port } = listening;
    const key = `${transport} ${formatEndpoint(address, port)}`;
    open.set(key, listening);
    return { port, [Symbol.asyncDispose]: async () => void open.delete(key) };
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
