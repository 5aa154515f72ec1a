import { isSameList } from "../../base/compare.ts";
import { formatSubnet, isInside, isLoopback, type Subnet } from "../../model/address.ts";
import { changedBetween, withChanges } from "../layers.ts";
import type { PlaneState, Trouble } from "../plane.ts";
import type { Class } from "./classes.ts";
import type { Element } from "./place.ts";
import { serviceRules, type ServiceRules } from "./service.ts";
import { count, recount, type Tally } from "./tally.ts";
import type { Terrain } from "./terrain.ts";

/** What a state comes to in the kernel, as a value. Rules of a service that did not change are the same object. */
export interface Ruleset {
  readonly terrain: Terrain;
  /** The services of the state that it is of. */
  readonly of: PlaneState["services"];
  /** By the service's id, in the order of the state. */
  readonly services: ReadonlyMap<string, ServiceRules>;
  /** Of no service: the pools. */
  readonly base: readonly Element[];
  /** Each class that a service needs, by its chain's name. */
  readonly classes: ReadonlyMap<string, Class>;
  /** How many services have each of what they name so. */
  readonly shared: Tally;
  readonly claims: Tally;
  readonly chains: Tally;
  /** How many services lost to others what they want. */
  readonly lost: number;
  /** How many frontends are carried. */
  readonly carried: number;
  /** By the id of the service that they are of. */
  readonly troubles: ReadonlyMap<string, readonly Trouble[]>;
}

/** How many services are rendered at a time. */
const SLICE = 200;
/** So many services may differ for only them to be looked at. */
const MAX_AMENDED = 64;

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
  const troubles = new Map<string, readonly Trouble[]>();
  const [shared, claims, chains] = [
    new Map<string, number>(),
    new Map<string, number>(),
    new Map<string, number>(),
  ];
  let [fresh, carried, losers] = [0, 0, 0];
  for (const [id, service] of state.services) {
    const old = known.get(id);
    let rules = old;
    if (rules?.service !== service) {
      rules = serviceRules(id, service, terrain);
      fresh += 1;
      if (fresh % SLICE === 0) yield;
    }
    // Who comes first in the state has it.
    const lost = lostOf(rules, claims);
    if (lost.join() !== rules.lost) rules = serviceRules(id, service, terrain, lost);
    for (const [chain, kind] of rules.classes) classes.set(chain, kind);
    count(shared, rules.shared);
    count(claims, rules.claims);
    count(chains, rules.classes.keys());
    carried += rules.carried;
    if (rules.lost !== "") losers += 1;
    if (rules.troubles.length > 0) troubles.set(id, rules.troubles);
    services.set(id, rules);
  }
  const base = poolElements(carriedPools(state, terrain));
  return {
    terrain,
    of: state.services,
    services,
    base,
    classes,
    shared,
    claims,
    chains,
    lost: losers,
    carried,
    troubles,
  };
}

/**
 * The same ruleset with a few services rendered anew, where no two want the same place: of ten thousand services nearly
 * every change is of one's tasks. Undefined: all must be looked at.
 */
function amend(state: PlaneState, terrain: Terrain, previous: Ruleset): Ruleset | undefined {
  if (previous.terrain !== terrain) return undefined;
  const ids = changedBetween(previous.of, state.services);
  if (ids.length > MAX_AMENDED) return undefined;
  // Who comes first has what two want.
  if (previous.lost > 0 && !isSameList([...previous.of.keys()], [...state.services.keys()])) return undefined;
  const changes = new Map<string, ServiceRules | undefined>();
  const troubles = new Map<string, readonly Trouble[] | undefined>();
  const [gone, come]: [ServiceRules[], ServiceRules[]] = [[], []];
  for (const id of ids) {
    const [old, service] = [previous.services.get(id), state.services.get(id)];
    const now = service && serviceRules(id, service, terrain);
    changes.set(id, now);
    if (old) gone.push(old);
    if (now) come.push(now);
    troubles.set(id, now && now.troubles.length > 0 ? now.troubles : undefined);
  }
  const recounted = (tally: Tally, of: (rules: ServiceRules) => Iterable<string>): Tally =>
    recount(
      tally,
      gone.flatMap((rules) => [...of(rules)]),
      come.flatMap((rules) => [...of(rules)]),
    );

  const claims = recounted(previous.claims, (rules) => rules.claims);
  // Whoever of two it was that had the place, the other has been without.
  const isContested = ({ claims: places }: ServiceRules): boolean =>
    places.some((place) => (previous.claims.get(place) ?? 0) > 1 || (claims.get(place) ?? 0) > 1);
  if (gone.some(isContested) || come.some(isContested)) return undefined;

  const chains = recounted(previous.chains, (rules) => rules.classes.keys());
  const used = new Map<string, Class | undefined>();
  for (const { classes } of gone) for (const chain of classes.keys()) used.set(chain, undefined);
  for (const { classes } of [...gone, ...come])
    for (const [chain, kind] of classes) if (chains.has(chain)) used.set(chain, kind);
  return {
    terrain,
    of: state.services,
    services: withChanges(previous.services, changes),
    base: poolElements(carriedPools(state, terrain)),
    classes: withChanges(previous.classes, used),
    shared: recounted(previous.shared, (rules) => rules.shared),
    claims,
    chains,
    lost: previous.lost,
    carried: previous.carried + sum(come) - sum(gone),
    troubles: withChanges(previous.troubles, troubles),
  };
}

function sum(services: readonly ServiceRules[]): number {
  return services.reduce((carried, rules) => carried + rules.carried, 0);
}

const NONE: readonly string[] = [];

function lostOf({ claims }: ServiceRules, claimed: Tally): readonly string[] {
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
