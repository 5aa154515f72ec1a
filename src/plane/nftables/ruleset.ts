import { isSameList } from "../../base/compare.ts";
import { formatSubnet, isInside, isLoopback, type Subnet } from "../../model/address.ts";
import type { PlaneState } from "../plane.ts";
import type { Class } from "./classes.ts";
import type { Element } from "./place.ts";
import { serviceRules, type ServiceRules } from "./service.ts";
import type { Terrain } from "./terrain.ts";

/** What a state comes to in the kernel, as a value. Rules of a service that did not change are the same object. */
export interface Ruleset {
  readonly terrain: Terrain;
  /** By the service's id, in the order of the state. */
  readonly services: ReadonlyMap<string, ServiceRules>;
  /** Of no service: the pools. */
  readonly base: readonly Element[];
  /** Each class that a service needs, or needed a few changes ago, by its chain's name. */
  readonly classes: ReadonlyMap<string, Class>;
  /** How many changes ago all of it was worked out. */
  readonly age: number;
}

/** How many services are rendered at a time. */
const SLICE = 200;
/** So many services may differ for only them to be looked at, and so often in a row. */
const MAX_AMENDED = 64;
const MAX_AGE = 64;

/**
 * The ruleset of a state; what did not change since `previous` is taken from there. Yields now and then, so that who has
 * other things to do can do them.
 */
export function* renderSteps(
  state: PlaneState,
  terrain: Terrain,
  previous?: Ruleset,
): Generator<void, Ruleset, void> {
  const amended = previous && amend(state, terrain, previous);
  if (amended) return amended;
  const known = previous?.terrain === terrain ? previous.services : new Map<string, ServiceRules>();
  const services = new Map<string, ServiceRules>();
  const classes = new Map<string, Class>();
  const claimed = new Set<string>();
  let fresh = 0;
  for (const [id, service] of state.services) {
    const old = known.get(id);
    let rules = old;
    if (rules?.service !== service) {
      rules = serviceRules(id, service, terrain);
      fresh += 1;
      if (fresh % SLICE === 0) yield;
    }
    // Who comes first in the state has it.
    const lost = lostOf(rules, claimed);
    if (lost.join() !== rules.lost) rules = serviceRules(id, service, terrain, lost);
    for (const claim of rules.claims) claimed.add(claim);
    for (const [chain, kind] of rules.classes) classes.set(chain, kind);
    services.set(id, rules);
  }
  return { terrain, services, classes, base: poolElements(carriedPools(state, terrain)), age: 0 };
}

/**
 * The same ruleset with a few services rendered anew, where nothing that they have is any other's: of ten thousand
 * services nearly every change is of one's tasks. Undefined: all must be looked at.
 */
function amend(state: PlaneState, terrain: Terrain, previous: Ruleset): Ruleset | undefined {
  if (previous.terrain !== terrain || previous.age >= MAX_AGE) return undefined;
  if (previous.services.size !== state.services.size) return undefined;
  const others: ServiceRules[] = [];
  const ids: string[] = [];
  const old = previous.services.entries();
  for (const [id, service] of state.services) {
    const [oldId, rules] = old.next().value ?? [];
    if (oldId !== id || rules === undefined) return undefined;
    if (rules.service === service) continue;
    if (others.length === MAX_AMENDED || rules.lost !== "") return undefined;
    const now = serviceRules(id, service, terrain);
    if (!isSameList(now.claims, rules.claims)) return undefined;
    ids.push(id);
    others.push(now);
  }
  const services = new Map(previous.services);
  const classes = new Map(previous.classes);
  for (const [at, rules] of others.entries()) {
    services.set(ids[at] ?? "", rules);
    for (const [chain, kind] of rules.classes) classes.set(chain, kind);
  }
  const base = poolElements(carriedPools(state, terrain));
  return { terrain, services, classes, base, age: previous.age + 1 };
}

const NONE: readonly string[] = [];

function lostOf({ claims }: ServiceRules, claimed: ReadonlySet<string>): readonly string[] {
  // Nearly always: what is done for each service of ten thousand at each change should be little.
  if (!claims.some((claim) => claimed.has(claim))) return NONE;
  return claims.filter((claim) => claimed.has(claim));
}

export function render(state: PlaneState, terrain: Terrain, previous?: Ruleset): Ruleset {
  const steps = renderSteps(state, terrain, previous);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** How many frontends are carried. */
export function carriedBy({ services }: Ruleset): number {
  let carried = 0;
  for (const rules of services.values()) carried += rules.carried;
  return carried;
}

/** The pools that this plane makes local: loopback is so already, and no place for what comes from outside. */
export function carriedPools({ pools }: PlaneState, { elsewhere, hasIpv6 }: Terrain): readonly Subnet[] {
  return pools.filter(
    (pool) =>
      !isLoopback(pool.base) &&
      !elsewhere.some((lost) => lost.base === pool.base && lost.length === pool.length) &&
      (hasIpv6 || pool.base.length === 4),
  );
}

/** One that lies within another says nothing more, and the kernel refuses intervals that overlap. */
function poolElements(pools: readonly Subnet[]): readonly Element[] {
  const outer = pools.filter(
    (pool, at) =>
      !pools.some(
        (other, place) =>
          isInside(other, pool.base) &&
          (other.length < pool.length || (other.length === pool.length && place < at)),
      ),
  );
  return outer.map((pool) => ({
    set: pool.base.length === 4 ? "pools4" : "pools6",
    key: formatSubnet(pool),
    value: "",
  }));
}
