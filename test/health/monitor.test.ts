import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import type { Target } from "../../src/health/outcome.ts";
import type { Availability } from "../../src/model/availability.ts";
import type { Port } from "../../src/model/declaration.ts";
import { parsePrefix } from "../../src/model/name.ts";
import type { Word } from "../../src/registry/outages.ts";
import { turnedByHand } from "../by-hand.ts";
import { checked, HEARTBEAT, monitored, script, TCP } from "./monitored.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** A port that no probe is for. */
const METRICS: Port = {
  name: "metrics",
  protocol: "tcp",
  target: 9100,
  port: 9100,
  published: undefined,
  mode: "ingress",
  policy: "cluster",
  proxyProtocol: 0,
};

describe("a verdict decides who serves", () => {
  test.each([
    ["serves from its first pass on", "+", "PP"],
    ["leaves after exactly three failures and comes back after two passes", "++---+++", "PPPPffPP"],
    ["does not leave for two failures in a row", "+--+--+", "PPPPPPP"],
    ["stays for results that are unknown", "+??????-", "PPPPPPPP"],
    ["is starting until something is decided", "--+", "ssP"],
    ["is out when it never passed", "---", "ssf"],
  ])("a task %s", async (_, letters, verdicts) => {
    const hand = turnedByHand();
    const { verdict, serving } = monitored(
      [checked("web", ["a"])],
      script({ "web/a": letters }, hand).probe,
      {
        hand,
      },
    );
    expect(verdict("web", "a")).toBe("awaited");
    let seen = "";
    for (const _ of verdicts) {
      await hand.pass(0);
      const now = verdict("web", "a");
      seen += now === "passing" ? "P" : now.slice(0, 1);
      expect(serving("web")).toBe(now === "passing" ? "a" : "");
      await hand.pass(5 * SECOND);
    }
    expect(seen).toBe(verdicts);
  });

  test("who hangs and is never answered for is starting after start_wait", async () => {
    const hand = turnedByHand();
    const { verdict, service } = monitored([checked("web", ["a"])], script({ "web/a": "h" }, hand).probe, {
      hand,
    });
    await hand.pass(2999);
    expect(verdict("web", "a")).toBe("awaited");
    expect(service("web").isWaiting).toBe(true);
    await hand.pass(1);
    expect(verdict("web", "a")).toBe("starting");
    expect(service("web").isWaiting).toBe(false);
  });

  test("an unknown first result is no word on a task", async () => {
    const hand = turnedByHand();
    const { verdict } = monitored([checked("web", ["a"])], script({ "web/a": "?" }, hand).probe, { hand });
    await hand.pass(2999);
    expect(verdict("web", "a")).toBe("awaited");
    await hand.pass(1);
    expect(verdict("web", "a")).toBe("starting");
  });

  test("a probe that throws fails nobody", async () => {
    const { verdict, hand, look, end } = monitored([checked("web", ["a"])], () => {
      throw new Error("a defect");
    });
    await hand.pass(MINUTE);
    expect(verdict("web", "a")).toBe("starting");
    expect(look("web", "a")?.last?.detail).toBe("the probe itself failed: a defect");
    end();
  });
});

