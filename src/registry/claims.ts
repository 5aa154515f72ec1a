/** Who claims which key (a name, an address), and who holds it where several do. */
export interface Claims<Key, Claimant, Meaning> {
  /** Who holds the key and what it means; `below`: nobody, but something exists beneath it (RFC 8020). */
  find(key: Key): Held<Claimant, Meaning> | "below" | undefined;
  add(key: Key, claimant: Claimant, meaning: Meaning): void;
  remove(key: Key, claimant: Claimant): void;
  /** To be called when `compare` may have come to think otherwise of some claimants. */
  settle(): void;
  /** All who claim a key, the holder first. */
  claimants(key: Key): readonly Claimant[];
  /** The keys that more than one claims. */
  contested(): Iterable<Key>;
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
}

export interface Held<Claimant, Meaning> {
  readonly claimant: Claimant;
  readonly meaning: Meaning;
}

interface Node<Claimant, Meaning> {
  held: Held<Claimant, Meaning> | undefined;
  /** All claims, the held one included; only where there is more than one. */
  rivals: Map<Claimant, Held<Claimant, Meaning>> | undefined;
  /** How many keys exist directly beneath. */
  below: number;
}

/** Every key in one map, whatever it stands for: a look-up is one hash, and costs the same at any size. */
export function createClaims<Key, Claimant, Meaning>({
  compare,
  moved,
  contested: tell,
  above,
}: ClaimRules<Key, Claimant>): Claims<Key, Claimant, Meaning> {
  type ThisNode = Node<Claimant, Meaning>;
  const nodes = new Map<Key, ThisNode>();
  const contested = new Map<Key, ThisNode>();

  return {
    find(key) {
      const node = nodes.get(key);
      return node && (node.held ?? "below");
    },
    add(key, claimant, meaning) {
      const node = open(key);
      const claim = { claimant, meaning };
      if (!node.held) {
        node.held = claim;
        return;
      }
      node.rivals ??= new Map([[node.held.claimant, node.held]]);
      node.rivals.set(claimant, claim);
      contested.set(key, node);
      tell(key);
      if (compare(claimant, node.held.claimant) < 0) hold(node, claim);
    },
    remove(key, claimant) {
      const node = nodes.get(key);
      if (!node?.held) return;
      if (!node.rivals) {
        if (node.held.claimant !== claimant) return;
        node.held = undefined;
        close(key, node);
        return;
      }
      node.rivals.delete(claimant);
      if (node.held.claimant === claimant) hold(node, first(node.rivals));
      if (node.rivals.size > 1) return;
      node.rivals = undefined;
      contested.delete(key);
    },
    settle() {
      for (const node of contested.values()) {
        if (node.rivals) hold(node, first(node.rivals));
      }
    },
    claimants(key) {
      const node = nodes.get(key);
      if (node?.rivals) return [...node.rivals.keys()].toSorted(compare);
      return node?.held ? [node.held.claimant] : [];
    },
    contested: () => contested.keys(),
  };

  function hold(node: ThisNode, claim: Held<Claimant, Meaning> | undefined): void {
    const before = node.held;
    node.held = claim;
    if (before?.claimant === claim?.claimant) return;
    if (before) moved(before.claimant);
    if (claim) moved(claim.claimant);
  }

  function first(
    rivals: ReadonlyMap<Claimant, Held<Claimant, Meaning>>,
  ): Held<Claimant, Meaning> | undefined {
    let best: Held<Claimant, Meaning> | undefined;
    for (const claim of rivals.values()) {
      if (!best || compare(claim.claimant, best.claimant) < 0) best = claim;
    }
    return best;
  }

  /** The node of a key, made with all that stand above it, each of which then has something below. */
  function open(key: Key): ThisNode {
    const known = nodes.get(key);
    if (known) return known;
    const node: ThisNode = { held: undefined, rivals: undefined, below: 0 };
    nodes.set(key, node);
    const parent = above(key);
    if (parent !== undefined) open(parent).below += 1;
    return node;
  }

  /** Lets go of a node that stands for nothing, and of those above it that stood only for this one. */
  function close(key: Key, node: ThisNode): void {
    if (node.held || node.below > 0) return;
    nodes.delete(key);
    const parent = above(key);
    const parentNode = parent === undefined ? undefined : nodes.get(parent);
    if (parent === undefined || !parentNode) return;
    parentNode.below -= 1;
    close(parent, parentNode);
  }
}
