import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { describe, expect, test } from "vitest";
import { readReply } from "../../src/ask/reply.ts";
import { countersOf } from "../../src/dns/counters.ts";
import { parseListen } from "../../src/dns/listen.ts";
import { testNeeding } from "../needing.ts";
import { query } from "../wire/query.ts";
import { type Served, served } from "./served.ts";
import { askUdp, connectTcp, framed, listen, WAYS } from "./sockets.ts";

const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);

function web(): Served {
  const crowd = Array.from({ length: 250 }, (_, at) => `192.0.2.${at + 1}`);
  return served({
    services: {
      web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.1"] },
      crowd: { endpoint_mode: "dnsrr", tasks: crowd },
    },
  });
}

const asked = query({ name: "web" });

describe("what --listen takes", () => {
  test.each([
    ["127.0.0.1:5300", { transports: ["udp", "tcp"], address: "127.0.0.1", port: 5300, isProxied: false }],
    ["udp://0.0.0.0:53", { transports: ["udp"], address: "0.0.0.0", port: 53, isProxied: false }],
    ["tcp://[::1]:0", { transports: ["tcp"], address: "::1", port: 0, isProxied: false }],
    ["proxy://[::1]:53", { transports: ["udp", "tcp"], address: "::1", port: 53, isProxied: true }],
    ["proxy+udp://10.0.0.2:53", { transports: ["udp"], address: "10.0.0.2", port: 53, isProxied: true }],
    ["proxy+tcp://10.0.0.2:53", { transports: ["tcp"], address: "10.0.0.2", port: 53, isProxied: true }],
  ])("%s", (text, spec) => {
    expect(parseListen(text)).toEqual(spec);
  });

  test.each([
    ["127.0.0.1", 'could not listen on "127.0.0.1": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53'],
    ["::1:53", 'could not listen on "::1:53": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53'],
    [
      "localhost:53",
      'could not listen on "localhost:53": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53',
    ],
    [
      "127.0.0.1:70000",
      'could not listen on "127.0.0.1:70000": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53',
    ],
    [
      "tls://127.0.0.1:853",
      'could not listen on "tls://127.0.0.1:853": write udp://, tcp:// or nothing in front of ADDRESS:PORT, or proxy+udp://, proxy+tcp:// or proxy:// for what has a PROXY header',
    ],
    ["tcp+proxy://127.0.0.1:53", 'could not listen on "tcp+proxy://127.0.0.1:53": write udp://'],
    ["proxy://127.0.0.1", 'could not listen on "proxy://127.0.0.1": write it as 127.0.0.1:5300'],
    ["", 'could not listen on "": write it as 127.0.0.1:5300, [::1]:5300 or 0.0.0.0:53'],
  ])('not "%s"', (text, message) => {
    expect(() => parseListen(text)).toThrow(message);
  });
});

