import { type Below, isAnyBelow, isBelow, withOne, withoutOne } from "./below.ts";

/** Who claims which key (a name, an address) in which scopes (networks), and who holds it where several do. */
export interface Claims<Key, Claimant, Meaning> {
  /**
   * Who holds the key and what it means; `below`: nobody, but something exists beneath it (RFC 8020).
   *
   * @param seen counts only what is claimed in one of these scopes, the first of which that has a holder decides;
   * undefined: in any.
   */
  find(key: Key, seen?: ReadonlySet<string>): Held<Claimant, Meaning> | "below" | undefined;
  /** Takes a claim in place of the one that the claimant has on the key, if it has. */
  add(key: Key, claim: Held<Claimant, Meaning>): void;
  remove(key: Key, claimant: Claimant): void;
  /** To be called when `compare` may have come to think otherwise of some claimants. */
  settle(): void;
  /** Those who hold the key in some scope, each with the others that would. */
  conflicts(key: Key): readonly Rivalry<Claimant>[];
  /** The keys that more than one claims, be it in different scopes. */
  contested(): Iterable<Key>;
  isContested(key: Key): boolean;
  /** All keys that exist, those above others too. */
  keys(): Iterable<Key>;
}

export interface ClaimRules<Key, Claimant> {
  /** Of two that claim a key, the one that this puts first holds it. */
  readonly compare: (one: Claimant, other: Claimant) => number;
  /** Told of each claimant that gained or lost a key to another. */
  readonly moved: (claimant: Claimant) => void;
  /** Told of each key that a second one claims. */
  readonly contested: (key: Key) => void;
  /** The key that exists because `key` does; undefined: none. */
  readonly above: (key: Key) => Key | undefined;
  /** Told of each key that may be found otherwise from now on. */
  readonly changed?: (key: Key) => void;
  /** Told of each key that came to exist, or exists no more, for anybody. */
  readonly existence?: { add(key: Key): void; remove(key: Key): void };
}

/** A claim. Of several keys it may be the same object. */
export interface Held<Claimant, Meaning> {
  readonly claimant: Claimant;
  readonly meaning: Meaning;
  /** At least one, each once. */
  readonly scopes: readonly string[];
}

export interface Rivalry<Claimant> {
  readonly holder: Claimant;
  readonly others: readonly Claimant[];
}

/** What there is at a key. Nearly always one claim and no more: then it is that, and no object is in between. */
type Place<Claimant, Meaning> = Held<Claimant, Meaning> | Node<Claimant, Meaning>;

/** Where there are several claims, or something beneath. */
interface Node<Claimant, Meaning> {
  held: Held<Claimant, Meaning> | undefined;
  /** Only where there is more than one claim. */
  contest: Contest<Claimant, Meaning> | undefined;
  /** How many keys exist directly beneath; undefined: none. */
  below: Below | undefined;
}

interface Contest<Claimant, Meaning> {
  /** All claims, the held one included. */
  readonly rivals: Map<Claimant, Held<Claimant, Meaning>>;
  /** Who holds it in each scope. */
  readonly holders: Map<string, Held<Claimant, Meaning>>;
}

