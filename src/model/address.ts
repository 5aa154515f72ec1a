import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";
import { RotaError } from "../base/error.ts";

declare const address: unique symbol;

/**
 * An IP address as its 4 or 16 octets, one character each (latin1): two spellings of one address are `===`,
 * it is a `Map` key, and it is written into a record with one copy.
 */
export type Address = string & { readonly [address]: true };

export type Family = 4 | 6;

export const FAMILIES: readonly Family[] = [4, 6];

/** A block of addresses, as `10.0.1.0/24`. */
export interface Subnet {
  /** The block's first address. */
  readonly base: Address;
  /** How many leading bits all its addresses share. */
  readonly length: number;
}

/** An address and maybe a port, as `10.0.1.13:9090` or `[fd00::13]:9090`. */
export interface Endpoint {
  readonly address: Address;
  readonly port?: number;
}

/**
 * @throws RotaError `ERR_ROTA_ADDRESS`: not an address, a shorthand such as `10.1`, an IPv6 address with a zone
 * (`%eth0`) or an IPv4 address written as IPv6.
 */
export function parseAddress(text: string): Address {
  if (isIPv4(text)) return fromOctets(ipaddr.IPv4.parse(text).toByteArray());
  if (text.includes("%")) {
    throw new RotaError(
      "ERR_ROTA_ADDRESS",
      `"${text}" has a zone, which DNS cannot carry: leave out what follows the %`,
    );
  }
  if (!isIPv6(text)) throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" is not an IPv4 or IPv6 address`);
  const parsed = ipaddr.IPv6.parse(text);
  if (parsed.isIPv4MappedAddress()) {
    throw new RotaError(
      "ERR_ROTA_ADDRESS",
      `"${text}" is an IPv4 address: write ${parsed.toIPv4Address().toString()}`,
    );
  }
  return fromOctets(parsed.toByteArray());
}

/** The address as people write it; IPv6 as RFC 5952 has it. */
export function formatAddress(address: Address): string {
  if (address.length === 16) return new ipaddr.IPv6(toOctets(address)).toRFC5952String();
  // Written out, at a third of the time: planes write some hundred thousand in a row.
  const octet = (at: number): number => address.charCodeAt(at);
  return `${octet(0)}.${octet(1)}.${octet(2)}.${octet(3)}`;
}

/** The address as a URL or a log line has it in front of a port. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

export function familyOf(address: Address): Family {
  return address.length === 4 ? 4 : 6;
}

/** @throws RotaError `ERR_ROTA_ADDRESS`, for the port as well. */
export function parseEndpoint(text: string): Endpoint {
  const split = /^(?:\[([^\]]*)\]|([^:]*)):(\d+)$/.exec(text);
  if (!split) return { address: parseAddress(/^\[.*\]$/.test(text) ? text.slice(1, -1) : text) };
  const port = Number(split[3]);
  if (port < 1 || port > 65_535) {
    throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" has port ${split[3]}: ports go from 1 to 65535`);
  }
  return { address: parseAddress(split[1] ?? split[2] ?? ""), port };
}

/** @throws RotaError `ERR_ROTA_ADDRESS`: no `/`, a length out of range, an address inside the block. */
export function parseSubnet(text: string): Subnet {
  const [, first = "", bits = ""] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  if (bits === "")
    throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" is not a subnet: write it as 10.0.1.0/24`);
  const address = parseAddress(first);
  const length = Number(bits);
  if (length > address.length * 8) {
    throw new RotaError(
      "ERR_ROTA_ADDRESS",
      `"${text}" is not a subnet: its length goes from 0 to ${address.length * 8}`,
    );
  }
  const base = mask(address, length);
  if (base !== address) {
    throw new RotaError(
      "ERR_ROTA_ADDRESS",
      `"${text}" is an address inside a subnet: write ${formatAddress(base)}/${length}`,
    );
  }
  return { base, length };
}

export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet.base)}/${subnet.length}`;
}

export function isInside(subnet: Subnet, address: Address): boolean {
  return address.length === subnet.base.length && mask(address, subnet.length) === subnet.base;
}

/** How many addresses the block has. */
export function sizeOf(subnet: Subnet): bigint {
  return 1n << BigInt(subnet.base.length * 8 - subnet.length);
}

/** The address `offset` after the block's first. */
export function addressAt(subnet: Subnet, offset: bigint): Address {
  const octets = toOctets(subnet.base);
  let carry = offset;
  for (let at = octets.length - 1; at >= 0 && carry > 0n; at--) {
    const sum = BigInt(octets[at] ?? 0) + carry;
    octets[at] = Number(sum & 0xffn);
    carry = sum >> 8n;
  }
  return fromOctets(octets);
}

/** `address` with all but its first `length` bits cleared. */
export function mask(address: Address, length: number): Address {
  const whole = length >> 3;
  if (whole >= address.length) return address;
  const kept = address.charCodeAt(whole) & (0xff00 >> (length & 7)) & 0xff;
  return (address.slice(0, whole) +
    String.fromCharCode(kept).padEnd(address.length - whole, "\0")) as Address;
}

/** The address with these 4 or 16 octets: the door for octets, as {@link parseAddress} is for text. */
export function fromOctets(octets: readonly number[]): Address {
  return String.fromCharCode(...octets) as Address;
}

export function toOctets(address: Address): number[] {
  return Array.from(address, (octet) => octet.charCodeAt(0));
}

/** `0.0.0.0`, `::`, multicast and broadcast: addresses that no task can have. */
export function isUnreachable(address: Address): boolean {
  const range = rangeOf(address);
  return range === "unspecified" || range === "multicast" || range === "broadcast";
}

/** Whether it is the machine's own, as 127.0.0.1. */
export function isLoopback(address: Address): boolean {
  return rangeOf(address) === "loopback";
}

function rangeOf(address: Address): string {
  const octets = toOctets(address);
  return (octets.length === 4 ? new ipaddr.IPv4(octets) : new ipaddr.IPv6(octets)).range();
}