describe("when probes are due", () => {
  test("the first at once, the others an interval apart", async () => {
    const hand = turnedByHand();
    const startMs = hand.clock.monotonic();
    const { probe, probes } = script({}, hand);
    monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(21 * SECOND);
    expect(probes.map(({ atMs }) => atMs - startMs)).toEqual([0, 5000, 10_000, 15_000, 20_000]);
  });

  test("they spread at once, jitter and do not drift", async () => {
    const hand = turnedByHand();
    const startMs = hand.clock.monotonic();
    const { probe, probes } = script({}, hand);
    const tasks = Array.from({ length: 20 }, (_, task) => `t${task}`);
    monitored([checked("web", tasks)], probe, { hand, random: Math.random });
    await hand.pass(60 * 5 * SECOND);
    const bySlice = new Set<number>();
    for (const task of tasks) {
      const times = probes.filter(({ of }) => of === `web/${task}`).map(({ atMs }) => atMs - startMs);
      const [first = NaN, second = NaN] = times;
      expect(first).toBe(0);
      expect(second).toBeGreaterThanOrEqual(2500);
      expect(second).toBeLessThanOrEqual(7500 + 15);
      bySlice.add(Math.floor(second / 500));
      for (const [at, time] of times.entries()) {
        if (at < 2) continue;
        // A tenth of an interval either way of the grid that the second began, and the schedule's rest.
        expect(Math.abs(time - second - (at - 1) * 5000)).toBeLessThanOrEqual(500 + 15);
      }
      expect(Math.abs(times.length - 60)).toBeLessThanOrEqual(1);
    }
    expect(bySlice.size, "they do not fire together").toBeGreaterThan(3);
  });

  test("start_interval while a task starts in its start period, interval from its first pass on", async () => {
    const hand = turnedByHand();
    const startMs = hand.clock.monotonic();
    const { probe, probes } = script({ "web/a": "---+" }, hand);
    const { verdict } = monitored(
      [checked("web", ["a"], { startPeriodMs: 30 * SECOND, startIntervalMs: SECOND })],
      probe,
      { hand },
    );
    await hand.pass(14 * SECOND);
    expect(probes.map(({ atMs }) => atMs - startMs)).toEqual([0, 1000, 2000, 3000, 8000, 13_000]);
    expect(verdict("web", "a")).toBe("passing");
  });

  test("one at a time, and what was missed meanwhile is not made up for", async () => {
    const hand = turnedByHand();
    const startMs = hand.clock.monotonic();
    const { probe, probes, underWay, answer } = script({ "web/a": "+h+" }, hand);
    const { monitor, log } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(18 * SECOND);
    expect(underWay.get("web/a")).toBe(1);
    answer("web/a", "+");
    await hand.pass(8 * SECOND);
    expect(probes.map(({ atMs }) => atMs - startMs)).toEqual([0, 5000, 20_000, 25_000]);
    expect(monitor.counters.late, "those at 10 s and 15 s").toBe(2);
    expect(log.slice(1)).toEqual([
      "warn: 2 probes came more than an interval late or not at all: intervals are too short for this machine, or it stood still",
    ]);
  });
});

describe("many checks", () => {
  const hundred = (letter: string): string[] => Array.from({ length: 100 }, (_, task) => `${letter}${task}`);

  test("a service all of whose tasks hang keeps no other waiting", async () => {
    const hand = turnedByHand();
    const stuck = hundred("t");
    const { probe, count, underWay } = script(
      Object.fromEntries(stuck.map((task) => [`stuck/${task}`, "h"])),
      hand,
    );
    const stuckService = checked("stuck", stuck);
    const { monitor, serving, publish } = monitored([stuckService], probe, { hand, concurrency: 8 });
    await hand.pass(SECOND);
    expect(monitor.counters).toMatchObject({ checks: 100, running: 5, waiting: 95 });

    publish(stuckService, checked("web", ["a", "b"]));
    await hand.pass(16 * SECOND);
    expect(serving("web")).toBe("a b");
    expect(count("web/a")).toBe(4);
    expect([...underWay.values()].reduce((sum, one) => sum + one, 0)).toBe(5);
  });

  test("32 probes are started a turn, and all that end in a turn are one change", async () => {
    let started = 0;
    const perTurn: number[] = [];
    const hand = turnedByHand(() => {
      perTurn.push(started);
      started = 0;
    });
    const { registry, serving } = monitored(
      [checked("web", hundred("t"))],
      async () => {
        started += 1;
        return { kind: "pass", detail: "connected" };
      },
      { hand },
    );
    const before = registry.serial;
    await hand.pass(0);
    expect(perTurn.filter((starts) => starts > 0)).toEqual([32, 32, 32, 4]);
    expect(serving("web").split(" ")).toHaveLength(100);
    expect(registry.serial - before).toBe(4);
  });

  test.each([
    [0.5, [8, 8, 4]],
    [3, Array.from({ length: 10 }, () => 2)],
    [100, Array.from({ length: 20 }, () => 1)],
  ])("probes that take %s ms to start are started for 4 ms a turn", async (ms, starts) => {
    let started = 0;
    const perTurn: number[] = [];
    const hand = turnedByHand(() => {
      perTurn.push(started);
      started = 0;
    });
    const { end } = monitored(
      [checked("web", hundred("t").slice(0, 20))],
      async () => {
        started += 1;
        hand.spend(ms);
        return { kind: "pass", detail: "connected" };
      },
      { hand },
    );
    await hand.pass(0);
    end();
    expect(perTurn.filter((some) => some > 0)).toEqual(starts);
  });

  test("the first ten verdicts of a second are told, the others counted", async () => {
    const hand = turnedByHand();
    const { log } = monitored([checked("web", hundred("t").slice(0, 30))], script({}, hand).probe, { hand });
    await hand.pass(2 * SECOND);
    for (const line of log.slice(0, 10))
      expect(line).toMatch(/^info: task t\d+ of web is passing: connected$/);
    expect(log.slice(10)).toEqual(["info: 20 more verdicts turned: 0 failing, 20 passing"]);
  });
});

