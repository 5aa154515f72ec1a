// Asks at a steady rate, and keeps what it was told: node churn-asker.mjs PORT

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setImmediate, setTimeout } from "node:timers/promises";
import { nameOf, TASKS } from "./scale-services.mjs";
import { clockUs } from "./shared-clock.mjs";

const SOCKETS = 8;
/** Of one turn of the event loop, in which Node reads 32 answers of each socket: who sends more is behind for ever. */
const MOST_AT_ONCE = 100;
/** An id is used again after so many questions of a socket: no answer takes that long. */
const IDS = 65_536;
const CHANGED = 11;
const UNCHANGED = 10;
const HEADER_OCTETS = 12;

const port = Number(process.argv[2]);
/** Of each socket, when what was asked by each id and is not answered yet was sent, and for which service; 0: nothing. */
const asked = Array.from({ length: SOCKETS }, () => ({
  sentUs: new Float64Array(IDS),
  services: new Int32Array(IDS),
}));
const sockets = await Promise.all(asked.map(openSocket));
/** Numbers, {@link FIELDS} a reply: as many objects would have to be collected again and again, while answers wait. */
const FIELDS = 5;
let replies = new Float64Array();
let count = 0;

process.send({ ready: true });
process.on("message", (told) => void ask(told));
process.on("disconnect", () => process.exit());

async function ask({ services, rate, seconds, isKept }) {
  replies = new Float64Array(isKept ? Math.ceil(rate * seconds * 1.1) * FIELDS : 0);
  count = 0;
  const questions = services.map((service) => createQuestion(`${nameOf(service)}.rota.internal`));
  const begunUs = clockUs();
  let sent = 0;
  while (clockUs() - begunUs < seconds * 1e6) {
    const due = Math.floor(((clockUs() - begunUs) / 1e6) * rate);
    const until = Math.min(due, sent + MOST_AT_ONCE);
    for (; sent < until; sent++)
      send(sent, questions[sent % questions.length], services[sent % services.length]);
    await (sent < due ? setImmediate() : setTimeout(1));
  }
  await setTimeout(1000); // what has not come by then is lost
  let unanswered = 0;
  for (const { sentUs } of asked) {
    for (const us of sentUs) if (us > 0) unanswered += 1;
    sentUs.fill(0);
  }
  process.send(isKept ? { sent, unanswered, replies: told() } : {});
}

function told() {
  return Array.from({ length: count }, (_, reply) => {
    const [service, number, isSound, sentUs, receivedUs] = replies.subarray(reply * FIELDS);
    return { service, number, isSound: isSound === 1, sentUs, receivedUs };
  });
}

function send(number, question, service) {
  const at = number % SOCKETS;
  const id = Math.floor(number / SOCKETS) % IDS;
  const octets = Buffer.from(question);
  octets.writeUInt16BE(id, 0);
  asked[at].services[id] = service;
  asked[at].sentUs[id] = clockUs();
  sockets[at].send(octets);
}

async function openSocket(questions) {
  const socket = createSocket({ type: "udp4", recvBufferSize: 2 ** 22 });
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.on("message", (octets) => {
    const receivedUs = clockUs();
    const id = octets.readUInt16BE(0);
    const sentUs = questions.sentUs[id];
    questions.sentUs[id] = 0;
    if (sentUs === 0 || (count + 1) * FIELDS > replies.length) return;
    const { number, isSound } = read(octets);
    replies.set([questions.services[id], number, Number(isSound), sentUs, receivedUs], count * FIELDS);
    count += 1;
  });
  return socket;
}

function createQuestion(name) {
  const labels = name.split(".").map((label) => String.fromCharCode(label.length) + label);
  return Buffer.from(`\0\0\x01\0\0\x01\0\0\0\0\0\0${labels.join("")}\0\0\x01\0\x01`, "latin1");
}

/** The number that its one changed address tells (0: it has none), and whether it is as it should be otherwise. */
function read(octets) {
  const count = octets.readUInt16BE(6);
  let at = skipName(octets, HEADER_OCTETS) + 4;
  let number = 0;
  let isSound = (octets.readUInt16BE(2) & 0x020f) === 0 && count === TASKS;
  for (let answer = 0; answer < count; answer++) {
    at = skipName(octets, at) + 8;
    const length = octets.readUInt16BE(at);
    const first = octets[at + 2];
    if (first === CHANGED && number === 0) number = octets.readUIntBE(at + 3, 3);
    else if (first !== UNCHANGED || length !== 4) isSound = false;
    at += 2 + length;
  }
  return { number, isSound };
}

function skipName(octets, from) {
  let at = from;
  while (octets[at] > 0) {
    if (octets[at] >= 0xc0) return at + 2;
    at += octets[at] + 1;
  }
  return at + 1;
}
