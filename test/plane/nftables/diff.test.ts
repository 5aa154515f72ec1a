import * as fc from "fast-check";
import { expect, test } from "vitest";
import { runnerIn } from "../../../src/plane/command.ts";
import { diff, elementsOf } from "../../../src/plane/nftables/diff.ts";
import { createKernel } from "../../../src/plane/nftables/kernel.ts";
import type { Monitor } from "../../../src/plane/nftables/monitor.ts";
import { render, type Ruleset } from "../../../src/plane/nftables/ruleset.ts";
import { OPEN_TERRAIN } from "../../../src/plane/nftables/terrain.ts";
import type { Frontend, PlaneState } from "../../../src/plane/plane.ts";
import { testNeeding } from "../../needing.ts";
import { NEEDS, openGround } from "./ground.ts";
import { backend, published, service, stateOf, vip } from "./states.ts";

const BACKEND = fc.record({
  host: fc.integer({ min: 1, max: 5 }),
  weight: fc.integer({ min: 0, max: 3 }),
  duty: fc.constantFrom("serving", "serving", "draining", "down"),
  node: fc.constantFrom(undefined, "n2"),
});

/** Frontends of one service, which may want the ports and the tasks that others want. */
const FRONTEND = fc
  .record({
    kind: fc.constantFrom("vip", "any", "vip6", "published"),
    at: fc.integer({ min: 1, max: 4 }),
    balance: fc.constantFrom("weighted", "rotate", "random", "source"),
    affinityMs: fc.constantFrom(0, 0, 60_000),
    backends: fc.array(BACKEND, { maxLength: 4 }),
  })
  .map(({ kind, at, balance, affinityMs, backends }): Frontend => {
    const family = kind === "vip6" ? "fd61::" : "10.61.1.";
    const port = kind === "any" ? undefined : 8080;
    const tasks = backends.map(({ host, ...more }) => backend(`${family}${host}`, port, more));
    const more = { balance, affinityMs };
    switch (kind) {
      case "vip":
        return vip(`10.64.0.${at}`, 80, tasks, more);
      case "any":
        return vip(`10.64.0.${at}`, undefined, tasks, more);
      case "vip6":
        return vip(`fd64::${at}`, 80, tasks, more);
      case "published":
        return published(8000 + at, tasks, more);
    }
  });

/** A state and the next ones: of four services, some stay the same in each. */
const STORY = fc
  .array(fc.array(fc.option(fc.array(FRONTEND, { maxLength: 3 })), { minLength: 4, maxLength: 4 }), {
    minLength: 2,
    maxLength: 20,
  })
  .map((chapters) => {
    const services = chapters[0]?.map((_, at) => service(`s${at}`)) ?? [];
    return chapters.map((chapter): PlaneState => {
      for (const [at, frontends] of chapter.entries()) {
        if (frontends !== null) services[at] = service(`s${at}`, ...frontends);
      }
      // Who leads nowhere is not there.
      return stateOf(...services.filter(({ frontends }) => frontends.length > 0));
    });
  });

test("a change makes one ruleset of another: nothing is deleted that is not there, or added that is", () => {
  fc.assert(
    fc.property(STORY, ([one = stateOf(), other = stateOf()]) => {
      const [from, to] = rulesets(one, other);
      const there = new Map(elementsOf(from));
      const change = diff(from, to, new Set(from.classes.keys()));
      for (const { set, key } of change.deleted) expect(there.delete(`${set} ${key}`)).toBe(true);
      for (const element of change.added) {
        const key = `${element.set} ${element.key}`;
        expect(there.has(key)).toBe(false);
        there.set(key, element);
      }
      expect(there).toEqual(elementsOf(to));
    }),
    { numRuns: 500 },
  );
});

test("a ruleset that was made from one before is the same as one that was made anew", () => {
  fc.assert(
    fc.property(STORY, ([one = stateOf(), other = stateOf()]) => {
      const [, to] = rulesets(one, other);
      expect(elementsOf(to)).toEqual(elementsOf(render(other, OPEN_TERRAIN)));
    }),
  );
});

test("chains that nothing leads to are deleted once there are more than 64", () => {
  const [none] = rulesets(stateOf(), stateOf());
  const chains = Array.from({ length: 65 }, (_, at) => `chain-${at}`);
  expect(diff(none, none, new Set(chains.slice(1))).oldChains).toEqual([]);
  expect(diff(none, none, new Set(chains)).oldChains).toEqual(chains);
});

testNeeding(NEEDS)("in the kernel, changes come to what replacing everything comes to", async () => {
  const ground = await openGround();
  const kernel = createKernel(runnerIn(["nsenter", `--net=${ground.netns}`]), deaf);
  const states = fc.sample(STORY, 4).flat();
  let before: Ruleset = render(stateOf(), OPEN_TERRAIN);
  await kernel.replace(before);
  const changed: unknown[] = [];
  for (const state of states) {
    const next = render(state, OPEN_TERRAIN, before);
    await kernel.change(before, next);
    changed.push(contentOf(ground.run("nft", "-j", "list", "table", "inet", "rota"), next));
    before = next;
  }
  for (const [at, state] of states.entries()) {
    const whole = render(state, OPEN_TERRAIN);
    await kernel.replace(whole);
    const content = contentOf(ground.run("nft", "-j", "list", "table", "inet", "rota"), whole);
    expect(changed[at]).toEqual(content);
  }
});

testNeeding(NEEDS)(
  "in the kernel, a table that somebody else has made meanwhile is not changed",
  async () => {
    const ground = await openGround();
    const run = runnerIn(["nsenter", `--net=${ground.netns}`]);
    const [mine, other] = [createKernel(run, deaf), createKernel(run, deaf)];
    const [none, some] = rulesets(stateOf(), stateOf(service("web", vip("10.64.0.1", 80, []))));
    await mine.replace(none);
    await other.replace(none);
    await expect(mine.touch()).rejects.toMatchObject({ code: "ERR_ROTA_PLANE" });
    await expect(mine.change(none, some)).rejects.toMatchObject({ code: "ERR_ROTA_PLANE" });
    expect(ground.run("nft", "list", "table", "inet", "rota")).not.toContain("10.64.0.1");
  },
);

function rulesets(one: PlaneState, other: PlaneState): [Ruleset, Ruleset] {
  const from = render(one, OPEN_TERRAIN);
  return [from, render(other, OPEN_TERRAIN, from)];
}

/** Nobody listens. */
const deaf: Monitor = {
  expectReplace: () => {},
  expectChange: () => {},
  expectNothing: () => {},
  isHeard: true,
  run: async () => {},
};

/** The elements of all sets and maps, and the rules of all chains, but those of classes that are not needed any more. */
function contentOf(listing: string, { classes }: Ruleset): unknown {
  const { nftables }: { nftables: Record<string, Record<string, unknown>>[] } = JSON.parse(listing);
  const content: string[] = [];
  for (const [kind, object] of nftables.flatMap((one) => Object.entries(one))) {
    const { handle: _, index: _index, elem = [], ...rest } = object;
    const chain = String(rest["chain"] ?? rest["name"]);
    if (rest["name"] === "serial" || kind === "metainfo") continue;
    if ((kind === "chain" || kind === "rule") && /^(?:vip|any|pub)\d/.test(chain) && !classes.has(chain))
      continue;
    content.push(JSON.stringify({ kind, ...rest }));
    if (Array.isArray(elem))
      content.push(...elem.map((one) => `${String(rest["name"])} ${JSON.stringify(one)}`));
  }
  return content.toSorted();
}