/** Every key in one map, whatever it stands for: a look-up is one hash, and costs the same at any size. */
export function createClaims<Key, Claimant, Meaning>({
  compare,
  moved,
  contested: tell,
  above,
  changed = () => {},
  existence,
}: ClaimRules<Key, Claimant>): Claims<Key, Claimant, Meaning> {
  type ThisClaim = Held<Claimant, Meaning>;
  type ThisNode = Node<Claimant, Meaning>;
  const places = new Map<Key, Place<Claimant, Meaning>>();
  const contested = new Map<Key, ThisNode>();

  return {
    find(key, seen) {
      const place = places.get(key);
      if (!place) return undefined;
      if (!isNode(place)) return !seen || isSeen(place, seen) ? place : undefined;
      if (!seen) return place.held ?? "below";
      return seenOf(place, seen) ?? (isAnyBelow(place.below, seen) ? "below" : undefined);
    },
    add(key, claim) {
      const place = places.get(key);
      const before = place && claimOf(place, claim.claimant);
      const entered = place ? claim.scopes.filter((scope) => !isAlive(place, scope)) : claim.scopes;
      if (!place) create(key, claim);
      else if (!isNode(place) && before) places.set(key, claim);
      else if (isNode(place) && !place.held) place.held = claim;
      else enter(key, nodeAt(key), claim);
      for (const scope of entered) raise(above(key), scope);
      if (before && before.scopes !== claim.scopes) left(key, before.scopes);
      changed(key);
    },
    remove(key, claimant) {
      const place = places.get(key);
      const claim = place && claimOf(place, claimant);
      if (!place || !claim) return;
      if (!isNode(place)) vanish(key);
      else if (place.contest) leave(key, place, place.contest, claim);
      else place.held = undefined;
      left(key, claim.scopes);
      changed(key);
    },
    settle() {
      for (const [key, node] of contested) {
        if (!node.contest) continue;
        changed(key);
        const { rivals, holders } = node.contest;
        hold(node, first(rivals.values()));
        // In one go: of as many as there are, each in a scope of its own, to find each scope's anew is quadratic.
        holders.clear();
        for (const claim of rivals.values())
          for (const scope of claim.scopes) holdIfFirst(holders, scope, claim);
      }
    },
    conflicts(key) {
      const contest = contested.get(key)?.contest;
      if (!contest) return [];
      const byHolder = new Map<Claimant, Set<Claimant>>();
      const inOrder = [...contest.rivals.values()].toSorted((one, other) =>
        compare(one.claimant, other.claimant),
      );
      for (const { claimant, scopes } of inOrder) {
        for (const scope of scopes) {
          const holder = contest.holders.get(scope)?.claimant;
          if (holder === undefined || holder === claimant) continue;
          const others = byHolder.get(holder) ?? new Set();
          byHolder.set(holder, others.add(claimant));
        }
      }
      return [...byHolder].map(([holder, others]) => ({ holder, others: [...others] }));
    },
    contested: () => contested.keys(),
    isContested: (key) => contested.has(key),
    keys: () => places.keys(),
  };

  /** Takes a claim on a key that is held: one more, or one in place of its claimant's. */
  function enter(key: Key, node: ThisNode, claim: ThisClaim): void {
    const { held } = node;
    if (!held || (!node.contest && held.claimant === claim.claimant)) {
      node.held = claim;
      return;
    }
    node.contest ??= {
      rivals: new Map([[held.claimant, held]]),
      holders: new Map(held.scopes.map((scope) => [scope, held])),
    };
    const { rivals, holders } = node.contest;
    const before = rivals.get(claim.claimant);
    rivals.set(claim.claimant, claim);
    for (const scope of before?.scopes ?? []) if (holders.get(scope) === before) holdIn(node.contest, scope);
    for (const scope of claim.scopes) holdIfFirst(holders, scope, claim);
    contested.set(key, node);
    tell(key);
    const best = held === before ? (first(rivals.values()) ?? claim) : held;
    hold(node, compare(claim.claimant, best.claimant) < 0 ? claim : best);
  }

  /** Gives up one of several claims. */
  function leave(
    key: Key,
    node: ThisNode,
    contest: Contest<Claimant, Meaning>,
    { claimant, scopes }: ThisClaim,
  ): void {
    const { rivals, holders } = contest;
    rivals.delete(claimant);
    for (const scope of scopes) if (holders.get(scope)?.claimant === claimant) holdIn(contest, scope);
    if (node.held?.claimant === claimant) hold(node, first(rivals.values()));
    if (rivals.size > 1) return;
    node.contest = undefined;
    contested.delete(key);
    tidy(key, node);
  }

  function hold(node: ThisNode, claim: ThisClaim | undefined): void {
    const before = node.held;
    node.held = claim;
    if (before?.claimant === claim?.claimant) return;
    if (before) moved(before.claimant);
    if (claim) moved(claim.claimant);
  }

  function holdIfFirst(holders: Map<string, ThisClaim>, scope: string, claim: ThisClaim): void {
    const holder = holders.get(scope);
    if (!holder || compare(claim.claimant, holder.claimant) < 0) holders.set(scope, claim);
  }

  function holdIn({ rivals, holders }: Contest<Claimant, Meaning>, scope: string): void {
    const best = first(rivals.values(), scope);
    if (best) holders.set(scope, best);
    else holders.delete(scope);
  }

  function first(claims: Iterable<ThisClaim>, scope?: string): ThisClaim | undefined {
    let best: ThisClaim | undefined;
    for (const claim of claims) {
      if (scope !== undefined && !claim.scopes.includes(scope)) continue;
      if (!best || compare(claim.claimant, best.claimant) < 0) best = claim;
    }
    return best;
  }

  function create(key: Key, place: Place<Claimant, Meaning>): void {
    places.set(key, place);
    existence?.add(key);
  }

  function vanish(key: Key): void {
    places.delete(key);
    existence?.remove(key);
  }

  /** The node at a key, which is made of what is there. */
  function nodeAt(key: Key): ThisNode {
    const place = places.get(key);
    if (place && isNode(place)) return place;
    const node: ThisNode = { held: place, contest: undefined, below: undefined };
    if (place) places.set(key, node);
    else create(key, node);
    return node;
  }

  /** A node that says no more than its claim gives way to it, and one that says nothing to nothing. */
  function tidy(key: Key, { held, contest, below }: ThisNode): void {
    if (contest || below) return;
    if (held) places.set(key, held);
    else vanish(key);
  }

  /** To be called when a claim was given up in these scopes. */
  function left(key: Key, scopes: readonly string[]): void {
    const place = places.get(key);
    for (const scope of scopes) if (!place || !isAlive(place, scope)) lower(above(key), scope);
    if (place && isNode(place)) tidy(key, place);
  }

  /** Notes that something beneath a key has come to exist in a scope, and so does all above it. */
  function raise(key: Key | undefined, scope: string): void {
    if (key === undefined) return;
    const node = nodeAt(key);
    const wasAlive = isAlive(node, scope);
    node.below = withOne(node.below, scope);
    if (wasAlive) return;
    changed(key);
    raise(above(key), scope);
  }

  /** Lets go of what existed only for something beneath it. */
  function lower(key: Key | undefined, scope: string): void {
    const node = key === undefined ? undefined : places.get(key);
    if (key === undefined || !node || !isNode(node) || !isBelow(node.below, scope)) return;
    node.below = withoutOne(node.below, scope);
    const isGone = !isAlive(node, scope);
    tidy(key, node);
    if (!isGone) return;
    changed(key);
    lower(above(key), scope);
  }
}

