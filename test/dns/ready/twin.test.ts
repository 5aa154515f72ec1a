import * as fc from "fast-check";
import { expect, test } from "vitest";
import { query } from "../../wire/query.ts";
import { served } from "../served.ts";
import { bookOn } from "./book-on.ts";
import { asked, CLIENTS, hex, repliesOf, repliesTo, SHAPES } from "./twin.ts";

test("a book answers what the plain path does, octet for octet, or leaves it to it", () => {
  const server = served(SHAPES, { random: Math.random });
  const { teach, ask } = bookOn(server.registry);
  const said = { ready: 0, missing: 0 };
  fc.assert(
    fc.property(asked, fc.constantFrom(...CLIENTS), (wanted, client) => {
      const octets = query(wanted);
      const expected = repliesOf(server, wanted, client);
      expect(expected, "taught").toContain(hex(teach(octets, client).reply));
      for (let times = 0; times < 3; times++) {
        const reply = ask(octets, client);
        if (!reply) continue;
        expect(expected, `asked by ${client}`).toContain(hex(reply));
        said[(reply[3] ?? 0) % 16 === 3 ? "missing" : "ready"] += 1;
      }
    }),
    { numRuns: 4000 },
  );
  // What is left to the plain path are refusals, options, other classes and names that are nobody's.
  expect(said.ready).toBeGreaterThan(500);
  expect(said.missing).toBeGreaterThan(1000);
});

test("whatever else is sent, it answers nothing that the plain path would not", () => {
  const server = served(SHAPES, { random: Math.random });
  const { teach, ask } = bookOn(server.registry);
  const [client] = CLIENTS;
  const spoilt = fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { minLength: 1, maxLength: 3 });
  let answered = 0;
  fc.assert(
    fc.property(asked, spoilt, fc.constantFrom(0, 0, 0, 0, 0, 1, 9), (wanted, spots, more) => {
      const octets = Buffer.concat([query(wanted), Buffer.alloc(more)]);
      teach(query(wanted), client);
      for (const [at, value] of spots) if (at < octets.length) octets[at] = value;
      const reply = ask(octets, client);
      if (!reply) return;
      answered += 1;
      expect(repliesTo(server, octets, client)).toContain(hex(reply));
    }),
    { numRuns: 3000 },
  );
  expect(answered).toBeGreaterThan(100);
});
