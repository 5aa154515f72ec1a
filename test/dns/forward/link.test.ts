import { describe, expect, test } from "vitest";
import type { Log } from "../../../src/base/log.ts";
import { createForwardTally } from "../../../src/dns/forward/counters.ts";
import { createLink, type Link, mayBeTrial } from "../../../src/dns/forward/link.ts";
import { formatName, parseName } from "../../../src/model/name.ts";
import { readQuery } from "../../../src/wire/reader.ts";
import { type Hand, turnedByHand } from "../../by-hand.ts";

interface Linked {
  readonly link: Link;
  readonly hand: Hand;
  readonly counters: ReturnType<typeof createForwardTally>;
  /** The names that the upstream was asked for. */
  readonly asked: string[];
  readonly said: string[];
  readonly end: AbortController;
  /** What the upstream does from now on. */
  becomes(way: Way): void;
}

type Way = "well" | "silent" | "refusing" | "loop" | "ECONNREFUSED" | "EMFILE";

function linked(zone = "."): Linked {
  const hand = turnedByHand();
  const counters = createForwardTally();
  const [asked, said]: [string[], string[]] = [[], []];
  const log: Log = {
    debug: () => {},
    info: (_, message) => void said.push(`info: ${message}`),
    warn: (_, message) => void said.push(`warn: ${message}`),
    error: (_, message) => void said.push(`error: ${message}`),
  };
  const end = new AbortController();
  let way: Way = "well";
  const exchange = {
    async ask(question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
      const reading = readQuery(question);
      if (reading.kind !== "query") throw new Error("that is no query");
      const { name } = reading.query.question;
      asked.push(formatName(name));
      if (way === "refusing") throw new Error("nobody listens there");
      if (way.startsWith("E")) throw Object.assign(new Error(way), { code: way });
      if (way === "loop") expect(link.foundHere(name)).toBe(true);
      if (way !== "silent") return question;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(new Error("aborted")));
      });
    },
    [Symbol.dispose]: () => void said.push("disposed"),
  };
  const link: Link = createLink(
    {
      name: "udp://10.0.0.53:53",
      zone: parseName(zone),
      exchange,
      clock: hand.clock,
      timers: hand.timers,
      counters,
      log,
    },
    end.signal,
  );
  const becomes = (next: Way): void => {
    way = next;
  };
  return { link, hand, counters, asked, said, end, becomes };
}

