import { describe, expect, test } from "vitest";
import { parseEngine } from "../../../src/sources/docker/endpoint.ts";
import { type Hand, turnedByHand } from "../../by-hand.ts";
import {
  eventOf,
  type FakeEngine,
  holding,
  ID,
  inspected,
  json,
  openFakeEngine,
  ping,
  type Route,
} from "./fake-engine.ts";
import { type Watched, watching } from "./watched.ts";

const MIB = 1024 * 1024;
const STAYS = "; what it said before stays; trying again";
const NOTHING = "; nothing is known from it yet; trying again";

function watchingIt({ socket }: FakeEngine, hand?: Hand, publishing = (): void => {}): Watched {
  const options = hand
    ? { timers: hand.timers, clock: hand.clock, publishing }
    : { lookEveryMs: 1_000_000, publishing };
  return watching(parseEngine(`unix://${socket}`, {}), options);
}

/** Octets of a list, `length` in all. */
function listOf(length: number): Route {
  return (response) =>
    void response.end(Buffer.concat([Buffer.from("["), Buffer.alloc(length - 2, " "), Buffer.from("]")]));
}

const cutShort: Route = (response) => {
  response.writeHead(200, { "content-length": "100" }).write("[", () => response.socket?.destroy());
};

describe("an engine is not believed", () => {
  test.each<[string, Record<string, Route>, string]>([
    [
      "that is too old",
      { "/_ping": ping("1.40") },
      "the engine at ENGINE speaks API 1.40: Rota needs 1.41 (Docker 20.10) or later",
    ],
    [
      "that does not say what it speaks",
      { "/_ping": json(200, "OK") },
      "the engine at ENGINE cannot be reached: what listens there does not say which API it speaks, as Docker does",
    ],
    [
      "that speaks of versions as nobody does",
      { "/_ping": ping("1.41/../x") },
      "the engine at ENGINE cannot be reached: what listens there does not say which API it speaks, as Docker does",
    ],
    [
      "that is ill",
      { "/_ping": json(500, { message: "ill" }) },
      "could not ask the engine at ENGINE for /_ping: 500 ill",
    ],
    [
      "that does not tell of events",
      { "/events": json(403, { message: "no" }) },
      "could not ask the engine at ENGINE for /events: 403 no",
    ],
    [
      "that fails",
      { "/networks": json(500, { message: "a\u001b[31m\nb" }) },
      "could not ask the engine at ENGINE for /networks: 500 a [31m b",
    ],
    [
      "that fails at length",
      { "/networks": json(500, { message: "x".repeat(201) }) },
      `could not ask the engine at ENGINE for /networks: 500 ${"x".repeat(200)}…`,
    ],
    [
      "that fails in plain words",
      { "/networks": (response) => void response.writeHead(502).end("bad gateway\n") },
      "could not ask the engine at ENGINE for /networks: 502 bad gateway",
    ],
    [
      "whose answer is no JSON",
      { "/containers/json": (response) => void response.end("<html>") },
      "could not ask the engine at ENGINE for /containers/json: its answer is not JSON",
    ],
    [
      "whose answer is no list",
      { "/containers/json": json(200, {}) },
      "could not ask the engine at ENGINE for /containers/json: its answer is no list",
    ],
    [
      "that has one container it cannot tell of",
      { ...holding(inspected()), [`/containers/${ID}/json`]: json(500, { message: "ill" }) },
      `could not ask the engine at ENGINE for /containers/${ID}/json: 500 ill`,
    ],
    [
      "whose answer breaks off",
      { "/networks": cutShort },
      "could not ask the engine at ENGINE for /networks: its answer broke off: aborted",
    ],
    [
      "whose answer is over 64 MiB",
      { "/networks": listOf(64 * MIB + 1) },
      "could not ask the engine at ENGINE for /networks: its answer is over 64 MiB",
    ],
    [
      "that hangs up",
      { "/networks": (response) => void response.socket?.destroy() },
      "the engine at ENGINE cannot be reached: socket hang up",
    ],
  ])("%s", async (_, routes, message) => {
    await using engine = await openFakeEngine(routes);
    await using watched = watchingIt(engine);
    await watched.watch.ready;
    const told = message.replace("ENGINE", `unix://${engine.socket}`);
    expect(watched.reports).toEqual([`problem ${told}${NOTHING}`]);
    // Told once, however often it is tried.
    await watched.watch.look();
    await watched.watch.look();
    expect([watched.reports.length, watched.snapshots]).toEqual([1, []]);
  });

  test("that is not there, until it is", async () => {
    await using engine = await openFakeEngine();
    await using watched = watching(parseEngine(`unix://${engine.socket}.not`, {}));
    await watched.watch.ready;
    expect(watched.reports).toEqual([
      `problem the engine at unix://${engine.socket}.not cannot be reached: connect ENOENT ${engine.socket}.not (is it running, and is that its socket?)${NOTHING}`,
    ]);
  });

  test("but for an answer of 64 MiB, and one that speaks of a version to come", async () => {
    let url: string | undefined;
    await using engine = await openFakeEngine({
      "/_ping": ping("1.99"),
      "/networks": (response, request) => {
        ({ url } = request);
        listOf(64 * MIB)(response, request);
      },
    });
    await using watched = watchingIt(engine);
    await watched.watch.ready;
    expect(url).toBe("/v1.51/networks");
    expect(watched.reports).toEqual([
      `read the engine at unix://${engine.socket} is watched by its API 1.51: 0 containers on 0 networks`,
    ]);
  });

  test.each([
    ["begins to answer", (): void => {}],
    ["goes on answering", (response: Parameters<Route>[0]): void => void response.writeHead(200).write("[")],
  ])("that never %s", async (_, route) => {
    const hand = turnedByHand();
    await using engine = await openFakeEngine({ "/networks": route });
    await using watched = watchingIt(engine, hand);
    await engine.heard("GET /networks");
    await hand.pass(9999);
    expect(watched.reports).toEqual([]);
    await hand.pass(1);
    await watched.told(1);
    expect(watched.reports).toEqual([
      `problem could not ask the engine at unix://${engine.socket} for /networks: no whole answer within 10 s${NOTHING}`,
    ]);
  });
});

