import { isSameList } from "../base/compare.ts";
import { type Declaration, EMPTY_ROSTER, type Network, type Roster } from "../model/declaration.ts";
import { fillOutline } from "../model/outline.ts";

/** Joins what files outline and what an engine has of it. */
export interface Outlines {
  /** What the files say now. */
  takeFiles(roster: Roster): void;
  /** What the engine says now. */
  takeEngine(roster: Roster): void;
}

export interface OutlinesOptions {
  /** Takes what the files say, outlines that the engine knows filled. */
  readonly files: (roster: Roster) => void;
  /** Takes what the engine says, but for the services that fill outlines. */
  readonly engine: (roster: Roster) => void;
  /**
   * Runs what it is given as one change.
   * @default each publication is one
   */
  readonly together?: (step: () => void) => void;
}

/** One side, and what was published of it last. */
interface Side {
  readonly publish: (roster: Roster) => void;
  published: Roster | undefined;
}

/**
 * Keeps the last word of both sides, and publishes what each comes to, if it is news. The same two objects make
 * the same one again. At no time is a service that goes from one side to the other on neither.
 */
export function createOutlines({ files, engine, together = (step) => step() }: OutlinesOptions): Outlines {
  const filled = createPairs(fillOutline);
  const joined = createPairs(joinNetworks);
  const fileSide: Side = { publish: files, published: undefined };
  const engineSide: Side = { publish: engine, published: undefined };
  let fileRoster: Roster | undefined;
  let engineRoster: Roster | undefined;

  return {
    takeFiles(roster) {
      fileRoster = roster;
      together(join);
    },
    takeEngine(roster) {
      engineRoster = roster;
      together(join);
    },
  };

  function join(): void {
    const { services, networks } = engineRoster ?? EMPTY_ROSTER;
    const byKey = firstByKey(services);
    const taken = new Set<Declaration>();
    const fill = (service: Declaration): Declaration => {
      const found = service.isOutline ? byKey.get(keyOf(service)) : undefined;
      // An override file outlines a service once more: the first has its tasks.
      if (found === undefined || taken.has(found)) return service;
      taken.add(found);
      return filled(service, found);
    };
    const known = new Map(networks.map((network) => [network.name, network]));
    const fillNetwork = (network: Network): Network => {
      const found = known.get(network.name);
      return found === undefined ? network : joined(network, found);
    };
    const whole = fileRoster && {
      ...fileRoster,
      networks: fileRoster.networks.map(fillNetwork),
      services: fileRoster.services.map(fill),
    };
    const had = new Set(engineSide.published?.services);
    say(
      engineSide,
      engineRoster && without(engineRoster, (service) => taken.has(service) && !had.has(service)),
    );
    say(fileSide, whole);
    say(engineSide, engineRoster && without(engineRoster, (service) => taken.has(service)));
  }
}

function say(side: Side, roster: Roster | undefined): void {
  if (roster === undefined || (side.published && isAlike(side.published, roster))) return;
  side.published = roster;
  side.publish(roster);
}

/** A file says where VIPs come from; which addresses a network has, the engine knows best. */
function joinNetworks(said: Network, found: Network): Network {
  const subnets = [...said.subnets, ...found.subnets];
  return {
    name: said.name,
    subnets: [...new Map(subnets.map((subnet) => [`${subnet.base}/${subnet.length}`, subnet])).values()],
    vips: said.vips.length > 0 ? said.vips : found.vips,
  };
}

/** `make`, of which the same two make the same one again. */
function createPairs<Value extends object>(
  make: (one: Value, other: Value) => Value,
): (one: Value, other: Value) => Value {
  const made = new WeakMap<Value, { readonly other: Value; readonly value: Value }>();
  return (one, other) => {
    const before = made.get(one);
    if (before?.other === other) return before.value;
    const value = make(one, other);
    made.set(one, { other, value });
    return value;
  };
}

function firstByKey(services: readonly Declaration[]): ReadonlyMap<string, Declaration> {
  return new Map(services.toReversed().map((service) => [keyOf(service), service]));
}

/** Equal for two declarations of one service. */
function keyOf({ name, namespace }: Declaration): string {
  return `${name}\0${namespace}`;
}

function without(roster: Roster, isLeftOut: (service: Declaration) => boolean): Roster {
  return { ...roster, services: roster.services.filter((service) => !isLeftOut(service)) };
}

function isAlike(one: Roster, other: Roster): boolean {
  return (
    one.zone === other.zone &&
    one.ttl === other.ttl &&
    one.negativeTtl === other.negativeTtl &&
    isSameList(one.networks, other.networks) &&
    isSameList(one.services, other.services) &&
    isSameList(one.clients, other.clients)
  );
}