test("what happens all the time is told once a minute", async () => {
  const hand = turnedByHand();
  const { log } = monitored(
    [checked("web", ["a", "b"])],
    script({ "web/a": "?", "web/b": "?" }, hand).probe,
    {
      hand,
    },
  );
  await hand.pass(2 * MINUTE + SECOND);
  const last = /without a result that counts, the last of task [ab] of web: too many open files \(EMFILE\)$/;
  expect(log).toHaveLength(3);
  for (const line of log) expect(line).toMatch(last);
  expect(log.map((line) => Number(/\d+/.exec(line)?.[0])).reduce((sum, one) => sum + one, 0)).toBe(50);
});

test("the registry rests for twice as long as verdicts took it, and then has all that came", async () => {
  const hand = turnedByHand();
  const { probe, answer } = script({ "web/b": "h", "web/c": "h" }, hand);
  const { verdict, serving } = monitored([checked("web", ["a", "b", "c"])], probe, {
    hand,
    reported: () => hand.spend(30),
  });
  await hand.pass(0);
  expect(verdict("web", "a")).toBe("passing");
  answer("web/b", "+");
  await hand.pass(40);
  answer("web/c", "+");
  await hand.pass(19);
  expect(serving("web")).toBe("a");
  await hand.pass(1);
  expect(serving("web")).toBe("a b c");
});

