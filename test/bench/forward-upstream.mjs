// A name server that does not do as it should, in a process of its own, which forward.mjs starts:
// node forward-upstream.mjs KIND SHARE

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { nameEndIn, numberIn, rightOctets, WRONG } from "./forward-names.mjs";

/** A continent away, and a resolver that has to ask others itself. */
const DELAY_MS = 300;
const HEADER_OCTETS = 12;
const SERVFAIL = 2;
const NXDOMAIN = 3;
const TYPE_A = 1;
const TC_BIT = 0x0200;

/** What each kind does with a query instead of replying as it should. */
const KINDS = {
  "is good": (query, from) => from.send(rightReplyTo(query)),
  "drops it": () => {},
  "takes 300 ms": (query, from) => setTimeout(() => from.send(rightReplyTo(query)), DELAY_MS),
  "replies under another id": (query, from) => {
    const reply = replyOf(query, WRONG);
    reply.writeUInt16BE(reply.readUInt16BE(0) ^ 0x5555, 0);
    from.send(reply);
  },
  "replies from another port": (query, from) => from.sendFromElsewhere(replyOf(query, WRONG)),
  "replies to another question": (query, from) => {
    const reply = replyOf(query, WRONG);
    reply.write("m", HEADER_OCTETS + 1); // the name's first letter
    from.send(reply);
  },
  "replies with TC": (query, from) => from.send(replyOf(query, undefined, TC_BIT)),
  "says SERVFAIL": (query, from) => from.send(replyOf(query, undefined, SERVFAIL)),
  "sends garbage": (query, from) =>
    from.send(Buffer.concat([query.subarray(0, 2), Buffer.from([0x81, 0x80]), query.subarray(4), WRONG])),
};

const [kind, share] = process.argv.slice(2);
const { socket, port } = await listenOnBoth();
const elsewhere = createSocket("udp4");
socket.on("message", (query, { port, address }) => {
  const way = Math.random() < Number(share) ? KINDS[kind] : KINDS["is good"];
  way(query, {
    send: (reply) => socket.send(reply, port, address),
    sendFromElsewhere: (reply) => elsewhere.send(reply, port, address),
  });
});
process.on("disconnect", () => process.exit());
process.send({ port });

/** UDP for what it does, and TCP, over which it is good. */
async function listenOnBoth() {
  for (;;) {
    const server = createServer(serve).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address();
    const socket = createSocket("udp4");
    try {
      socket.bind(port, "127.0.0.1");
      await once(socket, "listening");
      return { socket, port };
    } catch {
      server.close(); // somebody has that port over UDP: another will do
    }
  }
}

function serve(connection) {
  let octets = Buffer.alloc(0);
  connection.on("error", () => connection.destroy());
  connection.on("data", (more) => {
    octets = Buffer.concat([octets, more]);
    while (octets.length > 1 && octets.length >= 2 + octets.readUInt16BE(0)) {
      const query = octets.subarray(2, 2 + octets.readUInt16BE(0));
      octets = octets.subarray(2 + query.length);
      const reply = rightReplyTo(query);
      connection.write(Buffer.concat([Buffer.from([reply.length >> 8, reply.length & 255]), reply]));
    }
  });
}

/** Only `n513.example` and its like exist, and have nothing but an address. */
function rightReplyTo(query) {
  const number = numberIn(query);
  if (number === undefined) return replyOf(query, undefined, NXDOMAIN);
  return replyOf(query, query.readUInt16BE(nameEndIn(query)) === TYPE_A ? rightOctets(number) : undefined);
}

/** RFC 1035 section 4.1: with the query's question, and an A record of 60 s if there is an address. */
function replyOf(query, address, flags = 0) {
  const header = Buffer.alloc(HEADER_OCTETS);
  query.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | flags, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address ? 1 : 0, 6);
  const record = address ? [Buffer.from("c00c000100010000003c0004", "hex"), address] : [];
  return Buffer.concat([header, query.subarray(HEADER_OCTETS, nameEndIn(query) + 4), ...record]);
}
