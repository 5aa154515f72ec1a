import { type EdnsReply, type Query, RCODE, UDP_PAYLOAD_OCTETS } from "../../wire/message.ts";
import { OctetWriter } from "../../wire/octet-writer.ts";
import { writeOpt } from "../../wire/opt.ts";
import { flagsOf, RA_BIT } from "../../wire/writer.ts";
import type { Kept } from "./kept.ts";

/** RFC 8767 section 4: "30 seconds" for the TTL of a stale record. */
const STALE_TTL_SECONDS = 30;
/** RFC 8914 section 4.4. */
const EDE_STALE = 3;
/** RFC 8914 section 4.14. */
const EDE_CACHED_ERROR = 13;
/** RFC 8914 section 4.20. */
const EDE_STALE_NXDOMAIN = 19;

/** RFC 4035 section 3.2.3. */
const AD_BIT = 0x0020;

const out = new OctetWriter();

/** The reply to `query` after `age` seconds, less than the answer's lifetime. */
export function tailorFresh(kept: Kept, query: Query, age: number): Uint8Array {
  begin(kept, query);
  const start = out.at - kept.records.length;
  for (const at of kept.ttlsAt) setTtl(start + at, ttlAt(kept.records, at) - age);
  return finish(query, kept, kept.extendedError);
}

/** The reply to `query` when the answer's time is over and nobody has a newer one. */
export function tailorStale(kept: Kept, query: Query): Uint8Array {
  begin(kept, query);
  const start = out.at - kept.records.length;
  for (const at of kept.ttlsAt) setTtl(start + at, STALE_TTL_SECONDS);
  return finish(query, kept, kept.rcode === RCODE.NXDOMAIN ? EDE_STALE_NXDOMAIN : EDE_STALE);
}

/** The reply to `query` while upstream is left alone, since it has just failed. */
export function tailorFailure(query: Query): Uint8Array {
  begin(FAILURE, query);
  return finish(query, FAILURE, EDE_CACHED_ERROR);
}

type Outline = Pick<Kept, "rcode" | "isAuthentic" | "answers" | "authority" | "additionals" | "records">;

const FAILURE: Outline = {
  rcode: RCODE.SERVFAIL,
  isAuthentic: false,
  answers: 0,
  authority: 0,
  additionals: 0,
  records: "",
};

/** The question as this client asked it, and the records: as long as it was, so that pointers still lead there. */
function begin({ records }: Outline, { question }: Query): void {
  out.start(question);
  out.latin1(records);
}

/** AA stays 0: what is kept is no authority's word any more (RFC 1035 section 4.1.1). */
function finish(query: Query, outline: Outline, extendedError: number | undefined): Uint8Array {
  const { rcode, isAuthentic, answers, authority, additionals } = outline;
  const edns = ednsOf(query, extendedError);
  if (edns !== undefined) writeOpt(out, edns, rcode);
  const { opcode, recursionDesired, checkingDisabled } = query;
  const flags = flagsOf({ opcode, recursionDesired, checkingDisabled, rcode });
  out.setPair(0, query.id);
  // RFC 1035 section 4.1.1: whoever forwards has recursion to offer.
  out.setPair(2, flags | RA_BIT | (isAuthentic ? AD_BIT : 0));
  out.setPair(4, 1);
  out.setPair(6, answers);
  out.setPair(8, authority);
  out.setPair(10, additionals + (edns === undefined ? 0 : 1));
  return out.finish();
}

/** RFC 6891 section 6.1.1: an OPT in every reply to a query that has one, and in no other. */
function ednsOf({ edns }: Query, extendedError: number | undefined): EdnsReply | undefined {
  if (edns === undefined) return undefined;
  return {
    udpSize: UDP_PAYLOAD_OCTETS,
    dnssecOk: edns.dnssecOk,
    extendedError,
    keepalive: undefined,
    clientSubnet: undefined, // what is kept is for everybody; `fitReply` adds whom this one is for
  };
}

function setTtl(at: number, seconds: number): void {
  out.setPair(at, seconds >>> 16);
  out.setPair(at + 2, seconds);
}

/** At most {@link MAX_TTL_SECONDS}, so the sign bit is never set. */
function ttlAt(records: string, at: number): number {
  const pair = (from: number): number => (records.charCodeAt(from) << 8) | records.charCodeAt(from + 1);
  return (pair(at) << 16) | pair(at + 2);
}