describe("what is declared changes", () => {
  test("elsewhere in the service: a check that did not goes on, its counts and its schedule with it", async () => {
    const hand = turnedByHand();
    const startMs = hand.clock.monotonic();
    const { probe, probes } = script({ "web/a": "+---" }, hand);
    const { publish, verdict } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(12 * SECOND);
    publish({ ...checked("web", ["a", "b 192.0.2.2"]), ttl: 7 });
    await hand.pass(4 * SECOND);
    expect(verdict("web", "a"), "the third failure in a row").toBe("failing");
    const ofA = probes.filter(({ of }) => of === "web/a");
    expect(ofA.map(({ atMs }) => atMs - startMs)).toEqual([0, 5000, 10_000, 15_000]);
  });

  test("the check: it begins anew, and who was passing is until it fails", async () => {
    const hand = turnedByHand();
    const { probe, count } = script({ "web/a": "+--+---" }, hand);
    const { publish, verdict, look, serving } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(10 * SECOND);
    expect(look("web", "a")).toMatchObject({ results: "+--", failures: 2 });
    publish(checked("web", ["a"], { intervalMs: 9 * SECOND }));
    expect(serving("web")).toBe("a");
    expect(look("web", "a")).toMatchObject({ results: "", verdict: "passing" });
    await hand.pass(0);
    expect(look("web", "a")).toMatchObject({ results: "+", failures: 0, nextInMs: 9 * SECOND });
    await hand.pass(27 * SECOND);
    expect(count("web/a")).toBe(7);
    expect(verdict("web", "a")).toBe("failing");
  });

  test("the check of a failing task: it takes as many passes as ever", async () => {
    const hand = turnedByHand();
    const { probe } = script({ "web/a": "---+" }, hand);
    const { publish, verdict } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(10 * SECOND);
    expect(verdict("web", "a")).toBe("failing");
    publish(checked("web", ["a"], { timeoutMs: SECOND }));
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("failing");
    await hand.pass(5 * SECOND);
    expect(verdict("web", "a")).toBe("passing");
  });

  test("where a task is: nothing is known of it there", async () => {
    const hand = turnedByHand();
    const asked: string[] = [];
    const { publish, verdict } = monitored(
      [checked("web", ["a 192.0.2.1"])],
      async (_, { port, task }) => {
        asked.push(`${task} ${port}`);
        return asked.length === 1 ? { kind: "pass", detail: "" } : { kind: "fail", detail: "" };
      },
      { hand },
    );
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("passing");
    publish(checked("web", ["a 192.0.2.2"]));
    expect(verdict("web", "a")).toBe("awaited");
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("starting");
    publish(checked("web", ["a 192.0.2.2:9090"]));
    await hand.pass(0);
    expect(asked).toEqual(["a 8080", "a 8080", "a 9090"]);
  });

  test("a task elsewhere than it is checked: the registry is told again what is known", async () => {
    const hand = turnedByHand();
    const { probe, count } = script({}, hand);
    const web = checked("web", ["a"]);
    const { publish, verdict } = monitored([web], probe, { hand });
    await hand.pass(0);
    publish({ ...web, ports: [METRICS] });
    expect(verdict("web", "a"), "the registry knows no better").toBe("awaited");
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("passing");
    expect(count("web/a")).toBe(1);
  });

  test("twice before a verdict was told again: it is not told of another place", async () => {
    const hand = turnedByHand();
    const { probe } = script({ "web/a": "+h" }, hand);
    const web = checked("web", ["a"]);
    const { publish, verdict } = monitored([web], probe, { hand });
    await hand.pass(0);
    publish({ ...web, ports: [METRICS] });
    publish(checked("web", ["a 192.0.2.9"]));
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("awaited");
  });

  test("a task that goes is checked no more, and its probe is ended", async () => {
    const hand = turnedByHand();
    const { probe, probes, ended } = script({ "web/a": "h", "web/c": "h" }, hand);
    const { publish, monitor, look } = monitored([checked("web", ["a", "b", "c"])], probe, { hand });
    await hand.pass(SECOND);
    publish(checked("web", ["b", "c"]));
    await hand.pass(0);
    expect(ended).toEqual(["web/a"]);
    expect(monitor.counters).toMatchObject({ checks: 2, running: 1 });
    expect(look("web", "a")).toBeUndefined();
    publish();
    await hand.pass(20 * SECOND);
    expect(ended).toEqual(["web/a", "web/c"]);
    expect(probes).toHaveLength(3);
    expect(monitor.counters).toMatchObject({ checks: 0, running: 0, waiting: 0 });
    expect(hand.pending, "with no checks there is nothing to wake up for").toBe(0);
    publish(checked("web", ["a", "c"]));
    await hand.pass(SECOND);
    expect(
      monitor.counters.running + probes.length,
      "others are probed as if nothing had been",
    ).toBeGreaterThan(3);
    expect(ended).toHaveLength(2);
  });

  test("a task that goes before its turn comes is not probed", async () => {
    const hand = turnedByHand();
    const { probe, count, answer } = script({ "web/a": "h" }, hand);
    const { publish, monitor } = monitored([checked("web", ["a", "b"])], probe, { hand, concurrency: 1 });
    await hand.pass(SECOND);
    expect(monitor.counters).toMatchObject({ running: 1, waiting: 1 });
    publish(checked("web", ["a"]));
    answer("web/a", "+");
    await hand.pass(SECOND);
    expect(count("web/b")).toBe(0);
    expect(monitor.counters).toMatchObject({ running: 0, waiting: 0 });
  });

  test("tasks and services without a check are left alone", async () => {
    const hand = turnedByHand();
    const { probe, probes } = script({}, hand);
    const web = checked("web", ["a", "b"]);
    const unchecked = web.tasks.map((task) => ({ ...task, isChecked: task.id !== parsePrefix("a") }));
    monitored(
      [
        { ...web, tasks: unchecked },
        { ...checked("api", ["c"]), check: undefined },
      ],
      probe,
      { hand },
    );
    await hand.pass(SECOND);
    expect(probes.map(({ of }) => of)).toEqual(["web/b"]);
  });

  test("a thousand tasks come and go, and nothing is kept of those that went", async () => {
    setFlagsFromString("--expose-gc");
    const targets: WeakRef<Target>[] = [];
    const { hand, publish, monitor } = monitored([], async (_, target) => {
      targets.push(new WeakRef(target));
      return { kind: "pass", detail: "connected" };
    });
    const tasks = Array.from({ length: 1500 }, (_, task) => `t${task}`);
    for (const round of [1, 2, 3]) {
      publish(checked("web", tasks, { intervalMs: round * HOUR }));
      await hand.pass(SECOND);
    }
    expect(monitor.counters).toMatchObject({ checks: 1500, waiting: 0, probes: { pass: 4500 } });
    await hand.pass(3 * SECOND); // so long each is awaited
    runInNewContext("gc")();
    expect(targets.filter((target) => target.deref()).length).toBe(1500);
  });
});

