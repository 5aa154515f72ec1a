// A lane with a book that does as it is told: the first octet behind a query's header is the order. `cells` is
// a gate at which it can be held up: it counts who came in the first number, and goes on when the second is not 0.

import { runLane } from "../../../dist/dns/lanes/lane.js";

const FIRST = 12;

await runLane(({ cells }) => {
  let taken = 0;
  const reply = {
    /** The query, as a reply. */
    e: (query, length, _, out) => {
      out.set(query.subarray(0, length));
      out[2] |= 0x80;
      return length;
    },
    /** By TC and rcode 3. */
    n: (query, length, _, out) => {
      out.set(query.subarray(0, length));
      out[2] |= 0x82;
      out[3] |= 3;
      return length;
    },
    /** Who asks. */
    c: (query, _, client, out) => {
      const text = new TextEncoder().encode(JSON.stringify(client));
      out.set(query.subarray(0, FIRST));
      out.set(text, FIRST);
      return FIRST + text.length;
    },
    /** How much mail has come. */
    m: (query, _length, _client, out) => {
      out.set(query.subarray(0, FIRST));
      out[FIRST] = taken;
      return FIRST + 1;
    },
    /** Not before the gate is open. */
    s: (query, length, client, out) => {
      Atomics.add(cells, 0, 1);
      Atomics.notify(cells, 0);
      Atomics.wait(cells, 1, 0);
      return reply.e(query, length, client, out);
    },
    d: () => 0,
    /** Throws when the gate is open. */
    k: (...asked) => {
      reply.s(...asked);
      throw new Error("this book throws late");
    },
    t: () => {
      throw new Error("this book throws");
    },
    x: () => process.exit(7),
    l: () => {
      Atomics.add(cells, 0, 1);
      Atomics.notify(cells, 0);
      for (;;);
    },
  };
  return {
    reply: (query, length, client, out) =>
      reply[String.fromCharCode(query[FIRST])](query, length, client, out),
    knows: () => taken > 0,
    take: () => {
      taken += 1;
    },
  };
});
