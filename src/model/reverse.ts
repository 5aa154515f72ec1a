import { type Address, fromOctets, toOctets } from "./address.ts";
import { labelsOf, type Name, parseName, prefixOf, type Prefix } from "./name.ts";

const IN_ADDR_ARPA = parseName("in-addr.arpa");
const IP6_ARPA = parseName("ip6.arpa");

/** What a name in the reverse tree stands for: all addresses that begin with these bits. */
export interface Reverse {
  /** The octets that the name tells, the rest zero. */
  readonly address: Address;
  /** How many bits it tells: 32 or 128 for one address. */
  readonly length: number;
  /** Whether it is that name itself, and not one beneath it that stands for no address. */
  readonly isExact: boolean;
}

/** Reads a name under `in-addr.arpa` or `ip6.arpa`; undefined for any other. RFC 1035 section 3.5, RFC 3596 section 2.5. */
export function parseReverse(name: Name): Reverse | undefined {
  const four = prefixOf(name, IN_ADDR_ARPA);
  if (four !== undefined) return readFour(four);
  const six = prefixOf(name, IP6_ARPA);
  return six === undefined ? undefined : readSix(six);
}

/** The reverse name of the first `length` bits of `address`: whole octets of IPv4, half octets of IPv6. */
export function reverseName(address: Address, length: number = address.length * 8): Name {
  const octets = toOctets(address);
  if (octets.length === 4) {
    return parseName([...octets.slice(0, length / 8).toReversed(), "in-addr.arpa"].join("."));
  }
  const nibbles = octets.flatMap((octet) => [octet >> 4, octet & 15]).slice(0, length / 4);
  return parseName([...nibbles.toReversed().map((nibble) => nibble.toString(16)), "ip6.arpa"].join("."));
}

function readFour(labels: Prefix): Reverse {
  const { told, isExact } = takeWhile(
    labels,
    4,
    (label) => /^(?:0|[1-9]\d{0,2})$/.test(label) && Number(label) < 256,
  );
  return {
    address: fromOctets([...told.map(Number), 0, 0, 0, 0].slice(0, 4)),
    length: told.length * 8,
    isExact,
  };
}

function readSix(labels: Prefix): Reverse {
  const { told, isExact } = takeWhile(labels, 32, (label) => /^[0-9a-f]$/.test(label));
  const padded = told.join("").padEnd(32, "0");
  return { address: fromOctets([...Buffer.from(padded, "hex")]), length: told.length * 4, isExact };
}

/** The labels that tell something, from the right, where an address begins. */
function takeWhile(
  labels: Prefix,
  most: number,
  tells: (label: string) => boolean,
): { told: string[]; isExact: boolean } {
  const all = labelsOf(labels).toReversed();
  const end = all.findIndex((label, at) => at === most || !tells(label));
  return end < 0 ? { told: all, isExact: true } : { told: all.slice(0, end), isExact: false };
}