describe.each(WAYS)("a listener over %s", (way) => {
  test("answers over UDP and TCP on one port, several at once", async () => {
    const server = web();
    await using listeners = await listen(
      server,
      ["127.0.0.1:0", "127.0.0.2:0", ...(hasIpv6 ? ["[::1]:0"] : [])],
      {},
      way,
    );
    for (const { transport, address, port } of listeners.addresses) {
      if (transport === "udp") {
        const { octets, from } = await askUdp(asked, port, address);
        expect(readReply(octets).answers).toHaveLength(1);
        expect(from).toBe(address);
        continue;
      }
      const client = await connectTcp(port, address);
      client.send(framed(asked));
      const [reply] = await client.replies(1);
      expect(readReply(reply ?? Buffer.alloc(0)).answers).toHaveLength(1);
      client.socket.destroy();
    }
    const ports = new Set(listeners.addresses.map(({ address, port }) => `${address} ${port}`));
    expect(ports.size).toBe(listeners.addresses.length / 2);
  });

  test("on a wildcard replies from the address that was asked", async () => {
    await using listeners = await listen(web(), ["0.0.0.0:0"], {}, way);
    const udp = listeners.addresses.filter(({ transport }) => transport === "udp");
    const own = Object.values(networkInterfaces()).flatMap((all = []) =>
      all.filter(({ family }) => family === "IPv4"),
    );
    expect(udp.map(({ address }) => address).toSorted()).toEqual(
      own.map(({ address }) => address).toSorted(),
    );
    expect(new Set(listeners.addresses.map(({ port }) => port)).size).toBe(1);
    const { port = 0 } = udp[0] ?? {};
    expect((await askUdp(asked, port, "127.0.0.1")).from).toBe("127.0.0.1");
  });

  test("leaves nothing open when it is disposed of", async () => {
    const listeners = await listen(web(), undefined, {}, way);
    const port = listeners.addresses[0]?.port ?? 0;
    const client = await connectTcp(port);
    await listeners[Symbol.asyncDispose]();
    await client.closed;
    expect(listeners.addresses).toEqual([]);
    await using again = await listen(web(), [`127.0.0.1:${port}`], {}, way);
    expect(again.addresses).toHaveLength(2);
  });

  test("goes on after garbage over UDP", async () => {
    const server = web();
    await using listeners = await listen(server, undefined, {}, way);
    const port = listeners.addresses[0]?.port ?? 0;
    const socket = createSocket("udp4");
    for (const octets of [
      Buffer.alloc(0),
      Buffer.alloc(1),
      Buffer.alloc(11, 255),
      Buffer.alloc(65_000, 192),
    ]) {
      await new Promise((resolve) => {
        socket.send(octets, port, "127.0.0.1", resolve);
      });
    }
    socket.close();
    expect(readReply((await askUdp(asked, port)).octets).answers).toHaveLength(1);
    expect(countersOf(server.counters).ignored).toBe(4);
    expect(server.counters.defects).toBe(0);
  });
});

const FROM_PORT_0 = `
  socket(my $raw, PF_INET, SOCK_RAW, 17) or die $!;
  my ($port, $hex) = @ARGV;
  my $query = pack("H*", $hex);
  send($raw, pack("n4", 0, $port, 8 + length $query, 0) . $query, 0, pack_sockaddr_in(0, inet_aton("127.0.0.1"))) or die $!;
`;

for (const way of WAYS)
  testNeeding({ root: true, programs: ["perl"] })(
    `a query from port 0, to which nothing can be sent, is counted and harms nobody over ${way}`,
    async () => {
      const server = web();
      await using listeners = await listen(server, undefined, {}, way);
      const port = listeners.addresses[0]?.port ?? 0;
      execFileSync("perl", ["-MSocket", "-e", FROM_PORT_0, `${port}`, Buffer.from(asked).toString("hex")]);
      expect(readReply((await askUdp(asked, port)).octets).answers).toHaveLength(1);
      expect(countersOf(server.counters).unsent).toBe(1);
    },
  );

