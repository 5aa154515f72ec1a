import { networkInterfaces } from "node:os";
import { isIPv4 } from "node:net";
import { parseAddress, toOctets } from "../../model/address.ts";
import { isWildcard } from "../interfaces.ts";
import { AF_INET, AF_INET6, IPPROTO_IPV6, type System, systemError } from "./system.ts";
import { WAIT_SECONDS } from "./words.ts";

/** A socket for each lane, on one address and port. */
export interface Sockets extends Disposable {
  readonly port: number;
  /** By lane. */
  readonly fds: readonly number[];
}

const SOCK_DGRAM = 2;
/** The programs that Rota runs must not keep the port. */
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const SO_RCVTIMEO = 20;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;

/** Room for a burst while a lane is busy with something else, as over `node:dgram`. */
const RECEIVE_BUFFER_OCTETS = 4 * 1024 * 1024;

/**
 * Opens `count` sockets, among which the kernel divides those who ask.
 *
 * Who shares a port by SO_REUSEPORT is not asked whether another may join, if only it is of the same user. So the
 * first is bound without it, and has the port alone or not at all; then it lets the others in. From then on a
 * program that sets SO_REUSEPORT itself, and is of the same user, can join: which no second Rota does. With one
 * lane nobody can.
 *
 * @throws what `bind` throws, as EADDRINUSE or EACCES
 */
export function openSockets(system: System, address: string, wanted: number, count: number): Sockets {
  const scratch = new ArrayBuffer(64);
  const at = system.addressOf(scratch);
  const view = new DataView(scratch);
  const fds: number[] = [];
  const close = (): void => {
    for (const fd of fds.splice(0)) system.close(fd);
  };
  try {
    let port = wanted;
    while (fds.length < count) port = openOne(port);
    return { port, fds: [...fds], [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  }

  function openOne(port: number): number {
    const family = isIPv4(address) ? AF_INET : AF_INET6;
    const fd = checked("socket", system.socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    fds.push(fd);
    if (family === AF_INET6) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (isWildcard(address)) tellAsked(fd, family);
    // The system's own size otherwise: it drops earlier under a burst, and clients ask again.
    option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_OCTETS);
    setWait(fd);
    const isFirst = fds.length === 1;
    if (!isFirst) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    checked("bind", system.bind(fd, at, writeName(port)));
    if (isFirst && count > 1) set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    return port === 0 ? portOf(fd) : port;
  }

  /** Has the kernel say of each query which address it was sent to. */
  function tellAsked(fd: number, family: number): void {
    if (family === AF_INET) set(fd, IPPROTO_IP, IP_PKTINFO, 1);
    else set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  }

  function set(fd: number, level: number, name: number, value: number): void {
    checked("setsockopt", option(fd, level, name, value));
  }

  function option(fd: number, level: number, name: number, value: number): number {
    view.setInt32(0, value, true);
    return system.setsockopt(fd, level, name, at, 4);
  }

  /** struct timeval, of 64 bits each. */
  function setWait(fd: number): void {
    view.setBigInt64(0, BigInt(WAIT_SECONDS), true);
    view.setBigInt64(8, 0n, true);
    checked("setsockopt", system.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, at, 16));
  }

  /** A sockaddr: the family, the port in the network's order, and the address. */
  function writeName(port: number): number {
    const [text = "", zone] = address.split("%", 2);
    const octets = toOctets(parseAddress(text));
    const isFour = octets.length === 4;
    new Uint8Array(scratch).fill(0);
    view.setUint16(0, isFour ? AF_INET : AF_INET6, true);
    view.setUint16(2, port);
    new Uint8Array(scratch).set(octets, isFour ? 4 : 8);
    if (!isFour) view.setUint32(24, scopeOf(zone), true);
    return isFour ? 16 : 28;
  }

  function portOf(fd: number): number {
    view.setUint32(32, 28, true);
    checked("getsockname", system.getsockname(fd, at, at + 32));
    return view.getUint16(2);
  }

  function checked(call: string, returned: number): number {
    if (returned < 0) throw systemError(call, system.errno());
    return returned;
  }
}

/** The number of an interface (RFC 4007 section 11.2); 0: any. */
function scopeOf(zone: string | undefined): number {
  if (zone === undefined) return 0;
  if (/^\d{1,9}$/.test(zone)) return Number(zone);
  const known = networkInterfaces()[zone]?.find(({ family }) => family === "IPv6");
  return known?.family === "IPv6" ? known.scopeid : 0;
}
