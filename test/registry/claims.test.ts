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
    /** Every key that is claimed, and all above it. */
    existing(): ReadonlySet<string> {
      const claimed = [...claims].filter(([, list]) => list.length > 0).map(([name]) => name);
      return new Set(claimed.flatMap(withAllAbove));
    },
    contested: () => [...claims].filter(([, list]) => list.length > 1).map(([name]) => name),
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

function above(name: string): string | undefined {
  return name.includes(".") ? name.slice(name.indexOf(".") + 1) : undefined;
}

function withAllAbove(name: string): readonly string[] {
  const next = above(name);
  return next === undefined ? [name] : [name, ...withAllAbove(next)];
}

const key = fc
  .array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 })
  .map((labels) => labels.join("."));
const scopes = fc.uniqueArray(fc.constantFrom("x", "y", "z"), { minLength: 1 });
const doing = fc.constantFrom("add", "add", "remove");
const step = fc.record({ key, who: fc.nat(3), scopes, doing });
const SIGHTS = [undefined, new Set<string>(), new Set(["x"]), new Set(["z", "y"]), new Set(["x", "y", "z"])];

test("whatever is claimed and given up, each key is held in each scope by the first, and what is above it exists", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const claims: Claims<string, number, string> = createClaims<string, number, string>({
        compare: (one, other) => one - other,
        moved: () => {},
        contested: () => {},
        above,
        existence: {
          add: (name) => void existing.add(name),
          remove: (name) => void existing.delete(name),
        },
      });
      const existing = new Set<string>();
      const twin = createPlainTwin();
      const keys = new Set<string>();
      for (const { key, who, scopes, doing } of steps) {
        keys.add(key);
        const told = `${doing} ${who} ${key} in ${scopes.join()}`;
        twin.remove(key, who); // of a claim on what is claimed already, the later counts
        if (doing === "remove") {
          claims.remove(key, who);
        } else {
          claims.add(key, { claimant: who, meaning: told, scopes });
          twin.add(key, who, scopes);
          const alone = new Set(scopes.filter(() => !twin.contested().includes(key)));
          if (alone.size > 0) expect(claims.find(key, alone)).toMatchObject({ meaning: told });
        }
        expect(existing, told).toEqual(twin.existing());
        expect(new Set(claims.keys()), told).toEqual(twin.existing());
        expect([...claims.contested()].toSorted(), told).toEqual(twin.contested().toSorted());
        expect(claims.isContested(key), told).toBe(twin.contested().includes(key));
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
      above,
    });
    for (let who = 0; who < count; who++) {
      claims.add("web", { claimant: who, meaning: "service", scopes: [`net${who}`] });
      claims.add("tasks.web", { claimant: who, meaning: "tasks", scopes: [`net${who}`] });
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

test("what is claimed anew by who holds it is there all the time, whatever stands above and beneath", () => {
  const gone: string[] = [];
  const moved: number[] = [];
  const claims: Claims<string, number, string> = createClaims<string, number, string>({
    compare: (one, other) => one - other,
    moved: (who) => moved.push(who),
    contested: () => {},
    above,
    existence: { add: () => {}, remove: (name) => gone.push(name) },
  });
  const claim = (key: string, claimant: number, scopes: readonly string[]): void =>
    claims.add(key, { claimant, meaning: scopes.join(), scopes });
  for (const scopes of [["x"], ["x"], ["x", "y"], ["y"], ["z"]])
    for (const key of ["web", "http.tcp.web", "a.web"]) claim(key, 1, scopes);
  expect(claims.find("web", new Set(["x", "y"]))).toBeUndefined();
  expect(claims.find("tcp.web", new Set(["x", "y"]))).toBeUndefined();
  expect(claims.find("tcp.web", new Set(["z"]))).toBe("below");
  claim("web", 2, ["z"]);
  claim("web", 1, ["z"]); // the first stays the first
  expect({ gone, moved }).toEqual({ gone: [], moved: [] });
  claim("web", 0, ["z"]);
  expect(moved).toEqual([1, 0]);
  for (const who of [0, 1, 2]) claims.remove("web", who);
  expect(gone).toEqual([]); // something is beneath it
  for (const key of ["http.tcp.web", "a.web"]) claims.remove(key, 1);
  expect(gone.toSorted()).toEqual(["a.web", "http.tcp.web", "tcp.web", "web"]);
});
