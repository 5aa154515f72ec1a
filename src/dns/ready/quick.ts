import { UDP_PAYLOAD_OCTETS } from "../../wire/message.ts";
import { countReply, type Tally } from "../counters.ts";
import { isCut } from "../forward/fit.ts";
import type { Respond } from "../respond.ts";
import type { Book } from "./book.ts";
import type { Teacher } from "./teacher.ts";

export interface QuickOptions {
  readonly book: Book;
  readonly teacher: Teacher;
  readonly respond: Respond;
  readonly counters: Tally;
}

/** Memory for replies, taken piece by piece: Node's own pool is gone after 18 of 25 addresses. */
const SLAB_OCTETS = 64 * 1024;

/** As `respond`, but that what was asked before over UDP is answered from a book, of this thread. */
export function createQuick({ book, teacher, respond, counters }: QuickOptions): Respond {
  let slab = Buffer.allocUnsafeSlow(SLAB_OCTETS);
  let out = slab.subarray(0, UDP_PAYLOAD_OCTETS);

  return (octets, transport, client) => {
    if (transport !== "udp") return respond(octets, transport, client);
    const length = book.reply(octets, octets.length, client, out);
    if (length > 0) return counted(take(length));
    const key = book.knows(client) ? undefined : client;
    const { reply, mail } = teacher.teach(client, key, () => respond(octets, transport, client));
    for (const one of mail) book.take(one);
    return reply;
  };

  /** What has just been written, which is the caller's now: what is written next stands behind it. */
  function take(length: number): Uint8Array {
    const reply = out.subarray(0, length);
    const next = out.byteOffset + length;
    if (next + UDP_PAYLOAD_OCTETS > SLAB_OCTETS) slab = Buffer.allocUnsafeSlow(SLAB_OCTETS);
    const start = slab.buffer === out.buffer ? next : 0;
    out = slab.subarray(start, start + UDP_PAYLOAD_OCTETS);
    return reply;
  }

  function counted(reply: Uint8Array): Uint8Array {
    countReply(counters, "udp", (reply[3] ?? 0) & 0x0f);
    if (isCut(reply)) counters.truncated += 1;
    return reply;
  }
}
