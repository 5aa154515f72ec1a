import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createSchedule, type Due, type Schedule } from "../../src/health/schedule.ts";
import { createStallWatch } from "../../src/health/stall.ts";
import { type Hand, turnedByHand } from "../by-hand.ts";

interface Item extends Due {
  readonly name: string;
  isGone: boolean;
}

interface Scheduled {
  readonly hand: Hand;
  readonly schedule: Schedule<Item>;
  readonly fired: string[];
  readonly stallsMs: number[];
  add(name: string, inMs: number): Item;
  readonly life: AbortController;
}

function scheduled(tickMs = Infinity): Scheduled {
  const hand = turnedByHand();
  const { clock, timers } = hand;
  const startMs = clock.monotonic();
  const fired: string[] = [];
  const stallsMs: number[] = [];
  const life = new AbortController();
  const stalls = createStallWatch((ms) => stallsMs.push(ms));
  const schedule = createSchedule<Item>(
    {
      clock,
      timers,
      stalls,
      due: ({ name }, nowMs) => fired.push(`${name} ${nowMs - startMs}`),
      tick: (nowMs) => nowMs + tickMs,
    },
    life.signal,
  );
  const add = (name: string, inMs: number): Item => {
    const item = { name, dueMs: clock.monotonic() + inMs, isGone: false };
    schedule.add(item);
    return item;
  };
  return { hand, schedule, fired, stallsMs, add, life };
}

test("what is due fires at its time, the earliest first, whatever the order it came in", async () => {
  const { hand, add, fired } = scheduled();
  for (const ms of [300, 100, 500, 200]) add(`in${ms}`, ms);
  await hand.pass(1000);
  expect(fired).toEqual(["in100 100", "in200 200", "in300 300", "in500 500"]);
  expect(hand.pending).toBe(0);
});

test("what is gone does not fire", async () => {
  const { hand, schedule, add, fired } = scheduled();
  add("stays", 200);
  add("goes", 100).isGone = true;
  schedule.leave();
  await hand.pass(1000);
  expect(fired).toEqual(["stays 200"]);
});

test("when most are gone they are let go of before their time", async () => {
  setFlagsFromString("--expose-gc");
  const { hand, schedule, add, fired } = scheduled();
  const gone = new Set(Array.from({ length: 2000 }, (_, at) => new WeakRef(add(`goes${at}`, 3_600_000))));
  add("stays", 200);
  for (const ref of gone) {
    const item = ref.deref();
    if (item) item.isGone = true;
    schedule.leave();
  }
  await hand.pass(0); // a reference that was followed holds until then
  runInNewContext("gc")();
  expect([...gone].filter((ref) => ref.deref()).length).toBeLessThan(1000);
  await hand.pass(1000);
  expect(fired).toEqual(["stays 200"]);
});

test("thousands that are due at once fire in parts, and all", async () => {
  const { hand, add, fired } = scheduled();
  for (let item = 0; item < 2500; item++) add("item", 100);
  await hand.pass(100);
  expect(fired).toHaveLength(1000);
  await hand.pass(100);
  expect(fired).toHaveLength(2500);
});

test("a timer that fires late tells of a stall, once", async () => {
  const { hand, add, stallsMs } = scheduled(250);
  add("item", 3_600_000);
  await hand.pass(1000);
  await hand.stop(1250);
  await hand.pass(1000);
  expect(stallsMs).toEqual([1000]);
});

test("nothing fires once the signal aborted", async () => {
  const { hand, add, fired, life } = scheduled(250);
  add("item", 100);
  life.abort();
  add("other", 50);
  await hand.pass(1000);
  expect(fired).toEqual([]);
  expect(hand.pending).toBe(0);

  const late = scheduled();
  late.life.abort();
  late.add("item", 100);
  expect(late.hand.pending).toBe(0);
});