describe("what an engine showed stays", () => {
  test("when its events break off, and it is looked at whole once it can be asked again", async () => {
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine);
    await watched.container("web");
    engine.route(`/containers/${ID}/json`, json(200, inspected({ Name: "/other" })));
    engine.cut();
    await watched.container("other");
    const [read, problem, ...others] = watched.reports;
    expect(read).toMatch(/^read .*: 1 container on 0 networks$/);
    expect(problem).toBe(
      `problem could not ask the engine at unix://${engine.socket} for /events: its answer broke off: aborted${STAYS}`,
    );
    expect(others).toEqual([`recovered the engine at unix://${engine.socket} can be asked again`]);
  });

  test("when a look breaks off halfway", async () => {
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine);
    await watched.container("web");
    engine.route("/containers/json", json(200, []));
    engine.route("/info", cutShort);
    await watched.watch.look();
    expect(watched.reports.at(-1)).toMatch(
      /^problem .* for \/info: its answer broke off: aborted; what it said before stays; trying again$/,
    );
    expect(watched.snapshots.length).toBe(1);
    engine.route("/info", json(200, {}));
    await watched.shows(({ containers }) => (containers.length === 0 ? true : undefined));
  });

  test("when it answers nothing any more, while its events seem to go on", async () => {
    const hand = turnedByHand();
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine, hand);
    await watched.container("web");
    engine.route("/_ping", () => {});
    await hand.pass(10_000);
    await engine.heard("GET /_ping", 2);
    await hand.pass(10_000);
    expect((await watched.told(2)).at(-1)).toMatch(
      /^problem .* for \/_ping: no whole answer within 10 s; what it said/,
    );
    expect(watched.snapshots.length).toBe(1);
  });

  test.each([
    ["a line of its events has no end", 1],
    ["a line of its events is too long", 0],
  ])("when %s", async (_, without) => {
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine);
    await watched.container("web");
    // A line of 1 MiB is taken, and not understood: it rings for everything.
    engine.route(`/containers/${ID}/json`, json(200, inspected({ Name: "/other" })));
    engine.say(`${"x".repeat(MIB - 1)}\n`);
    await watched.container("other");
    expect(watched.reports.length).toBe(1);
    engine.say(`${"x".repeat(MIB + 1)}${without === 1 ? "" : "\n"}`);
    expect((await watched.told(2)).at(-1)).toBe(
      `problem could not ask the engine at unix://${engine.socket} for /events: a line of its answer is over 1 MiB${STAYS}`,
    );
  });
});