function isNode<Claimant, Meaning>(place: Place<Claimant, Meaning>): place is Node<Claimant, Meaning> {
  return "held" in place;
}

function claimOf<Claimant, Meaning>(
  place: Place<Claimant, Meaning>,
  claimant: Claimant,
): Held<Claimant, Meaning> | undefined {
  if (isNode(place) && place.contest) return place.contest.rivals.get(claimant);
  const claim = isNode(place) ? place.held : place;
  return claim?.claimant === claimant ? claim : undefined;
}

function seenOf<Claimant, Meaning>(
  { held, contest }: Node<Claimant, Meaning>,
  seen: ReadonlySet<string>,
): Held<Claimant, Meaning> | undefined {
  if (!contest) return held && isSeen(held, seen) ? held : undefined;
  for (const scope of seen) {
    const claim = contest.holders.get(scope);
    if (claim) return claim;
  }
  return undefined;
}

function isSeen({ scopes }: Held<unknown, unknown>, seen: ReadonlySet<string>): boolean {
  return scopes.some((scope) => seen.has(scope));
}

function isAlive<Claimant, Meaning>(place: Place<Claimant, Meaning>, scope: string): boolean {
  if (!isNode(place)) return place.scopes.includes(scope);
  const { held, contest } = place;
  if (contest ? contest.holders.has(scope) : held?.scopes.includes(scope)) return true;
  return isBelow(place.below, scope);
}
