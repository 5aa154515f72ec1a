import { isInside, parseAddress, parseSubnet, type Subnet } from "../model/address.ts";
import { type Name, parseName, prefixOf } from "../model/name.ts";
import { parseReverse, type Reverse } from "../model/reverse.ts";
import type { Question } from "../wire/message.ts";
import { TYPE } from "../wire/record.ts";
import { addressRecord, type Answer, type Readable, records, setOf, soaOf } from "./kinds.ts";
import { reverseApex } from "./reverse.ts";

/** Names that mean the same to everybody, or nothing outside of one machine or link: no server is to be asked for them. */

const LOCALHOST = parseName("localhost");
const LOOPBACKS = ["127.0.0.1", "::1"].map(parseAddress);
/** RFC 6761 section 6.4, RFC 6762 section 22.1, RFC 7686 section 2, RFC 9476 section 2. */
const NOWHERE = ["invalid", "local", "onion", "alt"].map(parseName);
/** All of them that are not addresses'. */
export const SPECIAL_NAMES: readonly Name[] = [LOCALHOST, ...NOWHERE];
/** RFC 6303 sections 4.2 to 4.5: "this" network, loopback, link-local, broadcast. */
const LOCAL_SUBNETS = [
  "0.0.0.0/8",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "255.255.255.255/32",
  "::/128",
  "::1/128",
  "fe80::/10",
].map(parseSubnet);

/** Whether a name is one of these. */
export function isSpecial(name: Name): boolean {
  const reverse = parseReverse(name);
  if (reverse) return localSubnetOf(reverse) !== undefined;
  return SPECIAL_NAMES.some((apex) => prefixOf(name, apex) !== undefined);
}

/** RFC 6761 section 6.3: `localhost.` and all names beneath it are the loopback addresses; undefined for other names. */
export function answerLocalhost({ name, type }: Question, registry: Readable): Answer | undefined {
  if (prefixOf(name, LOCALHOST) === undefined) return undefined;
  const addresses = LOOPBACKS.map((address) => addressRecord(name, registry.settings.ttl, address));
  return records(
    addresses.filter((record) => type === TYPE.ANY || TYPE[record.type] === type),
    LOCALHOST,
    registry,
  );
}

/** NXDOMAIN for names that exist nowhere, or only where DNS is not asked for them; undefined for other names. */
export function answerNowhere({ name }: Question, registry: Readable): Answer | undefined {
  const apex = NOWHERE.find((apex) => prefixOf(name, apex) !== undefined);
  return apex && { kind: "nxdomain", soa: soaOf(apex, registry) };
}

/** The reverse names of addresses that every machine or link has anew; undefined for other addresses. */
export function answerLocalReverse(
  { name, type }: Question,
  reverse: Reverse,
  registry: Readable,
): Answer | undefined {
  const { address, length, isExact } = reverse;
  const subnet = localSubnetOf(reverse);
  if (!subnet) return undefined;
  const apex = reverseApex(address, subnet.length);
  const isWhole = isExact && length === address.length * 8;
  if (isWhole && LOOPBACKS.includes(address)) {
    const pointer = { type: "PTR", name, ttl: registry.settings.ttl, target: LOCALHOST } as const;
    return records(setOf(type, [pointer]), apex, registry);
  }
  // Of what stands above addresses nothing is denied: 1.0.0.127.in-addr.arpa is beneath some of it.
  return isExact && !isWhole ? records([], apex, registry) : { kind: "nxdomain", soa: soaOf(apex, registry) };
}

function localSubnetOf({ address, length }: Reverse): Subnet | undefined {
  return LOCAL_SUBNETS.find((subnet) => length >= subnet.length && isInside(subnet, address));
}
