import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Claims, createClaims } from "../../src/registry/claims.ts";

interface Claim {
  readonly who: number;
  readonly scopes: readonly string[];
}

/** As the claims do, by looking through everything. */
function createPlainTwin() {
  const claims = new Map<string, Claim[]>();
  return {
    add(key: string, who: number, scopes: readonly string[]) {
      claims.set(key, [...(claims.get(key) ?? []), { who, scopes }]);
    },
    remove(key: string, who: number) {
      claims.set(
        key,
        (claims.get(key) ?? []).filter((claim) => claim.who !== who),
      );
    },
    has: (key: string, who: number) => (claims.get(key) ?? []).some((claim) => claim.who === who),
    find(key: string, seen: ReadonlySet<string> | undefined): number | "below" | undefined {
      const isSeen = ({ scopes }: Claim): boolean => !seen || scopes.some((scope) => seen.has(scope));
      const all = claims.get(key) ?? [];
      const decisive = [...(seen ?? [])].find((scope) => all.some(({ scopes }) => scopes.includes(scope)));
      const whos = all.filter(({ scopes }) => !seen || (decisive && scopes.includes(decisive)));
      if (whos.length > 0) return Math.min(...whos.map(({ who }) => who));
      const beneath = [...claims].some(([name, list]) => name.endsWith(`.${key}`) && list.some(isSeen));
      return beneath ? "below" : undefined;
    },
  };
}

const key = fc
  .array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join("."));
const scopes = fc.uniqueArray(fc.constantFrom("x", "y", "z"), { minLength: 1 });
const step = fc.record({ key, who: fc.nat(3), scopes, isRemoval: fc.boolean() });
const SIGHTS = [undefined, new Set<string>(), new Set(["x"]), new Set(["z", "y"]), new Set(["x", "y", "z"])];

test("whatever is claimed and given up, each key is held in each scope by the first, and what is above it exists", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const claims: Claims<string, number, string> = createClaims<string, number, string>({
        compare: (one, other) => one - other,
        moved: () => {},
        contested: () => {},
        above: (name) => (name.includes(".") ? name.slice(name.indexOf(".") + 1) : undefined),
      });
      const twin = createPlainTwin();
      const keys = new Set<string>();
      for (const { key, who, scopes, isRemoval } of steps) {
        keys.add(key);
        if (isRemoval || twin.has(key, who)) {
          claims.remove(key, who);
          twin.remove(key, who);
        } else {
          claims.add(key, who, "meaning", scopes);
          twin.add(key, who, scopes);
        }
        for (const name of [...keys, "a", "b", "a.b", "b.b"]) {
          for (const seen of SIGHTS) {
            const found = claims.find(name, seen);
            const told = found && found !== "below" ? found.claimant : found;
            expect(told, `${name} in ${seen ? [...seen].join() : "all"}`).toBe(twin.find(name, seen));
          }
        }
      }
    }),
  );
});

test(
  "as many may claim a name as there are networks, and more than a stack is deep",
  { timeout: 20_000 },
  () => {
    const count = 20_000;
    const claims: Claims<string, number, string> = createClaims<string, number, string>({
      compare: (one, other) => one - other,
      moved: () => {},
      contested: () => {},
      above: (name) => (name.includes(".") ? name.slice(name.indexOf(".") + 1) : undefined),
    });
    for (let who = 0; who < count; who++) {
      claims.add("web", who, "service", [`net${who}`]);
      claims.add("tasks.web", who, "tasks", [`net${who}`]);
    }
    claims.settle();
    const seen = new Set([`net${count - 1}`]);
    expect(claims.find("web", seen)).toMatchObject({ claimant: count - 1 });
    claims.remove("web", count - 1);
    expect(claims.find("web", seen)).toBe("below");
    claims.remove("tasks.web", count - 1);
    expect(claims.find("web", seen)).toBeUndefined();
    claims.remove("tasks.web", 0);
    claims.remove("web", 0);
    expect(claims.find("web", new Set(["net0"]))).toBeUndefined();
  },
);
