import { RotaError } from "../base/error.ts";

/** IANA "Resource Record (RR) TYPEs": those that people ask for by name. */
const TYPES: ReadonlyMap<string, number> = new Map([
  ["A", 1],
  ["NS", 2],
  ["CNAME", 5],
  ["SOA", 6],
  ["PTR", 12],
  ["HINFO", 13],
  ["MX", 15],
  ["TXT", 16],
  ["AAAA", 28],
  ["SRV", 33],
  ["NAPTR", 35],
  ["DNAME", 39],
  ["OPT", 41],
  ["DS", 43],
  ["SSHFP", 44],
  ["RRSIG", 46],
  ["NSEC", 47],
  ["DNSKEY", 48],
  ["TLSA", 52],
  ["SVCB", 64],
  ["HTTPS", 65],
  ["SPF", 99],
  ["ANY", 255],
  ["CAA", 257],
]);
const TYPE_NAMES = invert(TYPES);

/** IANA "DNS RCODEs". */
const RCODE_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "NOERROR"],
  [1, "FORMERR"],
  [2, "SERVFAIL"],
  [3, "NXDOMAIN"],
  [4, "NOTIMP"],
  [5, "REFUSED"],
  [9, "NOTAUTH"],
  [16, "BADVERS"],
  [23, "BADCOOKIE"],
]);

/** IANA "Extended DNS Error Codes" (RFC 8914): those that a server of this kind gives. */
const EXTENDED_ERROR_NAMES: ReadonlyMap<number, string> = new Map([
  [0, "Other"],
  [3, "Stale Answer"],
  [13, "Cached Error"],
  [14, "Not Ready"],
  [15, "Blocked"],
  [18, "Prohibited"],
  [19, "Stale NXDOMAIN Answer"],
  [20, "Not Authoritative"],
  [21, "Not Supported"],
  [22, "No Reachable Authority"],
  [23, "Network Error"],
  [24, "Invalid Data"],
  [29, "Synthesized"],
]);

/** IANA "DNS CLASSes". */
const CLASS_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "IN"],
  [3, "CH"],
  [4, "HS"],
  [254, "NONE"],
  [255, "ANY"],
]);

/**
 * The number of a record type: `AAAA`, in any case, or `TYPE65` (RFC 3597 section 5).
 *
 * @throws RotaError `ERR_ROTA_OPTION`
 */
export function parseType(text: string): number {
  const upper = text.toUpperCase();
  const known = TYPES.get(upper);
  if (known !== undefined) return known;
  const number = Number(/^TYPE(\d{1,5})$/.exec(upper)?.[1]);
  if (number <= 0xffff) return number;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `"${text}" is not a record type: write A, AAAA, SRV, TXT, PTR, SOA, NS, ANY or a number as TYPE65`,
  );
}

/** `AAAA`; for a number without a name `TYPE65280`. */
export function formatType(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

export function formatClass(number: number): string {
  return CLASS_NAMES.get(number) ?? `CLASS${number}`;
}

export function formatRcode(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}

/** Empty for a code without a name. */
export function formatExtendedError(code: number): string {
  return EXTENDED_ERROR_NAMES.get(code) ?? "";
}

function invert(numbers: ReadonlyMap<string, number>): ReadonlyMap<number, string> {
  return new Map(Array.from(numbers, ([name, number]) => [number, name]));
}
