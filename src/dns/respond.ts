import { messageOf } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import type { View } from "../model/view.ts";
import {
  type ClientSubnet,
  type EdnsQuery,
  type EdnsReply,
  MAX_MESSAGE_OCTETS,
  PLAIN_UDP_OCTETS,
  type Query,
  type Question,
  RCODE,
  type Rcode,
  type Reply,
  type Room,
  UDP_AMPLIFICATION,
  UDP_PAYLOAD_OCTETS,
  udpLimitOf,
} from "../wire/message.ts";
import { readQuery } from "../wire/reader.ts";
import { CLASS_IN, TYPE } from "../wire/record.ts";
import { writeFault, writeReply } from "../wire/writer.ts";
import { countReply, type Tally, type Transport } from "./counters.ts";
import { fitReply, isCut } from "./forward/fit.ts";
import type { Forwarded, Forwarder } from "./forward/forwarder.ts";
import type { Answer } from "./kinds.ts";
import type { Viewers } from "./viewers.ts";

/**
 * Octets in, octets out: undefined where silence is the answer. At once, unless somebody else must be asked. Never
 * throws, and never rejects; `octets` must not be overwritten before the reply is there. `client` is the address of
 * who asks, as {@link Viewers} takes it.
 */
export type Respond = (
  octets: Uint8Array,
  transport: Transport,
  client: string,
) => Uint8Array | undefined | Promise<Uint8Array>;

export const OUTSIDES = ["refused", "servfail", "nxdomain"] as const;

/** What a name that is not ours gets. */
export type Outside = (typeof OUTSIDES)[number];

export interface RespondOptions {
  /** What is answered to a question of class IN, or ANY, by who sees this. */
  readonly answer: (question: Question, view: View) => Answer;
  /** For names that nobody is asked for. */
  readonly outside: Outside;
  /** Undefined: nobody is asked for any name. */
  readonly forwarder: Forwarder | undefined;
  readonly viewers: Viewers;
  /** Milliseconds for which a TCP connection is kept that asks nothing. */
  readonly idleMs: number;
  readonly counters: Tally;
  readonly log: Log;
}

const CLASS_ANY = 255;
/** RFC 8914 section 4.15. */
const EDE_NOT_READY = 14;
/** RFC 8914 section 4.21. */
const EDE_NOT_AUTHORITATIVE = 20;
/** RFC 8914 section 4.23. */
const EDE_NO_REACHABLE_AUTHORITY = 22;

/** Who asks, and by what. */
interface Asker {
  readonly transport: Transport;
  readonly client: string;
  /** Where those are, as it says, whom it asks for; undefined as well if its word does not count. */
  readonly subnet: EdnsQuery["clientSubnet"];
}

type OwnAnswer = Exclude<Answer, { readonly kind: "elsewhere" }>;

const OUTSIDE_RCODE: Readonly<Record<Outside, Rcode>> = {
  refused: RCODE.REFUSED,
  servfail: RCODE.SERVFAIL,
  nxdomain: RCODE.NXDOMAIN,
};

