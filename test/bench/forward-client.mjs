import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readReply } from "../../dist/ask/reply.js";
import { queryFor, rightText } from "./forward-names.mjs";

/** Longer than Rota takes at most. */
const PATIENCE_MS = 6000;

/**
 * Asks for names, so many at a time, each once: how long the answers took in milliseconds, and how many there were of
 * each kind. A name's right address follows from the name.
 */
export async function askAll(port, numbers, atATime) {
  const socket = createSocket("udp4");
  socket.connect(port, "127.0.0.1");
  await once(socket, "connect");
  const waiting = new Map();
  socket.on("message", (reply) => waiting.get(reply.readUInt16BE(0))?.(reply));

  const tookMs = [];
  const counts = { right: 0, failed: 0, wrong: 0 };
  const left = numbers.values();
  const askOn = async () => {
    for (const number of left) {
      const asked = performance.now();
      const reply = await askOnce(number);
      tookMs.push(performance.now() - asked);
      counts[verdictOn(reply, number)] += 1;
    }
  };
  await Promise.all(Array.from({ length: atATime }, askOn));
  socket.close();
  return { tookMs, counts };

  async function askOnce(number) {
    const id = number & 0xffff;
    let timer;
    const reply = await new Promise((resolve) => {
      waiting.set(id, resolve);
      timer = setTimeout(resolve, PATIENCE_MS);
      socket.send(queryFor(number, id));
    });
    clearTimeout(timer);
    waiting.delete(id);
    return reply;
  }
}

function verdictOn(octets, number) {
  if (!octets) return "failed";
  const { rcode, question, answers } = readReply(octets);
  if (rcode.name === "SERVFAIL") return "failed";
  const isRight =
    question?.name === `n${number}.example.` && answers.length === 1 && answers[0].data === rightText(number);
  return isRight ? "right" : "wrong";
}
