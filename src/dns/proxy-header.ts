import { formatAddress, fromOctets } from "../model/address.ts";
import { octetAt, pairAt } from "../wire/octet-reader.ts";

/** What stands at the beginning of octets where a PROXY header must. */
export type ProxyReading =
  | {
      readonly kind: "header";
      /** Where what is proxied begins. */
      readonly end: number;
      /** The address of who asked the proxy, as text; undefined: the proxy asks for itself, or does not say. */
      readonly client: string | undefined;
    }
  /** The beginning of one. */
  | { readonly kind: "partial" }
  | { readonly kind: "wrong" };

/** PROXY protocol section 2.2: what no other protocol begins with. */
const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
/** The signature, version with command, family with transport, and how much follows. */
const FIXED_OCTETS = 16;
/** Behind the fixed part. Addresses are 216 octets at most; what proxies say beyond them (TLVs) is skipped. */
const MAX_PROXY_OCTETS = 4096;

const PARTIAL: ProxyReading = { kind: "partial" };
const WRONG: ProxyReading = { kind: "wrong" };

/**
 * Reads a header of version 2, be the octets what they may: nothing makes it throw. What is wrong is so at its first
 * octet that cannot be right, and not only when as many have come as it claims.
 *
 * Source: "The PROXY protocol", versions 1 & 2, section 2.2; version 1, which is text, has no form for datagrams.
 */
export function readProxyHeader(octets: Uint8Array): ProxyReading {
  const known = Math.min(octets.length, SIGNATURE.length);
  for (let at = 0; at < known; at++) if (octets[at] !== SIGNATURE[at]) return WRONG;
  if (octets.length > 12 && octetAt(octets, 12) !== LOCAL && octetAt(octets, 12) !== PROXY) return WRONG;
  const isLocal = octetAt(octets, 12) === LOCAL;
  // For LOCAL a receiver has to "discard the protocol block including the family which is ignored".
  const family = octets.length > 13 && !isLocal ? FAMILIES.get(octetAt(octets, 13)) : UNSPECIFIED;
  if (!family) return WRONG;
  if (octets.length < FIXED_OCTETS) return PARTIAL;

  const length = pairAt(octets, 14);
  if (length > MAX_PROXY_OCTETS || length < family.octets) return WRONG;
  const end = FIXED_OCTETS + length;
  if (end > octets.length) return PARTIAL;
  return { kind: "header", end, client: clientOf(octets, family) };
}

/** Version 2 in the upper four bits, the command in the lower; whatever else comes there is to be dropped. */
const LOCAL = 0x20;
const PROXY = 0x21;

interface ProxiedFamily {
  /** What both addresses, and ports, take at least. */
  readonly octets: number;
  readonly addressOctets: 0 | 4 | 16;
}

const UNSPECIFIED: ProxiedFamily = { octets: 0, addressOctets: 0 };
const IPV4: ProxiedFamily = { octets: 12, addressOctets: 4 };
const IPV6: ProxiedFamily = { octets: 36, addressOctets: 16 };

/**
 * By family and transport; others are invalid, but those of Unix sockets: for them a receiver "automatically falls
 * back to the UNSPEC mode". The transport is the client's, and need not be the proxy's.
 */
const FAMILIES: ReadonlyMap<number, ProxiedFamily> = new Map([
  [0x00, UNSPECIFIED],
  [0x11, IPV4],
  [0x12, IPV4],
  [0x21, IPV6],
  [0x22, IPV6],
  [0x31, UNSPECIFIED],
  [0x32, UNSPECIFIED],
]);

function clientOf(octets: Uint8Array, { addressOctets }: ProxiedFamily): string | undefined {
  if (addressOctets === 0) return undefined;
  const source = [...octets.subarray(FIXED_OCTETS, FIXED_OCTETS + addressOctets)];
  return formatAddress(fromOctets(isMapped(source) ? source.slice(12) : source));
}

/** RFC 4291 section 2.5.5.2: so a proxy writes an IPv4 client that reached it at an IPv6 address. */
function isMapped(octets: readonly number[]): boolean {
  return octets.length === 16 && octets.every((octet, at) => at >= 12 || octet === (at < 10 ? 0 : 0xff));
}
