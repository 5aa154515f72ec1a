import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { attemptTcp } from "../../src/health/tcp.ts";
import type { TcpProbe } from "../../src/model/check.ts";
import { parsePattern } from "../../src/model/pattern.ts";
import { testNeeding } from "../needing.ts";
import {
  answers,
  answersAndCloses,
  type Behaviour,
  closes,
  drips,
  floods,
  openNobody,
  openTask,
  resets,
  says,
  silent,
  targetOf,
  tryTask,
} from "./servers.ts";

const TCP: TcpProbe = { kind: "tcp", port: { name: undefined, number: 1 }, send: "", expect: undefined };
const text = (text: string) => ({ kind: "text", text }) as const;
const pattern = (text: string) => ({ kind: "pattern", pattern: parsePattern(text) }) as const;
const KIB = 1024;

describe("a task that", () => {
  it.each<[does: string, behave: Behaviour, probe: Partial<TcpProbe>, expected: string, timeoutMs?: number]>([
    ["takes connections", silent, {}, "pass connected"],
    ["closes them at once", closes, {}, "pass connected"],
    ["greets", says("220 mail\r\n"), { expect: text("220 ") }, 'pass said "220 "'],
    ["greets in pieces", says("22", "0 mail\r\n"), { expect: text("220 ") }, 'pass said "220 "'],
    [
      "greets by a pattern",
      says("SSH-2.0-x\r\n"),
      { expect: pattern(`^SSH-2\\.0-.*\\r\\n$`) },
      String.raw`pass said /^SSH-2\.0-.*\r\n$/`,
    ],
    ["answers", answers("+PONG\r\n"), { send: "PING\r\n", expect: text("+PONG") }, 'pass said "+PONG"'],
    ["splits a character", drips("€"), { send: "?", expect: text("€") }, 'pass said "€"'],
    [
      "drips an answer",
      drips("x".repeat(500) + "ok"),
      { send: "?", expect: pattern("ok$") },
      "pass said /ok$/",
    ],
    ["hears something and need not answer", silent, { send: "hello" }, "pass sent"],
    [
      "drips a long answer and closes",
      drips("x".repeat(2000) + "ok"),
      { send: "?", expect: pattern("ok$") },
      "pass said /ok$/",
    ],
    [
      "drips for ever",
      drips("x".repeat(60 * KIB)),
      { send: "?", expect: text("ok") },
      "fail what it says comes in too small pieces",
    ],
    [
      "says the wrong thing",
      answersAndCloses("-ERR\u0007 no\r\n"),
      { send: "?", expect: text("+OK") },
      String.raw`fail connection closed without "+OK": it said "-ERR\u0007 no\r\n"`,
    ],
    [
      "says nothing and closes",
      closes,
      { expect: text("+OK") },
      'fail connection closed without "+OK": it said nothing',
    ],
    ["resets instead of speaking", resets, { expect: text("+OK") }, "fail connection reset"],
    [
      "never says what it should",
      floods("", "-".repeat(KIB)),
      { send: "?", expect: text("+OK") },
      'fail no "+OK" in the first 64 KiB',
    ],
    [
      "says it too late",
      answers(`${"-".repeat(64 * KIB - 1)}OK`),
      { send: "?", expect: text("OK") },
      'fail no "OK" in the first 64 KiB',
    ],
    [
      "says it at the last moment",
      answers(`${"-".repeat(64 * KIB - 2)}OK`),
      { send: "?", expect: text("OK") },
      'pass said "OK"',
    ],
    ["says nothing", silent, { expect: text("OK") }, 'fail no answer in 60ms (while waiting for "OK")', 60],
    [
      "stops in the midst",
      says("O"),
      { expect: pattern("OK") },
      "fail no answer in 60ms (while waiting for /OK/)",
      60,
    ],
  ])("%s", async (_, behave, probe, expected, timeoutMs) => {
    await using task = await openTask(behave);
    expect(await tryTask({ ...TCP, ...probe }, task, timeoutMs)).toBe(expected);
  });
});

it("says what it is to say, in UTF-8", async () => {
  await using task = await openTask(answers("ok"));
  await tryTask({ ...TCP, send: "grüß dich\r\n", expect: text("ok") }, task);
  expect(task.heard.map((heard) => Buffer.from(heard, "latin1").toString())).toEqual(["grüß dich\r\n"]);
});

it("leaves no listener on the signal", async () => {
  await using task = await openTask(says("hello"));
  await using nobody = await openNobody();
  const { signal } = new AbortController();
  const probe = { ...TCP, expect: text("hello") };
  expect((await attemptTcp(probe, targetOf(task), signal, () => {})).kind).toBe("pass");
  await expect(attemptTcp(probe, targetOf(nobody), signal, () => {})).rejects.toThrow("ECONNREFUSED");
  expect(getEventListeners(signal, "abort")).toEqual([]);
});

it("fails where nobody listens", async () => {
  await using nobody = await openNobody();
  expect(await tryTask(TCP, nobody)).toBe("fail connection refused");
});

testNeeding({ ipv6: true })("reaches a task over IPv6", async () => {
  await using task = await openTask(says("hello"), { address: "::1" });
  expect(await tryTask({ ...TCP, expect: text("hello") }, task)).toBe('pass said "hello"');
  await using nobody = await openNobody("::1");
  expect(await tryTask(TCP, nobody)).toBe("fail connection refused");
});