describe("a TCP connection", () => {
  test("takes 100 queries before it gives the first reply, and answers all", async () => {
    await using listeners = await listen(web(), ["tcp://127.0.0.1:0"]);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    const queries = Array.from({ length: 100 }, (_, id) => framed(query({ name: "web", id })));
    client.send(Buffer.concat(queries));
    const replies = await client.replies(100);
    expect(replies.map((reply) => reply.readUInt16BE(0))).toEqual(Array.from({ length: 100 }, (_, id) => id));
    client.socket.destroy();
  });

  test("puts a query together that comes an octet at a time", async () => {
    await using listeners = await listen(web(), ["tcp://127.0.0.1:0"]);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.socket.setNoDelay(true);
    for (const octet of framed(asked)) {
      await new Promise((resolve) => {
        client.socket.write(Uint8Array.of(octet), resolve);
      });
    }
    expect(await client.replies(1)).toHaveLength(1);
    client.socket.destroy();
  });

  test("answers what was asked before the client ended its side", async () => {
    await using listeners = await listen(web(), ["tcp://127.0.0.1:0"]);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.socket.end(framed(asked));
    expect(await client.replies(1)).toHaveLength(1);
    await client.closed;
  });

  test("is closed after its idle time, which octets that are no query do not put off", async () => {
    const server = web();
    await using listeners = await listen(server, ["tcp://127.0.0.1:0"], { idleMs: 200 });
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    const drip = setInterval(() => client.socket.write(Uint8Array.of(255)), 20);
    await client.closed;
    clearInterval(drip);
    expect(server.counters.connections).toMatchObject({ open: 0, total: 1, expired: 1 });
  });

  test("makes way, if it is the one idle for longest, when there are too many", async () => {
    const server = web();
    await using listeners = await listen(server, ["tcp://127.0.0.1:0"], { maxConnections: 2 });
    const port = listeners.addresses[0]?.port ?? 0;
    const [first, second] = [await connectTcp(port), await connectTcp(port)];
    second.send(framed(asked));
    await second.replies(1);
    first.send(framed(asked));
    await first.replies(1);
    const third = await connectTcp(port);
    await second.closed;
    for (const client of [first, third]) {
      client.send(framed(asked));
      expect(await client.replies(1)).toHaveLength(1);
      client.socket.destroy();
    }
    expect(server.counters.connections).toMatchObject({ total: 3, evicted: 1 });
  });

  test("is not read further while its client does not read, and goes on when it does", async () => {
    const server = web();
    await using listeners = await listen(server, ["tcp://127.0.0.1:0"]);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.socket.pause();
    const count = 20_000; // times 4 KB: far more than the sockets' own buffers hold
    client.send(Buffer.concat(Array.from({ length: count }, () => framed(query({ name: "crowd" })))));
    while (server.counters.connections.paused === 0) {
      await once(client.socket, "drain", { signal: AbortSignal.timeout(50) }).catch(() => {});
    }
    expect(server.counters.queries.tcp).toBeLessThan(count);
    client.socket.resume();
    expect(await client.replies(count)).toHaveLength(count);
    client.socket.destroy();
  });

  test("does not keep others waiting with all that it asks at once", async () => {
    const server = web();
    await using listeners = await listen(server);
    const tcp = listeners.addresses.find(({ transport }) => transport === "tcp")?.port ?? 0;
    const client = await connectTcp(tcp);
    const count = 2000;
    client.send(Buffer.concat(Array.from({ length: count }, () => framed(asked))));
    await client.replies(1);
    await askUdp(asked, tcp);
    expect(server.counters.queries.tcp, "answered before another's turn").toBeLessThan(count);
    expect(await client.replies(count - 1)).toHaveLength(count - 1);
    client.socket.destroy();
  });

  test("is closed at once by who sends answers", async () => {
    await using listeners = await listen(web(), ["tcp://127.0.0.1:0"]);
    const client = await connectTcp(listeners.addresses[0]?.port ?? 0);
    client.send(framed(query({ name: "web", flags: 0x8000 })));
    await client.closed;
  });

  test("may be reset by its client at any time", async () => {
    const server = web();
    await using listeners = await listen(server, ["tcp://127.0.0.1:0"]);
    const port = listeners.addresses[0]?.port ?? 0;
    const rude = await connectTcp(port);
    rude.send(framed(asked).subarray(0, 5));
    rude.socket.resetAndDestroy();
    await rude.closed;
    const client = await connectTcp(port);
    client.send(framed(asked));
    expect(await client.replies(1)).toHaveLength(1);
    client.socket.destroy();
  });
});

describe.each(WAYS)("what cannot be listened on over %s is told in a line", (way) => {
  test("a port that is taken, and what was opened before is closed", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" ? (address?.port ?? 0) : 0;
    await expect(listen(web(), [`127.0.0.1:${port}`], {}, way)).rejects.toThrow(
      `could not listen on udp and tcp 127.0.0.1:${port}: the port is taken; end what listens there, or choose another port`,
    );
    const udp = createSocket("udp4").bind(port, "127.0.0.1");
    await once(udp, "listening");
    udp.close();
    taken.close();
  });

  test("an address that the machine does not have", async () => {
    await expect(listen(web(), ["udp://192.0.2.77:0"], {}, way)).rejects.toThrow(
      "could not listen on udp 192.0.2.77:0: this machine has no such address; see `ip address`",
    );
  });
});

test("many idle TCP connections do not keep a UDP query waiting", async () => {
  const server = web();
  await using listeners = await listen(server);
  const tcp = listeners.addresses.find(({ transport }) => transport === "tcp")?.port ?? 0;
  const clients = await Promise.all(Array.from({ length: 1000 }, async () => connectTcp(tcp)));
  for (const client of clients) client.send(framed(asked));
  for (const client of clients) await client.replies(1);
  expect(readReply((await askUdp(asked, tcp)).octets).answers).toHaveLength(1);
  expect(server.counters.connections.open).toBe(1000);
  for (const { socket } of clients) socket.destroy();
});
