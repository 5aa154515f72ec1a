import { UDP_PAYLOAD_OCTETS } from "../../wire/message.ts";
import type { Tally } from "../counters.ts";
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

/** As `respond`, but that what was asked before over UDP is answered from a book, of this thread. */
export function createQuick({ book, teacher, respond, counters }: QuickOptions): Respond {
  const out = Buffer.allocUnsafeSlow(UDP_PAYLOAD_OCTETS);

  return (octets, transport, client) => {
    if (transport !== "udp") return respond(octets, transport, client);
    const length = book.reply(octets, octets.length, client, out);
    if (length > 0) return counted(Buffer.from(out.subarray(0, length)));
    const key = book.knows(client) ? undefined : client;
    const { reply, mail } = teacher.teach(client, key, () => respond(octets, transport, client));
    for (const one of mail) book.take(one);
    return reply;
  };

  function counted(reply: Uint8Array): Uint8Array {
    const rcode = (reply[3] ?? 0) & 0x0f;
    counters.queries.udp += 1;
    counters.replies.set(rcode, (counters.replies.get(rcode) ?? 0) + 1);
    if (isCut(reply)) counters.truncated += 1;
    return reply;
  }
}