describe("the operator's word", () => {
  test("a task in maintenance is not checked, and passes before it serves again", async () => {
    const hand = turnedByHand();
    const { probe, count } = script({ "web/a": "+h" }, hand);
    const { registry, serving, verdict, look } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(0);
    expect(serving("web")).toBe("a");
    registry.say([word("maintenance")]);
    await hand.pass(MINUTE);
    expect(count("web/a")).toBe(1);
    expect(look("web", "a")).toBeUndefined();
    registry.say([word("active")]);
    await hand.pass(SECOND);
    expect(count("web/a")).toBe(2);
    expect(verdict("web", "a")).toBe("awaited");
    expect(serving("web")).toBe("");
  });

  test("a task that is drained is still checked", async () => {
    const hand = turnedByHand();
    const { probe, count } = script({}, hand);
    const { registry } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(0);
    registry.say([word("drain")]);
    await hand.pass(6 * SECOND);
    expect(count("web/a")).toBe(2);
  });
});

describe("a heartbeat", () => {
  test("passes a task, and fails it when it stays away for its interval", async () => {
    const { hand, beat, verdict, look, log } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes);
    await hand.pass(SECOND);
    expect(verdict("web", "a")).toBe("awaited");
    expect(beat("web", "a")).toBe(true);
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("passing");
    await hand.pass(4 * SECOND);
    expect(look("web", "a")).toMatchObject({ results: "+", nextInMs: SECOND });
    beat("web", "a");
    await hand.pass(4999);
    expect(verdict("web", "a")).toBe("passing");
    await hand.pass(1);
    expect(verdict("web", "a")).toBe("failing");
    expect(log).toEqual([
      "info: task a of web is passing: it says that it is passing",
      "warn: task a of web is failing: no heartbeat for 5s (1 failure in a row)",
    ]);
    beat("web", "a");
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("passing");
  });

  test("may say that the task fails", async () => {
    const { hand, beat, verdict } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes);
    beat("web", "a", "passing");
    await hand.pass(0);
    beat("web", "a", "failing");
    await hand.pass(0);
    expect(verdict("web", "a")).toBe("failing");
  });

  test("that never comes fails a task, once it had its time", async () => {
    const { hand, verdict } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes);
    await hand.pass(4 * SECOND);
    expect(verdict("web", "a")).toBe("starting");
    await hand.pass(SECOND);
    expect(verdict("web", "a")).toBe("failing");
  });

  test("is awaited of nobody who is probed, or unknown", async () => {
    const hand = turnedByHand();
    const { beat, end } = monitored([checked("web", ["a"])], script({}, hand).probe, { hand });
    expect([beat("web", "a"), beat("web", "b"), beat("api", "a")]).toEqual([false, false, false]);
    end();
    expect(beat("web", "a")).toBe(false);
  });

  test("has its time anew when this process stood still", async () => {
    const { hand, beat, verdict, monitor } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes);
    beat("web", "a");
    await hand.pass(SECOND);
    await hand.stop(MINUTE);
    expect(verdict("web", "a")).toBe("passing");
    expect(monitor.counters.stalls).toBe(1);
    await hand.pass(4999);
    expect(verdict("web", "a")).toBe("passing");
    await hand.pass(1);
    expect(verdict("web", "a")).toBe("failing");
  });

  test("stays away though this process stands still again and again: it is missed", async () => {
    const { hand, beat, verdict } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes);
    beat("web", "a");
    await hand.pass(0);
    let waitedMs = 0;
    for (; verdict("web", "a") === "passing" && waitedMs < MINUTE; waitedMs += 1600) {
      await hand.pass(SECOND);
      await hand.stop(600);
    }
    expect(waitedMs, "it is excused once").toBeGreaterThan(8 * SECOND);
    expect(waitedMs).toBeLessThan(12 * SECOND);
  });

  test("is believed when it says that the task fails, also while this process stood still", async () => {
    const { hand, beat, verdict } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes);
    beat("web", "a");
    await hand.pass(SECOND);
    beat("web", "a", "failing");
    await hand.stop(MINUTE);
    expect(verdict("web", "a")).toBe("failing");
  });
});

