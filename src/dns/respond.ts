import { messageOf } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { type EdnsReply, type Query, RCODE, type Rcode, type Reply, type Room } from "../wire/message.ts";
import { readQuery } from "../wire/reader.ts";
import { CLASS_IN, TYPE } from "../wire/record.ts";
import { writeFault, writeReply } from "../wire/writer.ts";
import { answer } from "./answer.ts";
import type { Counters, Transport } from "./counters.ts";
import type { Answer, Authority } from "./kinds.ts";

/** Octets in, octets out: undefined where silence is the answer. Never throws. */
export type Respond = (octets: Uint8Array, transport: Transport) => Uint8Array | undefined;

/** What a name that is not ours gets. */
export type Outside = "refused" | "servfail" | "nxdomain";

export interface RespondOptions extends Authority {
  readonly outside: Outside;
  readonly counters: Counters;
  readonly log: Log;
}

/** RFC 9715 section 3.1: what fits an Ethernet frame over IPv6 whole, whatever the client says. */
export const UDP_PAYLOAD_OCTETS = 1232;
/** RFC 1035 section 4.2.1, RFC 6891 section 6.2.3: what every client takes. */
const PLAIN_UDP_OCTETS = 512;
/** RFC 1035 section 4.2.2: the length in front has two octets. */
const TCP_OCTETS = 65_535;
/** Additional records are a favour: over UDP, where the asker's address may be forged, they get no larger. */
const UDP_AMPLIFICATION = 10;

/** How long an idle TCP connection is kept. RFC 7766 section 6.2.3: "on the order of a few seconds". */
export const TCP_IDLE_MS = 10_000;

const CLASS_ANY = 255;
/** RFC 8914 section 4.21. */
const EDE_NOT_AUTHORITATIVE = 20;

export function createRespond(options: RespondOptions): Respond {
  const { counters, log } = options;

  return (octets, transport) => {
    try {
      return respond(octets, transport);
    } catch (error) {
      // Whoever asks must not be able to end the process, whatever we did wrong.
      counters.defects += 1;
      log.error({ err: error }, `a query could not be answered: ${messageOf(error)}`);
      return undefined;
    }
  };

  function respond(octets: Uint8Array, transport: Transport): Uint8Array | undefined {
    const reading = readQuery(octets);
    switch (reading.kind) {
      case "ignored":
        counters.ignored += 1;
        return undefined;
      case "faulty":
        count(transport, reading.fault.rcode);
        return writeFault(reading.fault);
      case "query": {
        const reply = replyTo(reading.query, transport);
        count(transport, reply.rcode);
        const written = writeReply(reply, roomFor(reading.query, transport, octets.length));
        if (isTruncated(written)) counters.truncated += 1;
        return written;
      }
    }
  }

  function count(transport: Transport, rcode: Rcode): void {
    counters.queries[transport] += 1;
    counters.replies.set(rcode, (counters.replies.get(rcode) ?? 0) + 1);
  }

  function replyTo(query: Query, transport: Transport): Reply {
    const { question, edns } = query;
    // RFC 6891 section 6.1.3: only version 0 is known; the rest of the query means who knows what.
    if (edns && edns.version > 0) return failure(query, transport, RCODE.BADVERS);
    const refusal = refuse(question.type, question.class, transport);
    if (refusal !== undefined) return failure(query, transport, refusal);
    return toReply(query, transport, answer(question, options));
  }

  function toReply(query: Query, transport: Transport, given: Answer): Reply {
    const whole = {
      ...failure(query, transport, RCODE.NOERROR),
      authoritative: query.question.class === CLASS_IN,
    };
    switch (given.kind) {
      case "records":
        return { ...whole, answers: given.records, additionals: given.additionals };
      case "nodata":
        return { ...whole, authority: [given.soa] };
      case "nxdomain":
        return { ...whole, rcode: RCODE.NXDOMAIN, authority: [given.soa] };
      case "servfail":
        return failure(query, transport, RCODE.SERVFAIL);
      case "elsewhere":
        return failure(query, transport, OUTSIDE[options.outside], EDE_NOT_AUTHORITATIVE);
    }
  }
}

const OUTSIDE: Readonly<Record<Outside, Rcode>> = {
  refused: RCODE.REFUSED,
  servfail: RCODE.SERVFAIL,
  nxdomain: RCODE.NXDOMAIN,
};

/** A reply that tells nothing but its rcode. */
function failure(query: Query, transport: Transport, rcode: Rcode, extendedError?: number): Reply {
  const { id, opcode, recursionDesired, checkingDisabled, question } = query;
  return {
    id,
    opcode,
    rcode,
    authoritative: false,
    recursionDesired,
    checkingDisabled,
    question,
    answers: [],
    authority: [],
    additionals: [],
    edns: ednsOf(query, transport, extendedError),
  };
}

/** RFC 6891 section 6.1.1: an OPT in every reply to a query that has one, and in no other. */
function ednsOf(
  { edns }: Query,
  transport: Transport,
  extendedError: number | undefined,
): EdnsReply | undefined {
  if (!edns) return undefined;
  // RFC 7828 section 3.2.2: only over TCP, and only to who asked; in units of 100 ms.
  const keepalive = transport === "tcp" && edns.wantsKeepalive ? TCP_IDLE_MS / 100 : undefined;
  return { udpSize: UDP_PAYLOAD_OCTETS, dnssecOk: edns.dnssecOk, extendedError, keepalive };
}

/** What is asked of a server in general and not of this one. */
function refuse(type: number, qclass: number, transport: Transport): Rcode | undefined {
  if (qclass !== CLASS_IN && qclass !== CLASS_ANY) return RCODE.REFUSED;
  switch (type) {
    case TYPE.OPT:
      return RCODE.FORMERR;
    case TYPE.AXFR:
      // RFC 5936 section 4.2: not defined over UDP.
      return transport === "udp" ? RCODE.FORMERR : RCODE.REFUSED;
    case TYPE.IXFR:
      return RCODE.REFUSED;
    default:
      // RFC 6895 section 3.1: 128 to 255 are no types of records but ask for something to be done.
      return type >= 128 && type < TYPE.ANY ? RCODE.NOTIMP : undefined;
  }
}

function roomFor({ edns }: Query, transport: Transport, queryOctets: number): Room {
  if (transport === "tcp") return { limit: TCP_OCTETS, additionalsLimit: TCP_OCTETS };
  // RFC 6891 section 6.2.3: less than 512 counts as 512.
  const limit = Math.min(Math.max(edns?.udpSize ?? PLAIN_UDP_OCTETS, PLAIN_UDP_OCTETS), UDP_PAYLOAD_OCTETS);
  return { limit, additionalsLimit: Math.min(limit, queryOctets * UDP_AMPLIFICATION) };
}

function isTruncated(reply: Uint8Array): boolean {
  return ((reply[2] ?? 0) & 0x02) !== 0;
}
