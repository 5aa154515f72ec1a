import type { Address } from "../model/address.ts";
import type { Name } from "../model/name.ts";
import type { ResourceRecord } from "./record.ts";

/** RFC 1035 section 4.1.1, RFC 6895 section 2.2. */
export const OPCODE = { QUERY: 0 } as const;

/** RFC 1035 section 4.1.1, RFC 6891 section 9. */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  /** Over 15: its upper bits stand in OPT. */
  BADVERS: 16,
} as const;
export type Rcode = (typeof RCODE)[keyof typeof RCODE];

/** EDNS options that Rota knows (IANA "DNS EDNS0 Option Codes"). */
export const OPTION = {
  /** RFC 7871. */
  CLIENT_SUBNET: 8,
  /** RFC 7828. */
  KEEPALIVE: 11,
  /** RFC 8914. */
  EXTENDED_ERROR: 15,
} as const;

export const HEADER_OCTETS = 12;
/** RFC 1035 section 4.2.2: what the two octets in front of a message over TCP can say. */
export const MAX_MESSAGE_OCTETS = 65_535;

/** RFC 1035 section 4.2.1, RFC 6891 section 6.2.3: what every client takes. */
export const PLAIN_UDP_OCTETS = 512;
/** Additional records are a favour: over UDP, where the asker's address may be forged, replies get no larger with them. */
export const UDP_AMPLIFICATION = 10;

/** RFC 9715 section 3.1: what fits an Ethernet frame over IPv6 whole, whatever the client says. */
export const UDP_PAYLOAD_OCTETS = 1232;

/** How large a UDP reply may be, where EDNS says so much of the client. RFC 6891 section 6.2.3: less than 512 counts as 512. */
export function udpLimitOf(udpSize: number): number {
  return Math.min(Math.max(udpSize, PLAIN_UDP_OCTETS), UDP_PAYLOAD_OCTETS);
}

/** What a server has to know of a query. */
export interface Query {
  readonly id: number;
  readonly opcode: number;
  /** RD, which the reply repeats. */
  readonly recursionDesired: boolean;
  /** AD, by which a client without DO wants to be told whether data is authentic (RFC 6840 section 5.7). */
  readonly authenticDataWanted: boolean;
  /** CD, which the reply repeats. */
  readonly checkingDisabled: boolean;
  readonly question: Question;
  readonly edns: EdnsQuery | undefined;
}

export interface Question {
  /** Folded to lower case. */
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** The question as it was asked, from name to class: a reply repeats these octets (RFC 4343, "0x20"). */
  readonly octets: Uint8Array;
}

/** RFC 6891 section 6.1. */
export interface EdnsQuery {
  readonly version: number;
  /** What the client says it can take over UDP. */
  readonly udpSize: number;
  /** DO, which the reply repeats (RFC 3225 section 3). */
  readonly dnssecOk: boolean;
  /** Whether an edns-tcp-keepalive option came along (RFC 7828). */
  readonly wantsKeepalive: boolean;
  /** Whom it asks for, as it says; "malformed": it is not understood, or there twice; undefined: it does not say. */
  readonly clientSubnet: ClientSubnet | "malformed" | undefined;
}

/** RFC 7871 section 6: where the client is that a query is asked for. */
export interface ClientSubnet {
  /** IPv4 or IPv6 (IANA "Address Family Numbers"). */
  readonly family: 1 | 2;
  /** The subnet's first: octets behind those that came are 0. */
  readonly address: Address;
  /** SOURCE PREFIX-LENGTH, in bits; 0: the client does not want its address used (section 7.1.2). */
  readonly length: number;
}

/** What a datagram or a TCP message turned out to be. */
export type Reading =
  | { readonly kind: "query"; readonly query: Query }
  /** There is a header to answer with. */
  | { readonly kind: "faulty"; readonly fault: Fault }
  /** An answer, or too short to have a header: silence. */
  | { readonly kind: "ignored" };

/** What can be told of a query that cannot be read, for the reply. */
export interface Fault {
  readonly rcode: Rcode;
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
}

/** A reply before it is octets. */
export interface Reply {
  readonly id: number;
  readonly opcode: number;
  readonly rcode: Rcode;
  readonly authoritative: boolean;
  readonly recursionDesired: boolean;
  /** RA: whether this server asks others for names that are not its own. */
  readonly recursionAvailable: boolean;
  readonly checkingDisabled: boolean;
  /** Undefined: a reply of a header alone (and OPT). */
  readonly question: Question | undefined;
  readonly answers: readonly ResourceRecord[];
  readonly authority: readonly ResourceRecord[];
  /** Left out one by one, without TC, where they do not fit (RFC 2181 section 9). */
  readonly additionals: readonly ResourceRecord[];
  /** Undefined: the query had no OPT, so the reply has none. */
  readonly edns: EdnsReply | undefined;
}

export interface EdnsReply {
  /** What this server takes over UDP. */
  readonly udpSize: number;
  readonly dnssecOk: boolean;
  /** RFC 8914: the INFO-CODE that says more than the rcode; undefined: none. */
  readonly extendedError: number | undefined;
  /** RFC 7828: how long an idle connection is kept, in units of 100 ms; undefined: not said. */
  readonly keepalive: number | undefined;
  /** RFC 7871: what the query said, repeated, and the reply is for nobody beyond it; undefined: none. */
  readonly clientSubnet: ClientSubnet | undefined;
}

/** How large a reply may get. */
export interface Room {
  /** The most octets; what does not fit is left out and TC set. */
  readonly limit: number;
  /** Additional records are not given beyond this size, so that nobody is used to flood another. */
  readonly additionalsLimit: number;
}