describe("an upstream", () => {
  test("is tried by a name that nobody else asks for, of two labels at least", async () => {
    const { link, hand, asked } = linked("corp.example");
    link.look();
    await hand.pass(0);
    expect(asked).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.rota-loop\.corp\.example\.$/)]);
    expect(mayBeTrial(parseName(asked[0] ?? ""))).toBe(true);
    expect(link.standing).toBe("good");
    expect(hand.pending).toBe(0);
  });

  test("is asked after the others until it has replied for the first time", async () => {
    const { link, hand, said, becomes } = linked();
    becomes("silent");
    link.look();
    expect(link.standing).toBe("passed over");
    await hand.pass(2000);
    becomes("well");
    await hand.pass(500);
    expect(link.standing).toBe("good");
    link.look();
    expect(link.standing).toBe("good");
    expect(said).toHaveLength(2);
  });

  test("is tried by a name of the root where there is no room beneath its zone", async () => {
    const { link, hand, asked } = linked(
      `${"a".repeat(63)}.${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(50)}`,
    );
    link.look();
    await hand.pass(0);
    expect(asked).toEqual([expect.stringMatching(/^[0-9a-f]{16}\.rota-loop\.$/)]);
  });

  test("that was late once is passed over until it replies, and nothing is said of it", async () => {
    const { link, hand, said } = linked();
    link.passOver();
    expect(link.standing).toBe("passed over");
    await hand.pass(0);
    expect(link.standing).toBe("good");
    expect(said).toEqual([]);
  });

  test("that is dead is tried again, less and less often, and taken back when it replies", async () => {
    const { link, hand, asked, said, becomes } = linked();
    becomes("silent");
    link.passOver();
    await hand.pass(1999);
    expect(said).toEqual([]);
    await hand.pass(1);
    expect(said).toEqual(["warn: udp://10.0.0.53:53 does not answer and is passed over: no reply"]);
    const times = [];
    for (let passed = 2000; passed < 60_000; passed += 100) {
      const before = asked.length;
      await hand.pass(100);
      if (asked.length > before) times.push(passed + 100);
    }
    // Each try lasts 2 s; between them 0.5, 1, 2, 4, 8, 10, 10 s.
    expect(times).toEqual([2500, 5500, 9500, 15_500, 25_500, 37_500, 49_500]);
    expect(new Set(asked).size).toBe(asked.length);
    becomes("well");
    await hand.pass(12_000);
    expect(link.standing).toBe("good");
    expect(said).toHaveLength(2);
    expect(said.at(-1)).toBe("info: udp://10.0.0.53:53 answers again");
    expect(hand.pending).toBe(0);
  });

  test("that replies to a client is taken back at once", async () => {
    const { link, hand, becomes } = linked();
    becomes("refusing");
    link.passOver();
    await hand.pass(0);
    becomes("well");
    expect(link.standing).toBe("passed over");
    await link.ask(
      Buffer.from("000001000001000000000000016100000100 01".replaceAll(" ", ""), "hex"),
      new AbortController().signal,
    );
    expect(link.standing).toBe("good");
  });

  test("that leads back here is left out and said to, and tried every 30 s", async () => {
    const { link, hand, asked, said, counters, becomes } = linked();
    becomes("loop");
    link.look();
    await hand.pass(0);
    expect(link.standing).toBe("loop");
    expect(counters.loops).toBe(1);
    expect(said).toEqual([
      "error: udp://10.0.0.53:53 leads back here and is left out: what it is asked, it asks this server",
    ]);
    await hand.pass(29_999);
    expect(asked).toHaveLength(1);
    await hand.pass(1);
    expect(asked).toHaveLength(2);
    expect(said).toHaveLength(1);
    becomes("well");
    await hand.pass(30_000);
    expect(link.standing).toBe("good");
    expect(said.at(-1)).toBe("info: udp://10.0.0.53:53 answers again");
  });

  test("knows only the name that it is asked for at the moment", async () => {
    const { link, hand, asked } = linked();
    link.look();
    await hand.pass(0);
    expect(link.foundHere(parseName(asked[0] ?? ""))).toBe(false);
    expect(link.foundHere(parseName("0123456789abcdef.rota-loop"))).toBe(false);
  });

  test("is let go of when the signal aborts, also while it is tried", async () => {
    const { link, hand, said, end, becomes } = linked();
    becomes("silent");
    link.passOver();
    await hand.pass(2100);
    end.abort();
    await hand.pass(0);
    expect(said.at(-1)).toBe("disposed");
    expect(hand.pending).toBe(0);
    const other = linked();
    other.becomes("silent");
    other.link.passOver();
    await other.hand.pass(0);
    other.end.abort();
    await other.hand.pass(0);
    expect(other.hand.pending).toBe(0);
    expect(other.said).toEqual(["disposed"]);
  });

  test.each([
    ["ECONNREFUSED", false],
    ["EMFILE", true],
  ] as const)("that cannot be asked for %s is at fault or not", async (code, isOurs) => {
    const { link, becomes } = linked();
    becomes(code);
    const question = Buffer.from("00000100000100000000000001610000010001", "hex");
    expect(await link.ask(question, new AbortController().signal)).toEqual({
      kind: "failed",
      why: code,
      isOurs,
    });
  });

  test("is given time by how long its replies take", async () => {
    const { link, hand } = linked();
    expect(link.patienceMs(0)).toBe(400);
    await link.ask(
      Buffer.from("00000100000100000000000001610000010001", "hex"),
      new AbortController().signal,
    );
    await hand.pass(0);
    expect(link.patienceMs(0)).toBe(100);
  });
});