describe("this process stands still", () => {
  test("what failed meanwhile is unknown, and what fails later is not", async () => {
    const hand = turnedByHand();
    const { probe, answer } = script({ "web/a": "+hhhhh" }, hand);
    const { verdict, monitor, log, look } = monitored([checked("web", ["a"], { fall: 1 })], probe, { hand });
    await hand.pass(5 * SECOND);
    // What waits in sockets is read before timers fire that are long due.
    const stopped = hand.stop(MINUTE);
    answer("web/a", "-");
    await stopped;
    expect(verdict("web", "a")).toBe("passing");
    expect(look("web", "a")).toMatchObject({
      results: "+?",
      last: { kind: "unknown", detail: "while this process stood still: connection refused" },
    });
    expect(monitor.counters).toMatchObject({ stalls: 1, probes: { pass: 1, unknown: 1, fail: 0 } });
    await hand.pass(SECOND);
    expect(log.slice(1)).toEqual([
      "warn: 1 probe without a result that counts, the last of task a of web: while this process stood still: connection refused",
      "warn: the process stood still for 1m: what failed meanwhile is tried again",
    ]);
    answer("web/a", "-"); // the one that was made at once
    await hand.pass(SECOND);
    expect(verdict("web", "a")).toBe("failing");
    expect(log.at(-1)).toBe(
      "warn: 12 probes came more than an interval late or not at all: intervals are too short for this machine, or it stood still",
    );
  });

  test("what failed meanwhile is probed again at once, through the queue, and then on its grid", async () => {
    const hand = turnedByHand();
    const startMs = hand.clock.monotonic();
    const { probe, probes, underWay, answer } = script({ "web/a": "+h+", "web/b": "h" }, hand);
    const { monitor, look } = monitored([checked("web", ["a"]), checked("api", ["b"])], probe, {
      hand,
      concurrency: 2,
    });
    await hand.pass(6 * SECOND);
    const stopped = hand.stop(2 * SECOND);
    answer("web/a", "-");
    await stopped;
    expect(underWay.get("web/a")).toBe(0);
    await hand.pass(7 * SECOND);
    const ofA = probes.filter(({ of }) => of === "web/a");
    expect(ofA.map(({ atMs }) => atMs - startMs)).toEqual([0, 5000, 8000, 10_000, 15_000]);
    expect(look("web", "a")?.results).toBe("+?+++");
    expect(monitor.counters).toMatchObject({ late: 0 });
  });

  test.each([
    ["one failure is excused where one would do", 1, "-", "+?-"],
    ["as many in a row are excused as take a task out, and then they count", 3, "-", "+???---"],
    ["an unknown result clears up nothing", 2, "-?-?-?-", "+????-?-"],
    ["a pass clears up all", 2, "--+-", "+??+??--"],
  ])("busy in every probe, a dead task still leaves: %s", async (_, fall, letters, results) => {
    const hand = turnedByHand();
    const { probe } = script({ "web/a": `+${letters}` }, hand);
    let resultsThen = "";
    const { verdict, look } = monitored(
      [checked("web", ["a"], { fall })],
      async (...words) => {
        hand.spend(600);
        return probe(...words);
      },
      {
        hand,
        reported: () => {
          if (verdict("web", "a") === "failing") resultsThen ||= look("web", "a")?.results ?? "";
        },
      },
    );
    await hand.pass(MINUTE);
    expect(resultsThen).toBe(results);
  });

  test("stopped for a minute in every other probe, a task stays", async () => {
    const hand = turnedByHand();
    const { probe, underWay, answer } = script({ "web/a": "+".padEnd(40, "h+") }, hand);
    const { verdict, look } = monitored([checked("web", ["a"], { fall: 1 })], probe, { hand });
    for (let stops = 0; stops < 10; stops++) {
      while (underWay.get("web/a") !== 1) await hand.pass(SECOND);
      const stopped = hand.stop(MINUTE);
      answer("web/a", "-");
      await stopped;
      expect(verdict("web", "a")).toBe("passing");
    }
    expect(look("web", "a")?.results).toBe("?+?+?+?+?+");
  });

  test("a pass is a pass, whenever it came", async () => {
    const hand = turnedByHand();
    const { probe, answer } = script({ "web/a": "hh" }, hand);
    const { verdict } = monitored([checked("web", ["a"])], probe, { hand });
    await hand.pass(SECOND);
    const stopped = hand.stop(MINUTE);
    answer("web/a", "+");
    await stopped;
    expect(verdict("web", "a")).toBe("passing");
  });

  test("a timer that is a little late is no stall", async () => {
    const hand = turnedByHand();
    const { monitor } = monitored([checked("web", ["a"])], script({}, hand).probe, { hand });
    await hand.pass(SECOND);
    await hand.stop(400);
    expect(monitor.counters.stalls).toBe(0);
  });
});

