import type { Address } from "../model/address.ts";
import type { Name } from "../model/name.ts";

/** A record as an answer has it; a `switch` over `type` needs no default. Class is always IN. */
export type ResourceRecord = A | Aaaa | Ns | Ptr | Soa | Srv | Txt;

interface Owned {
  readonly name: Name;
  /** Seconds, 0 to 2³¹-1 (RFC 2181 section 8). */
  readonly ttl: number;
}

/** RFC 1035 section 3.4.1. */
export interface A extends Owned {
  readonly type: "A";
  readonly address: Address;
}

/** RFC 3596 section 2.2. */
export interface Aaaa extends Owned {
  readonly type: "AAAA";
  readonly address: Address;
}

/** RFC 1035 section 3.3.11. */
export interface Ns extends Owned {
  readonly type: "NS";
  readonly target: Name;
}

/** RFC 1035 section 3.3.12. */
export interface Ptr extends Owned {
  readonly type: "PTR";
  readonly target: Name;
}

/** RFC 1035 section 3.3.13; times in seconds. */
export interface Soa extends Owned {
  readonly type: "SOA";
  readonly primary: Name;
  readonly mailbox: Name;
  readonly serial: number;
  readonly refresh: number;
  readonly retry: number;
  readonly expire: number;
  /** How long "there is nothing" may be kept (RFC 2308 section 4). */
  readonly minimum: number;
}

/** RFC 2782; the target is never compressed. */
export interface Srv extends Owned {
  readonly type: "SRV";
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  readonly target: Name;
}

/** RFC 1035 section 3.3.14; each string at most 255 octets of UTF-8. */
export interface Txt extends Owned {
  readonly type: "TXT";
  readonly strings: readonly string[];
}

/** The numbers of the types that Rota answers or must recognise (IANA "Resource Record (RR) TYPEs"). */
export const TYPE = {
  A: 1,
  NS: 2,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const;

/** RFC 1035 section 3.2.4. */
export const CLASS_IN = 1;
