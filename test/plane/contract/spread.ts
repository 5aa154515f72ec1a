import { expect } from "vitest";
import { createScope } from "../../../src/base/scope.ts";
import type { Found } from "../lab/lab.ts";
import { answersOf, type Clause, forEachKind } from "./clause.ts";
import { backendsOf, vipService } from "./services.ts";

/** How new flows are shared out. */
export const SPREAD: readonly Clause[] = [
  ...forEachKind(
    "in turn, each task gets as many new flows as any other",
    async ({ lab, apply }, family, protocol) => {
      const front = await lab.vip(family);
      await apply(vipService(front, backendsOf(lab.tasks, family), { balance: "rotate" }));
      const { names } = await answersOf(lab, { ...front, protocol }, lab.tasks.length * 10);
      expect(names).toEqual(Object.fromEntries(lab.tasks.map(({ name }) => [name, 10])));
    },
  ),

  ...forEachKind("at random, each task gets about its share", async ({ lab, apply }, family, protocol) => {
    const front = await lab.vip(family);
    await apply(vipService(front, backendsOf(lab.tasks, family), { balance: "random" }));
    const found = await answersOf(lab, { ...front, protocol }, lab.pace.questions);
    expectShares(found, Object.fromEntries(lab.tasks.map(({ name }) => [name, 1])));
  }),

  ...forEachKind("by weight, 7:2:1 are what they say", async ({ lab, apply }, family, protocol) => {
    const front = await lab.vip(family);
    const weights = { t1: { weight: 7 }, t2: { weight: 2 }, t3: { weight: 1 }, t4: { weight: 0 } };
    await apply(vipService(front, backendsOf(lab.tasks, family, weights), { balance: "weighted" }));
    const found = await answersOf(lab, { ...front, protocol }, lab.pace.questions);
    expectShares(found, { t1: 7, t2: 2, t3: 1 });
  }),

  {
    name: "by connections, each task has as many open as any other",
    needs: ["leastconn"],
    async run({ lab, apply }) {
      const front = await lab.vip(4);
      await apply(vipService(front, backendsOf(lab.tasks, 4), { balance: "leastconn" }));
      const open = new Map<string, number>();
      await using flows = createScope();
      for (let count = 0; count < lab.tasks.length * 2; count++) {
        const { name = "nobody" } = flows.use(await lab.hold(lab.client.name, front)).first;
        open.set(name, (open.get(name) ?? 0) + 1);
      }
      expect(open).toEqual(new Map(lab.tasks.map(({ name }) => [name, 2])));
    },
  },

  ...forEachKind("by source, a client stays with its task", async ({ lab, apply }, family, protocol) => {
    const front = await lab.vip(family);
    await apply(vipService(front, backendsOf(lab.tasks, family), { balance: "source" }));
    const from = thereAndBack(lab.client.from[family]);
    const found = await answersOf(lab, { ...front, protocol, from }, from.length * 2);
    expectFaithful(found);
    // That 16 clients have one task of four by chance: 4 x 4^-16, or 1e-9.
    if (from.length > 2) expect(Object.keys(found.names).length).toBeGreaterThan(1);
  }),

  ...forEachKind(
    "with affinity, a client stays with the task that it had",
    async ({ lab, apply }, family, protocol) => {
      const front = await lab.vip(family);
      const sticky = { balance: "random", affinityMs: 600_000 } as const;
      await apply(vipService(front, backendsOf(lab.tasks, family), sticky));
      const from = thereAndBack(lab.client.from[family]);
      const found = await answersOf(lab, { ...front, protocol, from }, from.length * 2);
      expectFaithful(found);
      if (from.length > 2) expect(Object.keys(found.names).length).toBeGreaterThan(1);
      // Its task is gone: another takes it, and keeps it.
      const first = from[0] ?? "";
      const [had] = Object.keys(found.byClient[first] ?? {});
      const left = lab.tasks.filter(({ name }) => name !== had);
      await apply(vipService(front, backendsOf(left, family), sticky));
      const again = await answersOf(lab, { ...front, protocol, from }, from.length * 2);
      expect(Object.keys(again.names)).not.toContain(had);
      expectFaithful(again);
      for (const client of from.filter((client) => Object.keys(found.byClient[client] ?? {})[0] !== had)) {
        expect(Object.keys(again.byClient[client] ?? {}), "who had another task keeps it").toEqual(
          Object.keys(found.byClient[client] ?? {}),
        );
      }
    },
  ),
];

/** Once in this order and once in the other: who takes tasks in turn cannot seem to tell clients apart. */
function thereAndBack(from: readonly string[]): string[] {
  return [...from, ...from.toReversed()];
}

function expectFaithful({ byClient }: Found): void {
  for (const [client, names] of Object.entries(byClient)) {
    expect(Object.keys(names), `the tasks that ${client} got`).toHaveLength(1);
  }
}

/** That counts are within what chance makes of `shares`; who has no share gets none. */
function expectShares({ names }: Found, shares: Readonly<Record<string, number>>): void {
  const asked = sum(Object.values(names));
  const whole = sum(Object.values(shares));
  expect(Object.keys(shares), "who has a share").toEqual(expect.arrayContaining(Object.keys(names)));
  for (const [name, share] of Object.entries(shares)) {
    const [least, most] = boundsOf(asked, share / whole);
    const why = `${name} of ${asked}, in ${JSON.stringify(names)}`;
    expect(names[name] ?? 0, why).toBeGreaterThanOrEqual(least);
    expect(names[name] ?? 0, why).toBeLessThanOrEqual(most);
  }
}

/** Below which chance a count is no chance any more, on either side: four tasks' come to less than 1e-9. */
const FALSE_ALARM = 1e-10;

/** The least and the most of `count` tries that succeed with `chance` each. */
export function boundsOf(count: number, chance: number): readonly [number, number] {
  return [tailOf(count, chance), count - tailOf(count, 1 - chance)];
}

/** The greatest number that fewer successes than it are a false alarm. */
function tailOf(count: number, chance: number): number {
  // The binomial distribution, each term from the one before; as logarithms, since the first is tiny.
  let term = count * Math.log(1 - chance);
  let below = 0;
  for (let successes = 0; successes <= count; successes++) {
    below += Math.exp(term);
    if (below > FALSE_ALARM) return successes;
    term += Math.log(((count - successes) / (successes + 1)) * (chance / (1 - chance)));
  }
  return count;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