test("the state of a check is told for people", async () => {
  const hand = turnedByHand();
  const startMs = hand.clock.monotonic();
  const { probe } = script({ "web/a": "+-?!---+" }, hand);
  const { look } = monitored([checked("web", ["a"], { hold: { initialMs: MINUTE, maxMs: MINUTE } })], probe, {
    hand,
  });
  expect(look("web", "a")).toEqual({
    verdict: "starting",
    isWarned: false,
    passes: 0,
    failures: 0,
    last: undefined,
    lastPassMs: undefined,
    lastFailureMs: undefined,
    results: "",
    nextInMs: 0,
    heldUntilMs: undefined,
    startPeriodUntilMs: undefined,
  });
  await hand.pass(15 * SECOND);
  expect(look("web", "a")).toMatchObject({ verdict: "passing", isWarned: true, passes: 1 });
  await hand.pass(21 * SECOND);
  expect(look("web", "a")).toEqual({
    verdict: "failing",
    isWarned: false,
    passes: 1,
    failures: 0,
    last: { kind: "pass", detail: "connected", atMs: startMs + 35_000, durationMs: 0 },
    lastPassMs: startMs + 35_000,
    lastFailureMs: startMs + 30_000,
    results: "+-?!---+",
    nextInMs: 4 * SECOND,
    heldUntilMs: startMs + 35_000 + MINUTE,
    startPeriodUntilMs: undefined,
  });
  await hand.pass(20 * SECOND);
  expect(look("web", "a")?.results, "the last ten").toBe("?!---+++++");
});

test("the counters count", async () => {
  const hand = turnedByHand();
  const { probe } = script({ "web/a": "+---", "web/b": "!", "web/c": "?" }, hand);
  const { monitor } = monitored([checked("web", ["a", "b", "c"])], probe, { hand });
  await hand.pass(16 * SECOND);
  expect(monitor.counters).toMatchObject({
    checks: 3,
    running: 0,
    waiting: 0,
    probes: { pass: 1, warn: 4, fail: 3, unknown: 4 },
    late: 0,
    stalls: 0,
    verdicts: { passing: 2, failing: 1 },
    lateness: { count: 12, sumMs: 0, maxMs: 0 },
    delay: { count: 3, sumMs: 0, maxMs: 0 },
  });
});

describe("the end", () => {
  test("ends the probes, waits for them, and leaves no timer", async () => {
    const hand = turnedByHand();
    const { probe, probes, ended } = script({ "web/a": "h" }, hand);
    const { monitor, end, publish, verdict } = monitored([checked("web", ["a", "b"])], probe, { hand });
    await hand.pass(SECOND);
    end();
    await monitor.closed;
    expect(ended).toEqual(["web/a"]);
    expect(hand.pending).toBe(0);
    publish(checked("web", ["a", "b", "c"], { intervalMs: SECOND }));
    await hand.pass(MINUTE);
    expect(probes).toHaveLength(2);
    expect(verdict("web", "c")).toBe("awaited");
  });

  test("nothing is reported any more that had come before", async () => {
    const hand = turnedByHand();
    const { beat, end, verdict } = monitored([checked("web", ["a"], HEARTBEAT)], neverProbes, { hand });
    beat("web", "a");
    end();
    await hand.pass(SECOND);
    expect(verdict("web", "a")).toBe("awaited");
  });

  test("is at once where the signal had aborted before, or nothing is checked", async () => {
    const hand = turnedByHand();
    const { probe, probes } = script({}, hand);
    const nothing = monitored([], probe, { hand });
    nothing.end();
    await nothing.monitor.closed;
    expect(probes).toEqual([]);
    expect(hand.pending).toBe(0);
  });
});

function word(availability: Availability): Word {
  return { service: "file:web", task: parsePrefix("a"), availability, origin: "test" };
}

async function neverProbes(): Promise<never> {
  throw new Error(`a ${TCP.probe.kind} probe of who is not probed`);
}
