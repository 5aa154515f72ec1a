import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createTally } from "../../src/dns/counters.ts";
import type { Respond } from "../../src/dns/respond.ts";
import { query } from "../wire/query.ts";
import { proxyHeader, SIX } from "./proxied.ts";
import { askUdp, connectTcp, framed, listen } from "./sockets.ts";

/** Says what it was asked, and by whom. */
interface Echo {
  readonly respond: Respond;
  readonly counters: ReturnType<typeof createTally>;
  /** As `udp 10.0.1.7`. */
  readonly clients: string[];
}

function echo(): Echo {
  const clients: string[] = [];
  return {
    clients,
    counters: createTally(),
    respond(octets, transport, client) {
      clients.push(`${transport} ${client}`);
      return octets;
    },
  };
}

const asked = query({ name: "web" });
const local = proxyHeader({ command: 0x20, family: 0, rest: Buffer.alloc(0) });

const portOf = ({ addresses }: Awaited<ReturnType<typeof listen>>): number => addresses[0]?.port ?? 0;
const proxied = (header: Uint8Array, octets: Uint8Array = asked): Uint8Array =>
  Buffer.concat([header, octets]);

test("without a proxy, who asks is whom the socket tells of", async () => {
  const server = echo();
  await using listeners = await listen(server);
  await askUdp(asked, portOf(listeners));
  const client = await connectTcp(portOf(listeners));
  client.send(framed(asked));
  await client.replies(1);
  client.socket.destroy();
  expect(server.clients).toEqual(["udp 127.0.0.1", "tcp 127.0.0.1"]);
  expect(listeners.addresses.map(({ isProxied }) => isProxied)).toEqual([false, false]);
});

describe("behind a proxy", () => {
  test("both listeners take the client from the header, and reply to the proxy", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy://127.0.0.1:0"]);
    expect(listeners.addresses.map(({ transport, isProxied }) => [transport, isProxied])).toEqual([
      ["udp", true],
      ["tcp", true],
    ]);
    const { octets } = await askUdp(proxied(proxyHeader()), portOf(listeners));
    expect(octets).toEqual(Buffer.from(asked));
    const client = await connectTcp(portOf(listeners));
    client.send(proxied(proxyHeader({ family: 0x21, rest: SIX }), framed(asked)));
    expect(await client.replies(1)).toEqual([Buffer.from(asked)]);
    client.send(framed(asked)); // the header is for the whole connection
    expect(await client.replies(1)).toEqual([Buffer.from(asked)]);
    client.socket.destroy();
    expect(server.clients).toEqual(["udp 10.0.1.7", "tcp fd00::7", "tcp fd00::7"]);
    expect(server.counters.unproxied).toBe(0);
  });

  test("a proxy that asks for itself is the client", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy://127.0.0.1:0"]);
    await askUdp(proxied(local), portOf(listeners));
    const client = await connectTcp(portOf(listeners));
    client.send(proxied(local, framed(asked)));
    await client.replies(1);
    client.socket.destroy();
    expect(server.clients).toEqual(["udp 127.0.0.1", "tcp 127.0.0.1"]);
  });

  test("a datagram without a whole header is dropped, and counted", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy+udp://127.0.0.1:0"]);
    const wrong = [asked, proxyHeader().subarray(0, -1), proxyHeader({ command: 0x31 }), Buffer.alloc(0)];
    // What arrives first is read first: the replies to good ones, one behind each, say that it was.
    const socket = createSocket("udp4");
    for (const [before, octets] of wrong.entries()) {
      const good = query({ name: "web", id: before });
      socket.send(octets, portOf(listeners), "127.0.0.1");
      socket.send(proxied(proxyHeader(), good), portOf(listeners), "127.0.0.1");
      const [reply]: unknown[] = await once(socket, "message");
      expect(reply).toEqual(Buffer.from(good));
    }
    socket.close();
    expect(server.counters.unproxied).toBe(wrong.length);
    expect(server.clients).toHaveLength(wrong.length);
  });

  test("a header over TCP may come an octet at a time, with the query at once behind it", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy+tcp://127.0.0.1:0"]);
    const client = await connectTcp(portOf(listeners));
    client.socket.setNoDelay(true);
    const octets = proxied(proxyHeader(), framed(asked));
    for (const octet of octets.subarray(0, -10)) {
      await new Promise((resolve) => {
        client.socket.write(Uint8Array.of(octet), resolve);
      });
    }
    client.socket.end(octets.subarray(-10));
    expect(await client.replies(1)).toEqual([Buffer.from(asked)]);
    await client.closed;
    expect(server.clients).toEqual(["tcp 10.0.1.7"]);
  });

  test.each([
    ["that begins with a query", framed(asked)],
    ["of version 1, in text", Buffer.from("PROXY TCP4 10.0.1.7 10.0.0.53 40000 53\r\n")],
    ["whose header is too long", proxyHeader({ length: 4097 })],
    ["whose header is wrong in what has come of it", proxyHeader({ command: 0x31 }).subarray(0, 13)],
  ])("a connection %s is closed, and counted", async (_, octets) => {
    const server = echo();
    await using listeners = await listen(server, ["proxy+tcp://127.0.0.1:0"]);
    const client = await connectTcp(portOf(listeners));
    client.send(octets);
    await client.closed;
    expect(server.counters.unproxied).toBe(1);
    expect(server.clients).toEqual([]);
  });

  test("a connection that ends within its header is counted; one that says nothing only ends", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy+tcp://127.0.0.1:0"]);
    const looking = await connectTcp(portOf(listeners));
    looking.socket.end();
    await looking.closed;
    expect(server.counters.unproxied).toBe(0);
    const cut = await connectTcp(portOf(listeners));
    cut.socket.end(proxyHeader().subarray(0, 20));
    await cut.closed;
    expect(server.counters.unproxied).toBe(1);
  });

  test("a connection whose header does not come is closed after the idle time", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy+tcp://127.0.0.1:0"], { idleMs: 200 });
    const client = await connectTcp(portOf(listeners));
    const header = proxyHeader({ rest: Buffer.alloc(4096) });
    let sent = 0;
    const drip = setInterval(() => client.socket.write(header.subarray(sent, ++sent)), 20);
    await client.closed;
    clearInterval(drip);
    expect(server.counters.connections).toMatchObject({ open: 0, total: 1, expired: 1 });
  });

  test("a client that resets within its header harms nobody", async () => {
    const server = echo();
    await using listeners = await listen(server, ["proxy+tcp://127.0.0.1:0"]);
    const rude = await connectTcp(portOf(listeners));
    rude.send(proxyHeader().subarray(0, 5));
    rude.socket.resetAndDestroy();
    await rude.closed;
    const client = await connectTcp(portOf(listeners));
    client.send(proxied(proxyHeader(), framed(asked)));
    expect(await client.replies(1)).toHaveLength(1);
    client.socket.destroy();
  });
});

test("a header is garbage where none is asked for", async () => {
  const server = echo();
  await using listeners = await listen(server, ["udp://127.0.0.1:0"]);
  const octets = proxied(proxyHeader());
  expect((await askUdp(octets, portOf(listeners))).octets).toEqual(Buffer.from(octets));
  expect(server.clients).toEqual(["udp 127.0.0.1"]);
});
