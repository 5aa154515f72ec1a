// The least that Node can do with a query, which queries.mjs starts: node queries-echo.mjs PORT
// What comes goes back as a reply, unread.

import { createSocket } from "node:dgram";

const QR_BIT = 0x80;

const socket = createSocket("udp4");
socket.on("message", (message, { port, address }) => {
  message[2] |= QR_BIT; // or dnsperf would not take it for an answer
  socket.send(message, port, address);
});
socket.bind(Number(process.argv[2]), "127.0.0.1");
