import * as fc from "fast-check";
import { expect, test } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { createTally } from "../../../src/dns/counters.ts";
import { createBook } from "../../../src/dns/ready/create-book.ts";
import { createTeacher, type Teacher } from "../../../src/dns/ready/teacher.ts";
import { createRespond, type Respond } from "../../../src/dns/respond.ts";
import { createRotation } from "../../../src/dns/rotation.ts";
import { createViewers } from "../../../src/dns/viewers.ts";
import type { Registry } from "../../../src/registry/registry.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { query } from "../../wire/query.ts";
import { served } from "../served.ts";
import { asked, CLIENTS, hex, repliesOf, SHAPES } from "./twin.ts";

test("a book answers what the plain path does, octet for octet, or leaves it to it", () => {
  const server = served(SHAPES, { random: Math.random });
  const { book, ask } = bookOn(server.registry);
  const said = { ready: 0, missing: 0, left: 0 };
  fc.assert(
    fc.property(asked, fc.constantFrom(...CLIENTS), (wanted, client) => {
      const octets = query(wanted);
      const expected = repliesOf(server, wanted, client);
      expect(expected, "taught").toContain(hex(ask(octets, client)));
      for (let times = 0; times < 3; times++) {
        const out = new Uint8Array(1232);
        const length = book.reply(octets, octets.length, client, out);
        const reply = hex(out.subarray(0, length));
        if (length > 0) expect(expected, `asked by ${client}`).toContain(reply);
        if (length === 0) said.left += 1;
        else if ((out[3] ?? 0) % 16 === 3) said.missing += 1;
        else said.ready += 1;
      }
    }),
    { numRuns: 4000 },
  );
  // What is left to the plain path are refusals, options, other classes and names that are nobody's.
  expect(said.ready).toBeGreaterThan(500);
  expect(said.missing).toBeGreaterThan(1000);
});

function bookOn(registry: Registry): {
  book: ReturnType<typeof createBook>;
  ask: (octets: Uint8Array, client: string) => Uint8Array | undefined;
  teacher: Teacher;
} {
  const viewers = createViewers({ registry, trusted: [], scope: "all" });
  const teacher = createTeacher({
    registry,
    rotation: createRotation(),
    nameServers: () => [parseAddress("127.0.0.1"), parseAddress("::1")],
    isRouted: () => false,
    viewers,
    isRecursive: false,
  });
  const respond: Respond = createRespond({
    answer: teacher.answer,
    outside: "refused",
    forwarder: undefined,
    viewers,
    idleMs: 10_000,
    counters: createTally(),
    log: silentLog,
  });
  const book = createBook(registry.pulse);
  return {
    book,
    teacher,
    ask(octets, client) {
      const { reply, mail } = teacher.teach(client, client, () => respond(octets, "udp", client));
      if (reply instanceof Promise) throw new Error("nobody is to be asked here");
      for (const one of mail) book.take(structuredClone(one));
      return reply;
    },
  };
}
