import { silentLog } from "../../../src/base/log.ts";
import { createTally, type Tally } from "../../../src/dns/counters.ts";
import { type Book, createBook } from "../../../src/dns/ready/book.ts";
import type { Mail } from "../../../src/dns/ready/mail.ts";
import { createShared, type Shared } from "../../../src/dns/ready/shared.ts";
import { createTeacher, type Teacher } from "../../../src/dns/ready/teacher.ts";
import { createRespond, type Respond } from "../../../src/dns/respond.ts";
import { createRotation } from "../../../src/dns/rotation.ts";
import { createViewers } from "../../../src/dns/viewers.ts";
import { parseAddress } from "../../../src/model/address.ts";
import type { Registry } from "../../../src/registry/registry.ts";

/** A book as another thread has it, and whom it is taught by. */
export interface Taught {
  readonly book: Book;
  readonly shared: Shared;
  /** Has the query answered by who has the registry, from whom the book learns; the reply, and what was told. */
  teach(
    octets: Uint8Array,
    client: string,
  ): { readonly reply: Uint8Array | undefined; readonly mail: readonly Mail[] };
  /** What the book answers by itself; undefined: nothing. */
  ask(octets: Uint8Array, client: string): Uint8Array | undefined;
}

/** Who has the registry. */
export interface Teaching {
  readonly shared: Shared;
  readonly teacher: Teacher;
  readonly respond: Respond;
  readonly counters: Tally;
}

export function teachingOn(registry: Registry): Teaching {
  const viewers = createViewers({ registry, trusted: [], scope: "all" });
  const shared = createShared(registry.pulse);
  const teacher = createTeacher({
    registry,
    shared,
    rotation: createRotation(),
    nameServers: () => [parseAddress("127.0.0.1"), parseAddress("::1")],
    isRouted: () => false,
    routed: [],
    viewers,
    isRecursive: false,
  });
  const counters = createTally();
  const respond = createRespond({
    answer: teacher.answer,
    outside: "refused",
    forwarder: undefined,
    viewers,
    idleMs: 10_000,
    counters,
    log: silentLog,
  });
  return { shared, teacher, respond, counters };
}

export function bookOn(registry: Registry): Taught {
  const { shared, teacher, respond } = teachingOn(registry);
  const book = createBook(shared);
  const out = new Uint8Array(1232);
  return {
    book,
    shared,
    teach(octets, client) {
      const key = book.knows(client) ? undefined : client;
      const { reply, mail } = teacher.teach(client, key, () => respond(octets, "udp", client));
      if (reply instanceof Promise) throw new Error("nobody is to be asked here");
      for (const one of mail) book.take(structuredClone(one));
      return { reply, mail };
    },
    ask(octets, client) {
      const length = book.reply(octets, octets.length, client, out);
      return length === 0 ? undefined : out.slice(0, length);
    },
  };
}