describe("an engine is looked at", () => {
  test("with nothing but GET, and by no more than eight containers at a time", async () => {
    const ids = Array.from({ length: 50 }, (_, at) => at.toString(16).padStart(64, "0"));
    const held: (() => void)[] = [];
    let most = 0;
    const routes = holding(...ids.map((id) => inspected({ Name: `/${id}` }, id)));
    for (const id of ids) {
      const answer = routes[`/containers/${id}/json`];
      routes[`/containers/${id}/json`] = (...asked) => {
        held.push(() => answer?.(...asked));
        most = Math.max(most, held.length);
        // What is let go of once nobody else comes, or eight are there.
        setImmediate(() => held.length >= 8 && release());
        if (held.length < 8 && asked[1].url?.includes(ids.at(-1) ?? "") === true) release();
      };
    }
    const release = (): void => {
      for (const answer of held.splice(0)) answer();
    };
    await using engine = await openFakeEngine(routes);
    await using watched = watchingIt(engine);
    await watched.watch.ready;
    expect([watched.snapshots[0]?.containers.length, most]).toEqual([50, 8]);
    expect(engine.asked.filter((line) => !line.startsWith("GET "))).toEqual([]);
  });

  test("without containers that are gone meanwhile, or make no sense", async () => {
    const other = "b2".repeat(32);
    await using engine = await openFakeEngine({
      ...holding(inspected(), { Id: other }),
      "/containers/json": json(200, [
        { Id: ID },
        { Id: other },
        { Id: "c3".repeat(32) },
        { Id: "../info" },
        {},
        7,
      ]),
    });
    await using watched = watchingIt(engine);
    await watched.watch.ready;
    expect(watched.snapshots[0]?.containers.map(({ name }) => name)).toEqual(["web"]);
    expect(engine.asked.filter((line) => line === "GET /info").length).toBe(1);
  });

  test("again after a look during which it rang, once for all that rang", async () => {
    let answer = (): void => {};
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine);
    await watched.container("web");
    const path = `/containers/${ID}/json`;
    engine.route(path, (response) => {
      answer = () => void response.end(JSON.stringify(inspected({ Name: "/first" })));
    });
    engine.say(eventOf("rename"));
    await engine.heard(`GET ${path}`, 2);
    engine.route(path, json(200, inspected({ Name: "/second" })));
    engine.say(eventOf("rename").repeat(5));
    // Another connection, on which nothing is held: what was said before has been heard by then.
    engine.say(eventOf("exec_die"));
    answer();
    await watched.container("second");
    const names = watched.snapshots.map(({ containers }) => containers[0]?.name);
    expect(names).toEqual(["web", "first", "second"]);
  });

  test("that is being killed, though the engine tells nothing of it until it is dead", async () => {
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine);
    await watched.container("web");
    engine.route(`/containers/${ID}/json`, () => {}); // no answer
    engine.say(eventOf("kill", { signal: "9" }));
    await watched.container("web", ({ isStopping }) => isStopping);
  });

  test.each([
    [1, 1],
    [300, 300],
    [1000, 1000],
    [1001, 1000],
    [9000, 1000],
  ])("at once after quiet, but when %i ms went into the last look, in %i ms", async (tookMs, restMs) => {
    const hand = turnedByHand();
    await using engine = await openFakeEngine(holding(inspected()));
    let costMs = 0;
    await using watched = watchingIt(engine, hand, () => hand.spend(costMs));
    await watched.container("web");
    costMs = tookMs;
    const path = `/containers/${ID}/json`;
    const asked = (): number => engine.asked.filter((line) => line === `GET ${path}`).length;
    const quiet = hand.pending;
    engine.route(path, (response) => {
      if (asked() === 2) engine.say(eventOf("rename")); // during a look
      hand.spend(100); // what the engine takes costs nothing here
      response.end(JSON.stringify(inspected({ Name: `/${asked()}` })));
    });
    engine.say(eventOf("rename"));
    await watched.container("2");
    expect(hand.pending, "it rests").toBe(quiet + 1);
    await hand.pass(restMs - 1);
    expect([hand.pending, asked()]).toEqual([quiet + 1, 2]);
    await hand.pass(1);
    await watched.container("3");
    await hand.pass(restMs);
    expect(hand.pending, "it rests no more").toBe(quiet);
    engine.say(eventOf("rename"));
    await watched.container("4");
  });

  test("every minute, if nothing rings", async () => {
    const hand = turnedByHand();
    await using engine = await openFakeEngine(holding(inspected()));
    await using watched = watchingIt(engine, hand);
    await watched.container("web");
    engine.route(`/containers/${ID}/json`, json(200, inspected({ Name: "/other" })));
    await hand.pass(60_000);
    await watched.container("other");
    expect(watched.snapshots.length).toBe(2);
  });

  test("every second for a Swarm's tasks, which are published when they differ", async () => {
    const hand = turnedByHand();
    const service = { ID: "s", Spec: { Name: "web" }, Endpoint: { Spec: { Mode: "vip" } } };
    const task = (state: string): object => ({ ID: "t", ServiceID: "s", Status: { State: state } });
    await using engine = await openFakeEngine({
      "/info": json(200, { Swarm: { LocalNodeState: "active", ControlAvailable: true } }),
      "/services": json(200, [service]),
      "/tasks": json(200, [task("starting")]),
    });
    await using watched = watchingIt(engine, hand);
    await watched.watch.ready;
    for (let second = 2; second <= 4; second++) {
      await hand.pass(1000);
      await engine.heard("GET /tasks", second);
    }
    engine.route("/tasks", json(200, [task("running")]));
    await hand.pass(1000);
    await watched.shows(({ swarm }) => swarm?.tasks.find(({ state }) => state === "running"));
    expect(watched.snapshots.length).toBe(2);
    expect(watched.snapshots[1]?.containers.length).toBe(0);
    const [before, after] = watched.snapshots.map(({ swarm }) => swarm);
    expect(after?.services[0], "what says the same is the same object").toBe(before?.services[0]);
    expect(after?.tasks[0]).not.toBe(before?.tasks[0]);
  });
});