export function createRespond(options: RespondOptions): Respond {
  const { answer, counters, log, outside, forwarder, viewers, idleMs } = options;

  return (octets, transport, client) => {
    const reading = readQuery(octets);
    switch (reading.kind) {
      case "ignored":
        counters.ignored += 1;
        return undefined;
      case "faulty":
        countReply(counters, transport, reading.fault.rcode);
        return writeFault(reading.fault);
      case "query":
        return respond(reading.query, transport, client, octets.length);
    }
  };

  function respond(
    query: Query,
    transport: Transport,
    client: string,
    queryOctets: number,
  ): Uint8Array | Promise<Uint8Array> {
    const room = roomFor(query, transport, queryOctets);
    try {
      const asker = { transport, client, subnet: believed(query, client) };
      const reply = replyTo(query, asker);
      if (reply !== "elsewhere") return write(reply, transport, room);
      const forwarded = forwarder?.forward(query) ?? { kind: "none" };
      if (!(forwarded instanceof Promise)) return pass(forwarded, query, asker, room);
      return forwarded
        .then((came) => pass(came, query, asker, room))
        .catch((error: unknown) => excuse(error, query, transport, room));
    } catch (error) {
      return excuse(error, query, transport, room);
    }
  }

  /** Whoever asks must not be able to end the process, whatever we did wrong. */
  function excuse(error: unknown, query: Query, transport: Transport, room: Room): Uint8Array {
    counters.defects += 1;
    log.error({ err: error }, `a query could not be answered: ${messageOf(error)}`);
    const asker = { transport, client: "", subnet: undefined };
    return write(failure(query, asker, RCODE.SERVFAIL), transport, room);
  }

  /** Whoever may say for whom it asks sees what it likes: so only those whom the operator trusts are heard. */
  function believed({ edns }: Query, client: string): Asker["subnet"] {
    return edns?.clientSubnet !== undefined && viewers.trusts(client) ? edns.clientSubnet : undefined;
  }

  /** What came of asking others. */
  function pass(forwarded: Forwarded, query: Query, asker: Asker, room: Room): Uint8Array {
    const { transport } = asker;
    switch (forwarded.kind) {
      case "reply":
        // That the name is not ours depends on the view: to others it may be a service.
        return counted(fitReply(forwarded.octets, query, room.limit, understood(asker)), transport);
      case "nobody":
        return write(failure(query, asker, RCODE.SERVFAIL, EDE_NO_REACHABLE_AUTHORITY), transport, room);
      case "full":
        return write(failure(query, asker, RCODE.REFUSED), transport, room);
      case "none":
        return write(failure(query, asker, OUTSIDE_RCODE[outside], EDE_NOT_AUTHORITATIVE), transport, room);
    }
  }

  function write(reply: Reply, transport: Transport, room: Room): Uint8Array {
    return counted(writeReply(reply, room), transport, reply.rcode);
  }

  function counted(reply: Uint8Array, transport: Transport, rcode = (reply[3] ?? 0) & 0x0f): Uint8Array {
    countReply(counters, transport, rcode);
    if (isCut(reply)) counters.truncated += 1;
    return reply;
  }

  function replyTo(query: Query, asker: Asker): Reply | "elsewhere" {
    const { question, edns } = query;
    // RFC 6891 section 6.1.3: only version 0 is known; the rest of the query means who knows what.
    if (edns && edns.version > 0) return failure(query, asker, RCODE.BADVERS);
    // RFC 7871 section 7.2.1: what is wrongly formatted is FORMERR.
    if (asker.subnet === "malformed") return failure(query, asker, RCODE.FORMERR);
    const refusal = refuse(question.type, question.class, asker.transport);
    if (refusal !== undefined) return failure(query, asker, refusal);
    const given = answer(question, viewers.viewOf(asker.client, asker.subnet));
    if (given.kind !== "elsewhere") return toReply(query, asker, given);
    // What class ANY asks of others is not said anywhere.
    if (question.class === CLASS_IN) return "elsewhere";
    return failure(query, asker, OUTSIDE_RCODE[outside], EDE_NOT_AUTHORITATIVE);
  }

  function toReply(query: Query, asker: Asker, given: OwnAnswer): Reply {
    const authoritative = query.question.class === CLASS_IN;
    const whole = { ...failure(query, asker, RCODE.NOERROR), authoritative };
    switch (given.kind) {
      case "records":
        return { ...whole, answers: given.records, additionals: given.additionals };
      case "nodata":
        return { ...whole, authority: [given.soa] };
      case "nxdomain":
        return { ...whole, rcode: RCODE.NXDOMAIN, authority: [given.soa] };
      case "servfail":
        return failure(query, asker, RCODE.SERVFAIL, given.isNotReady ? EDE_NOT_READY : undefined);
    }
  }

  /** A reply that tells nothing but its rcode. */
  function failure(query: Query, asker: Asker, rcode: Rcode, extendedError?: number): Reply {
    const { id, opcode, recursionDesired, checkingDisabled, question } = query;
    return {
      id,
      opcode,
      rcode,
      authoritative: false,
      recursionDesired,
      // RFC 1035 section 4.1.1: "denotes whether recursive query support is available in the name server", in any reply.
      recursionAvailable: forwarder !== undefined,
      checkingDisabled,
      question,
      answers: [],
      authority: [],
      additionals: [],
      edns: ednsOf(query, asker, extendedError),
    };
  }

  /** RFC 6891 section 6.1.1: an OPT in every reply to a query that has one, and in no other. */
  function ednsOf({ edns }: Query, asker: Asker, extendedError: number | undefined): EdnsReply | undefined {
    if (!edns) return undefined;
    // RFC 7828 section 3.2.2: only over TCP, and only to who asked; 16 bits of units of 100 ms.
    const keepalive =
      asker.transport === "tcp" && edns.wantsKeepalive
        ? Math.min(Math.floor(idleMs / 100), 65_535)
        : undefined;
    // RFC 7871 section 7.2.1: in every reply to who is heard, or its cache would give this one to others.
    const clientSubnet = understood(asker);
    return { udpSize: UDP_PAYLOAD_OCTETS, dnssecOk: edns.dnssecOk, extendedError, keepalive, clientSubnet };
  }
}

function understood({ subnet }: Asker): ClientSubnet | undefined {
  return subnet === "malformed" ? undefined : subnet;
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
  if (transport === "tcp") return { limit: MAX_MESSAGE_OCTETS, additionalsLimit: MAX_MESSAGE_OCTETS };
  const limit = udpLimitOf(edns?.udpSize ?? PLAIN_UDP_OCTETS);
  return { limit, additionalsLimit: Math.min(limit, queryOctets * UDP_AMPLIFICATION) };
}
