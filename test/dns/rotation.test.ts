import { describe, expect, test } from "vitest";
import type { ServiceDeclaration } from "../../src/schema/input.ts";
import { type Served, served } from "./served.ts";

const QUERIES = 10_000;

function dnsrr(count: number, words: ServiceDeclaration = {}): ServiceDeclaration {
  const tasks = Array.from({ length: count }, (_, at) => ({
    address: [`192.0.2.${at + 1}`, `2001:db8::${at + 1}`],
  }));
  return { endpoint_mode: "dnsrr", tasks, ...words };
}

/** How often each address was first, when all these questions are asked in turn. */
function firsts({ shown }: Served, questions: readonly string[]): Map<string, Map<string, number>> {
  const counts = new Map(questions.map((question) => [question, new Map<string, number>()]));
  for (let asked = 0; asked < QUERIES; asked++) {
    for (const question of questions) {
      const [first = "nobody"] = shown(question);
      const count = counts.get(question);
      count?.set(first, (count.get(first) ?? 0) + 1);
    }
  }
  return counts;
}

describe("each of n tasks is first between 0.97/n and 1.03/n of the times", () => {
  const services = {
    web: dnsrr(4),
    api: dnsrr(2),
    db: dnsrr(3),
    few: dnsrr(7, { max_answers: 2 }),
    port: dnsrr(5, { ports: [80] }),
  };
  const tasksOf = (question: string): number =>
    Object.entries(services).find(([name]) => question.includes(name))?.[1].tasks?.length ?? 0;
  test.each([
    ["when one name is asked", ["web A"]],
    ["when A and AAAA are asked in turn", ["web A", "web AAAA"]],
    ["when several services are asked in turn", ["web A", "api A", "db A"]],
    ["when one service is asked by several names", ["web A", "tasks.web A"]],
    ["when answers are limited", ["few A"]],
    ["when SRV is asked", ["_80._tcp.port SRV"]],
  ])("%s", (_, questions) => {
    const counts = firsts(served({ services }), questions);
    for (const [question, byAddress] of counts) {
      const share = QUERIES / tasksOf(question);
      expect(byAddress.size, question).toBe(tasksOf(question));
      for (const count of byAddress.values()) {
        expect(count, question).toBeGreaterThanOrEqual(0.97 * share);
        expect(count, question).toBeLessThanOrEqual(1.03 * share);
      }
    }
  });
});

test("an answer has every task once, whoever is first", () => {
  const { shown } = served({ services: { web: dnsrr(3) } });
  const answers = Array.from({ length: 3 }, () => shown("web A"));
  expect(new Set(answers.map(([first]) => first)).size).toBe(3);
  for (const answer of answers) expect(answer.toSorted()).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
});

test("max_answers gives that many, and each task its share of all places", () => {
  const server = served({ services: { web: dnsrr(5, { max_answers: 2 }) } });
  const given = Array.from({ length: 500 }, () => server.shown("web A"));
  expect(given.every((answer) => answer.length === 2)).toBe(true);
  const places = given.flat();
  for (const address of new Set(places))
    expect(places.filter((place) => place === address)).toHaveLength(200);
});

test("weighted: each task is first as often as its weight says, and not in one run", () => {
  const weights = { "192.0.2.1": 5, "192.0.2.2": 3, "192.0.2.3": 2, "192.0.2.4": 0 };
  const tasks = Object.entries(weights).map(([address, weight]) => ({ address, weight }));
  const server = served({ services: { web: { endpoint_mode: "dnsrr", order: "weighted", tasks } } });
  const order = Array.from({ length: 1000 }, () => server.shown("web A"));
  const first = order.map(([address]) => address);
  const counts = Object.keys(weights).map((address) => first.filter((one) => one === address).length);
  expect(counts).toEqual([500, 300, 200, 0]);
  expect(first.slice(0, 3)).not.toEqual(Array.from({ length: 3 }, () => first[0]));
  expect(new Set(order.map((addresses) => addresses.at(-1))), "weight 0 comes last").toEqual(
    new Set(["192.0.2.4"]),
  );
});

test("weighted: tasks that all have weight 0 take turns", () => {
  const tasks = ["192.0.2.1", "192.0.2.2"].map((address) => ({ address, weight: 0 }));
  const server = served({ services: { web: { endpoint_mode: "dnsrr", order: "weighted", tasks } } });
  const first = Array.from({ length: 4 }, () => server.shown("web A")[0]);
  expect(first).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"]);
});

test("a task with several addresses is first no more often than one with one", () => {
  const tasks = [{ address: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] }, { address: "192.0.2.9" }];
  const server = served({ services: { web: { endpoint_mode: "dnsrr", tasks } } });
  const first = Array.from({ length: 40 }, () => server.shown("web A")[0]);
  expect(first.filter((address) => address === "192.0.2.9")).toHaveLength(20);
  expect(server.shown("web A")).toHaveLength(4);
});

test("weighted: an address that several tasks share has the weight of all", () => {
  const tasks = ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.2:1"];
  const server = served({
    services: { web: { endpoint_mode: "dnsrr", order: "weighted", ports: [80], tasks } },
  });
  const first = Array.from({ length: 400 }, () => server.shown("web A")[0]);
  expect(first.filter((address) => address === "192.0.2.1")).toHaveLength(300);
});

test("random: every order comes, each about as often", () => {
  const server = served({ services: { web: dnsrr(3, { order: "random" }) } }, { random: Math.random });
  const orders = Array.from({ length: 6000 }, () => server.shown("web A").join(" "));
  const counts = new Map<string, number>();
  for (const order of orders) counts.set(order, (counts.get(order) ?? 0) + 1);
  expect(counts.size).toBe(6);
  // Ten standard deviations: a right shuffle fails this less than once in the life of the sun.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(300);
});

test.each(["rotate", "weighted"] as const)(
  "%s: a service that keeps changing does not lead everybody to its first task",
  (order) => {
    let drawn = 0;
    const server = served(
      { services: { web: dnsrr(2, { order }) } },
      { random: () => (drawn = (drawn + 0.618) % 1) },
    );
    const first = Array.from({ length: 20 }, (_, at) => {
      const [declaration] = [...server.registry.services()].map((service) => service.declaration);
      if (declaration) server.source.declare({ ...declaration, ttl: at });
      return server.shown("web A")[0];
    });
    expect(new Set(first).size).toBe(2);
  },
);
