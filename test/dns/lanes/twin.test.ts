import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { isIPv6 } from "node:net";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { type Counters, countersOf } from "../../../src/dns/counters.ts";
import { chooseLanes } from "../../../src/dns/lanes/choose.ts";
import type { Teach } from "../../../src/dns/lanes/detours.ts";
import { parseListen } from "../../../src/dns/listen.ts";
import { type Listeners, openListeners } from "../../../src/dns/listeners.ts";
import { createBook } from "../../../src/dns/ready/book.ts";
import { createQuick } from "../../../src/dns/ready/quick.ts";
import { CONNECTION_LIMITS } from "../../../src/dns/tcp.ts";
import type { Registry } from "../../../src/registry/registry.ts";
import { type Asked, query } from "../../wire/query.ts";
import { teachingOn } from "../ready/book-on.ts";
import { asked, CLIENTS, hex, repliesTo, SHAPES } from "../ready/twin.ts";
import { served } from "../served.ts";
import { WAYS, type Way } from "../sockets.ts";

// What a book alone is held to (../ready/twin.test.ts), with threads, sockets and the kernel around it.
const QUESTIONS = 1200;
/** The first is taught to the lane, which the second may overtake: the reply leaves before it. The third finds it taught. */
const TIMES = 3;

/** Most as a book may know them, so that there is something to be seen of lanes. */
const mostlyUsual = fc.oneof({ weight: 4, arbitrary: asked.map(usual) }, { weight: 1, arbitrary: asked });

function usual(wanted: Asked): Asked {
  const { opt } = wanted;
  return { ...wanted, class: 1, opt: opt && { ...opt, version: 0, options: [] } };
}

describe.each(WAYS)("over %s", (way) => {
  test("comes what the plain path answers, octet for octet", async () => {
    const plain = served(SHAPES, { random: Math.random });
    const { listeners, counters } = await answering(plain.registry, way);
    await using listening = listeners;
    await using clients = await openClients(listening.addresses);
    let [questions, ours, byItself] = [0, 0, 0];
    await fc.assert(
      fc.asyncProperty(mostlyUsual, fc.constantFrom(...CLIENTS), async (wanted, client) => {
        const octets = query(wanted);
        const expected = repliesTo(plain, octets, client);
        let [detours, reply] = [0, ""];
        for (let times = 1; times <= TIMES; times++) {
          detours = counters.lanes.detours;
          reply = hex(await clients.ask(octets, client));
          expect(expected, `asked by ${client}, ${times}`).toContain(reply);
        }
        questions += 1;
        if (!isAuthoritative(reply)) return;
        ours += 1;
        if (counters.lanes.detours === detours) byItself += 1;
      }),
      { numRuns: QUESTIONS },
    );
    expect(counters).toMatchObject({
      queries: { udp: questions * TIMES, tcp: 0 },
      ignored: 0,
      unsent: 0,
      defects: 0,
      lanes: { count: way === "lanes" ? 1 : 0, replaced: 0, dropped: 0 },
    });
    expect([...counters.replies.values()].reduce((sum, each) => sum + each)).toBe(questions * TIMES);
    expect(ours).toBeGreaterThan(questions / 2);
    // The rest are options, other classes, names that nobody has behind a network's, and those of the zone itself.
    expect(byItself).toBeGreaterThan(ours / 2);
  });
});

/** AA, in hexadecimal: refusals and faults are left to the plain path. */
function isAuthoritative(reply: string): boolean {
  return (Number.parseInt(reply.slice(4, 6), 16) & 0x04) !== 0;
}

/** Real sockets, and what answers behind them as `startRota` puts it together, in front of this registry. */
async function answering(
  registry: Registry,
  way: Way,
): Promise<{ readonly listeners: Listeners; readonly counters: Counters }> {
  const { shared, teacher, respond: plain, counters } = teachingOn(registry);
  const teach: Teach = (octets, client, key) =>
    teacher.teach(client, key, () => plain(octets, "udp", client));
  const choice = await chooseLanes(way === "lanes" ? 1 : 0);
  const listeners = await openListeners(["udp://127.0.0.1:0", "udp://[::1]:0"].map(parseListen), {
    respond: createQuick({ book: createBook(shared), teacher, respond: plain, counters }),
    counters,
    limits: CONNECTION_LIMITS,
    lanes: choice.kind === "lanes" ? { ...choice, shared, teach } : undefined,
    log: silentLog,
  });
  return { listeners, counters: countersOf(counters) };
}

interface Clients extends AsyncDisposable {
  ask(octets: Uint8Array, client: string): Promise<Uint8Array>;
}

/** A socket at each address that asks, for as long as the test. */
async function openClients(servers: Listeners["addresses"]): Promise<Clients> {
  const sockets = new Map<string, Socket>();
  for (const client of new Set<string>(CLIENTS)) {
    const socket = createSocket(isIPv6(client) ? "udp6" : "udp4");
    socket.bind(0, client);
    await once(socket, "listening");
    const server = servers.find(({ address }) => isIPv6(address) === isIPv6(client));
    socket.connect(server?.port ?? 0, server?.address);
    await once(socket, "connect");
    sockets.set(client, socket);
  }
  return {
    async ask(octets, client) {
      const socket = sockets.get(client);
      if (!socket) throw new Error(`nobody asks from ${client}`);
      const replied = once(socket, "message", { signal: AbortSignal.timeout(5000) });
      socket.send(octets);
      const [reply] = await replied;
      return reply;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.values()) socket.close();
    },
  };
}
