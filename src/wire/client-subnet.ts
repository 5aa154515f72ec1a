import { type Address, fromOctets, mask } from "../model/address.ts";
import { type ClientSubnet, OPTION } from "./message.ts";
import { octetAt, pairAt } from "./octet-reader.ts";

/** FAMILY, SOURCE PREFIX-LENGTH and SCOPE PREFIX-LENGTH, in front of the address. */
const FIXED_OCTETS = 4;

/**
 * Reads an option's value of `length` octets at `at`. RFC 7871 section 6.
 *
 * "malformed" is for whoever trusts the client to answer with FORMERR (section 7.2.1); to others the option means nothing.
 */
export function readClientSubnet(octets: Uint8Array, at: number, length: number): ClientSubnet | "malformed" {
  if (length < FIXED_OCTETS) return "malformed";
  const family = pairAt(octets, at);
  const prefix = octetAt(octets, at + 2);
  if (family !== 1 && family !== 2) return "malformed";
  const size = family === 1 ? 4 : 16;
  if (prefix > size * 8) return "malformed";
  // Section 6: SCOPE PREFIX-LENGTH "MUST be set to 0" in queries; ADDRESS is cut after its last octet with a bit that counts.
  if (octetAt(octets, at + 3) !== 0 || length !== FIXED_OCTETS + octetsOf(prefix)) return "malformed";
  const address = addressAt(octets, at + FIXED_OCTETS, octetsOf(prefix), size);
  // Section 6: bits behind the prefix are 0.
  return mask(address, prefix) === address ? { family, address, length: prefix } : "malformed";
}

/**
 * The option for a reply, an octet a character (latin1), code and length included: 24 at most. SCOPE PREFIX-LENGTH is
 * the length of the prefix: the reply holds for all beneath it, and for nobody else.
 */
export function subnetOption({ family, address, length }: ClientSubnet): string {
  const count = octetsOf(length);
  const head = [0, OPTION.CLIENT_SUBNET, 0, FIXED_OCTETS + count, 0, family, length, length];
  return String.fromCharCode(...head) + address.slice(0, count);
}

/** How many octets {@link subnetOption} has. */
export function subnetOptionOctets(subnet: ClientSubnet | undefined): number {
  return subnet === undefined ? 0 : 4 + FIXED_OCTETS + octetsOf(subnet.length);
}

function octetsOf(prefix: number): number {
  return (prefix + 7) >> 3;
}

/** The `count` octets there are, and zeros up to `size`. */
function addressAt(octets: Uint8Array, at: number, count: number, size: number): Address {
  const padded = Array<number>(size).fill(0);
  for (let index = 0; index < count; index++) padded[index] = octetAt(octets, at + index);
  return fromOctets(padded);
}
