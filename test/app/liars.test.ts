import { expect, test } from "vitest";
import { startRota } from "../../src/index.ts";
import { readReply } from "../../src/ask/reply.ts";
import { replyTo } from "../ask/servers.ts";
import { addressed, openUpstream, type Way } from "../dns/forward/upstreams.ts";
import { askUdp } from "../dns/sockets.ts";
import { query } from "../wire/query.ts";

const NAMES = 300;

/** Where all of them said so, or nothing. */
const NO_ANSWERS: ReadonlySet<string> = new Set(["SERVFAIL", "REFUSED", "NOTIMP"]);

/** Numbers that look random, and are the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The address of `n7.example` is 10.0.0.7, whoever asks. */
function right(message: Buffer): Buffer {
  const [, digits = "0"] = /n(\d+)/.exec(message.toString("latin1", 12)) ?? [];
  return addressed(message, `0a00${Number(digits).toString(16).padStart(4, "0")}`);
}

const WRONG = "c6336407";

function questionEnd(message: Buffer): number {
  return message.indexOf(0, 12) + 5;
}

/** Does something else each time; what it says under a false flag is wrong. */
function liar(random: () => number): Way {
  const deeds: Way[] = [
    (query, from) => {
      const other = addressed(query, WRONG);
      other.writeUInt16BE(other.readUInt16BE(0) ^ 0x5555, 0);
      from.send(other);
    },
    (query, from) => from.sendFromElsewhere(addressed(query, WRONG)),
    (query, from) => {
      const other = addressed(query, WRONG);
      other.write("m", 13); // for a name that begins otherwise
      from.send(other);
    },
    (query, from) => {
      const other = addressed(query, WRONG);
      other.writeUInt16BE(28, questionEnd(other) - 4); // for AAAA
      from.send(other);
    },
    (query, from) => {
      const other = addressed(query, WRONG);
      other.writeUInt16BE(3, questionEnd(other) - 2); // of class CH
      from.send(other);
    },
    (query, from) => {
      const other = addressed(query, WRONG);
      other.writeUInt16BE(0, 4); // for no question
      from.send(other);
    },
    (query, from) => {
      const other = addressed(query, WRONG);
      other.writeUInt16BE(other.readUInt16BE(2) | 0x2000, 2); // of opcode NOTIFY
      from.send(other);
    },
    (query, from) => from.send(query), // no reply at all
    (query, from) => {
      // Guesses of its id: more than are borne over UDP.
      for (let guess = 1; guess <= 9; guess++) {
        const other = addressed(query, WRONG);
        other.writeUInt16BE(other.readUInt16BE(0) ^ guess, 0);
        from.send(other);
      }
    },
    (query, from) => from.send(replyTo(query, { flags: 0x8102 })), // SERVFAIL
    (query, from) => from.send(replyTo(query, { flags: 0x8105 })), // REFUSED
    (query, from) => from.send(replyTo(query, { flags: 0x8104 })), // NOTIMP
    (query, from) => from.send(addressed(query, WRONG).subarray(0, -2)),
    (_, from) => from.send(Buffer.from("garbage")),
    (query, from) => from.send(from.transport === "udp" ? replyTo(query, { flags: 0x0200 }) : right(query)),
  ];
  return (query, from) => {
    const cast = random();
    if (cast < 0.3) return; // lost
    if (cast < 0.6) return deeds[Math.floor(random() * deeds.length)]?.(query, from);
    from.send(right(query));
  };
}

test("of upstreams that lose, lie and fail, no wrong answer reaches a client, and nearly all get one", async () => {
  await using one = await openUpstream(liar(dice(1)));
  await using other = await openUpstream(liar(dice(2)));
  await using rota = await startRota({
    forward: [`127.0.0.1:${one.port},127.0.0.1:${other.port}`],
    cacheSize: 0,
  });
  const port = rota.addresses[0]?.port ?? 0;
  const answers = await Promise.all(
    Array.from({ length: NAMES }, async (_, at) => {
      const { octets } = await askUdp(query({ name: `n${at}.example`, id: at }), port);
      expect(octets.readUInt16BE(0)).toBe(at);
      const { rcode, answers, question } = readReply(octets);
      expect(question?.name).toBe(`n${at}.example.`);
      return rcode.name === "NOERROR" ? answers.map(({ data }) => data).join() : rcode.name;
    }),
  );
  const wanted = answers.map((_, at) => `10.0.${at >> 8}.${at & 255}`);
  const wrong = answers.filter((answer, at) => answer !== wanted[at] && !NO_ANSWERS.has(answer));
  expect(wrong).toEqual([]);
  expect(answers.filter((answer) => !NO_ANSWERS.has(answer)).length).toBeGreaterThan(NAMES * 0.9);
  expect(rota.counters.forward).toMatchObject({ waiting: 0 });
  expect(rota.counters.defects).toBe(0);
});