test("a container that was sent its stop signal is stopping, until it should long have", async () => {
  const hand = turnedByHand();
  const config = { Config: { StopSignal: "SIGINT", StopTimeout: 3 } };
  await using engine = await openFakeEngine(holding(inspected(config)));
  await using watched = watchingIt(engine, hand);
  await watched.container("web", ({ isStopping }) => !isStopping);
  engine.say(eventOf("kill", { signal: "2" }));
  await watched.container("web", ({ isStopping }) => isStopping);
  const path = `GET /containers/${ID}/json`;
  await hand.pass(7999);
  expect(engine.asked.filter((line) => line === path).length).toBe(2);
  await hand.pass(11);
  await watched.container("web", ({ isStopping }) => !isStopping);

  engine.say(eventOf("kill", { signal: "9" }));
  await watched.container("web", ({ isStopping }) => isStopping);
  // It runs again, before anybody could see that it did not.
  engine.route(
    `/containers/${ID}/json`,
    json(200, inspected({ ...config, State: { Status: "running", StartedAt: "2" } })),
  );
  engine.say(eventOf("die") + eventOf("start"));
  await watched.container("web", ({ isStopping }) => !isStopping);
});

test("a watch that ends leaves no connection, no timer, and nobody waiting", async () => {
  const hand = turnedByHand();
  await using engine = await openFakeEngine(holding(inspected()));
  const watched = watchingIt(engine, hand);
  await watched.container("web");
  engine.route("/networks", () => {});
  const look = watched.watch.look();
  await engine.heard("GET /networks", 2);
  await watched[Symbol.asyncDispose]();
  await look;
  await watched.watch.look();
  expect(hand.pending).toBe(0);
  expect(watched.reports.length).toBe(1);
});
