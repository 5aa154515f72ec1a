import { expect, test } from "vitest";
import { createOutlines } from "../../src/app/outlines.ts";
import { formatSubnet, parseAddress, parseSubnet } from "../../src/model/address.ts";
import { type Declaration, EMPTY_ROSTER, type Network, type Roster } from "../../src/model/declaration.ts";
import { formatPrefix } from "../../src/model/name.ts";
import { parseService } from "../../src/schema/schema.ts";

const CONTEXT = { networks: new Map(), origin: "test" };

function outlined(name: string): Declaration {
  return { ...parseService(name, { endpoint_mode: "dnsrr", namespace: "shop" }, CONTEXT), isOutline: true };
}

function running(name: string, ...tasks: readonly string[]): Declaration {
  return parseService(name, { endpoint_mode: "dnsrr", namespace: "shop", tasks }, CONTEXT);
}

function roster(services: readonly Declaration[], networks: readonly Network[] = []): Roster {
  return { ...EMPTY_ROSTER, services, networks };
}

/** Outlines, and what they publish, a line each: `files: web? db 1`, with the number of tasks, `?` for an outline. */
function joining() {
  const told: string[] = [];
  const last: { files?: Roster; engine?: Roster } = {};
  const publish = (side: "files" | "engine") => (roster: Roster) => {
    last[side] = roster;
    const shown = roster.services.map(({ name, isOutline, tasks }) =>
      isOutline ? `${formatPrefix(name)}?` : `${formatPrefix(name)} ${tasks.length}`,
    );
    told.push(`${side}: ${shown.join(", ")}`);
  };
  const outlines = createOutlines({ files: publish("files"), engine: publish("engine") });
  return { ...outlines, last, told: () => told.splice(0) };
}

test("an outline waits for its engine, is filled where it stands, and is one again when the engine loses it", () => {
  const { takeFiles, takeEngine, told } = joining();
  takeFiles(roster([outlined("web"), running("mail", "10.0.0.9"), outlined("db")]));
  expect(told()).toEqual(["files: web?, mail 1, db?"]);
  takeEngine(roster([running("other", "10.0.0.8"), running("db", "10.0.0.1", "10.0.0.2")]));
  expect(told()).toEqual(["engine: other 1", "files: web?, mail 1, db 2"]);
  takeEngine(roster([]));
  expect(told()).toEqual(["engine: ", "files: web?, mail 1, db?"]);
});

test("a service that goes from one side to the other is never on neither", () => {
  const { takeFiles, takeEngine, told } = joining();
  takeEngine(roster([running("web", "10.0.0.1"), running("db", "10.0.0.2")]));
  takeFiles(roster([]));
  expect(told()).toEqual(["engine: web 1, db 1", "files: "]);
  takeFiles(roster([outlined("web")]));
  expect(told()).toEqual(["files: web 1", "engine: db 1"]);
  // One comes and the other goes at once.
  takeFiles(roster([outlined("db")]));
  expect(told()).toEqual(["engine: web 1, db 1", "files: db 1", "engine: web 1"]);
  takeFiles(roster([]));
  expect(told()).toEqual(["engine: web 1, db 1", "files: "]);
});

test("what did not change is the same object, and is not published again", () => {
  const { takeFiles, takeEngine, told, last } = joining();
  const [web, db] = [outlined("web"), outlined("db")];
  const [webTasks, dbTasks] = [running("web", "10.0.0.1"), running("db", "10.0.0.2")];
  takeFiles(roster([web, db]));
  takeEngine(roster([webTasks, dbTasks]));
  const before = last.files?.services ?? [];
  told();
  takeFiles(roster([web, db]));
  takeEngine(roster([webTasks, dbTasks]));
  expect(told()).toEqual([]);
  takeEngine(roster([webTasks, running("db", "10.0.0.2", "10.0.0.3")]));
  expect(told()).toEqual(["files: web 1, db 2"]);
  expect(last.files?.services[0]).toBe(before[0]);
  expect(last.files?.services[1]).not.toBe(before[1]);
});

test("each side is published once it has said something, be it nothing", () => {
  const { takeFiles, takeEngine, told } = joining();
  takeEngine(EMPTY_ROSTER);
  expect(told()).toEqual(["engine: "]);
  takeFiles(EMPTY_ROSTER);
  expect(told()).toEqual(["files: "]);
});

test("settings and clients alone are news, too, to their own side", () => {
  const { takeFiles, takeEngine, told, last } = joining();
  takeFiles(EMPTY_ROSTER);
  takeEngine(EMPTY_ROSTER);
  told();
  takeFiles({ ...EMPTY_ROSTER, ttl: 7 });
  expect([told(), last.files?.ttl]).toEqual([["files: "], 7]);
  const client = {
    address: parseAddress("10.0.0.1"),
    networks: ["shop_front"],
    namespace: running("web").namespace,
  };
  takeEngine({ ...EMPTY_ROSTER, clients: [client] });
  expect([told(), last.engine?.clients]).toEqual([["engine: "], [client]]);
});

test("services of other names, of other namespaces and those that files declare whole fill nothing", () => {
  const { takeFiles, takeEngine, told } = joining();
  takeFiles(roster([outlined("web"), running("mail", "10.0.0.1")]));
  const elsewhere = parseService("web", { endpoint_mode: "dnsrr", namespace: "other" }, CONTEXT);
  takeEngine(roster([elsewhere, running("mail", "10.0.0.2", "10.0.0.3")]));
  expect(told()).toEqual(["files: web?, mail 1", "engine: web 0, mail 2"]);
});

test("of two outlines of one service, as an override file makes them, the first has its tasks", () => {
  const { takeFiles, takeEngine, told } = joining();
  takeFiles(roster([outlined("web"), outlined("web")]));
  takeEngine(roster([running("web", "10.0.0.1")]));
  expect(told()).toEqual(["files: web?, web?", "engine: ", "files: web 1, web?"]);
});

test("a network that a file gives VIPs has the addresses that the engine knows it to have", () => {
  const { takeFiles, takeEngine, last, told } = joining();
  const subnet = parseSubnet("172.20.0.0/16");
  const vips = [parseSubnet("172.20.128.0/17")];
  const files = roster([], [{ name: "shop_front", subnets: [], vips }]);
  const engine = roster([], [{ name: "shop_front", subnets: [subnet, parseSubnet("fd00::/64")], vips: [] }]);
  takeFiles(files);
  takeEngine(engine);
  const shown = last.files?.networks.map(({ name, subnets, vips }) =>
    [name, ...subnets.map(formatSubnet), "vips", ...vips.map(formatSubnet)].join(" "),
  );
  expect(shown).toEqual(["shop_front 172.20.0.0/16 fd00::/64 vips 172.20.128.0/17"]);
  told();
  takeEngine({ ...engine });
  expect(told()).toEqual([]);
});
