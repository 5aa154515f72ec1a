import { hash } from "node:crypto";
import type { Declaration, Port } from "../model/declaration.ts";
import { createClaims } from "./claims.ts";

/** A port that a service has on every node. */
export interface PublishedPort {
  readonly port: Port;
  readonly published: number;
}

export type Publication = {
  readonly published: readonly PublishedPort[];
  /** Why one that should be there is not, for people. */
  readonly publishProblem: string | undefined;
};

export const UNPUBLISHED: Publication = { published: [], publishProblem: undefined };

/** Which service has which port of the nodes: one each, by protocol. */
export interface PublishedPorts<Owner> {
  /** @param before what the owner's claims go by so far, which these take the place of */
  claim(owner: Owner, declaration: Declaration, before: Declaration | undefined): void;
  /** Takes back what {@link claim} claimed by the same declaration; ports that were given to it stay its own. */
  release(owner: Owner, declaration: Declaration): void;
  /** To be called when `compare` may have come to think otherwise of some owners. */
  settle(): void;
  /** What the owner has: those that it asked for and nobody has first, and of those that it left open, free ones. */
  give(owner: Owner, declaration: Declaration): Publication;
  /** Who was given none of those that it left open, as all were taken, if one has been freed since: now it may be. */
  hopeful(): readonly Owner[];
  /** Frees all that was given to it. */
  free(owner: Owner): void;
}

export interface PublishRules<Owner> {
  /** Of two that ask for one port, the one that this puts first has it. */
  readonly compare: (one: Owner, other: Owner) => number;
  /** Told of each owner that gained or lost a port to another. */
  readonly moved: (owner: Owner) => void;
  /** Who it is, for life: where the search for a free port begins. */
  readonly idOf: (owner: Owner) => string;
  /** Who it is and where it is declared, for people. */
  readonly describe: (owner: Owner) => string;
}

/** As Kubernetes has it for its node ports: beneath what Linux gives to connections (32,768 and above). */
const FIRST_GIVEN = 30_000;
const LAST_GIVEN = 32_767;

/**
 * Every node comes to the same ports from the same declarations: those that are asked for go to the first declared,
 * and where the search for one that was left open begins is told by a hash of who asks.
 */
export function createPublishedPorts<Owner>(rules: PublishRules<Owner>): PublishedPorts<Owner> {
  const { compare, moved, idOf, describe } = rules;
  const asked = createClaims<string, Owner, Port>({
    compare,
    moved,
    contested: () => {},
    above: () => undefined,
  });
  /** Those that were left open, by place and by owner. */
  const given = new Map<string, Owner>();
  const ofOwner = new Map<Owner, Map<string, number>>();
  /** Those that left one open and found none free, in the order in which they came. */
  const waiting = new Set<Owner>();
  /** Protocols of which all are taken: thousands that look for one must not look at each. */
  const full = new Set<string>();
  let isFreed = false;

  return {
    claim(owner, declaration, before) {
      const places = askedFor(declaration);
      // What is asked for again was free for nobody: else each change would make all those that wait try.
      for (const [place, { protocol }] of before ? askedFor(before) : []) {
        if (places.has(place)) continue;
        asked.remove(place, owner);
        noteFreed(protocol);
      }
      for (const [place, port] of places) {
        asked.add(place, { claimant: owner, meaning: port, scopes: EVERYWHERE });
        const holder = given.get(place);
        if (holder !== undefined) moved(holder);
      }
    },
    release(owner, declaration) {
      for (const [place, { protocol }] of askedFor(declaration)) {
        asked.remove(place, owner);
        noteFreed(protocol);
      }
    },
    settle: () => asked.settle(),
    hopeful() {
      const hopeful = isFreed ? [...waiting] : [];
      isFreed = false;
      return hopeful;
    },
    give(owner, declaration) {
      const published: PublishedPort[] = [];
      const problems: string[] = [];
      const had = ofOwner.get(owner);
      const wasFreed = isFreed;
      waiting.delete(owner);
      takeBack(owner);
      for (const port of publishing(declaration)) {
        const place = port.published === "auto" ? undefined : placeOf(port, port.published);
        if (place === undefined) {
          const number = findFree(owner, port, had?.get(keyOf(port)));
          if (number !== undefined) published.push({ port, published: number });
          else {
            waiting.add(owner);
            problems.push(
              `port ${port.name} is not published: ${FIRST_GIVEN} to ${LAST_GIVEN} are all taken`,
            );
          }
          continue;
        }
        const holder = asked.find(place);
        if (!holder || holder === "below") continue;
        if (holder.claimant === owner && holder.meaning === port && port.published !== "auto")
          published.push({ port, published: port.published ?? 0 });
        else problems.push(`port ${place} is not published: ${describe(holder.claimant)} has it`);
      }
      // What it has again was free for nobody.
      const has = ofOwner.get(owner);
      isFreed = wasFreed || [...(had ?? [])].some(([key, number]) => has?.get(key) !== number);
      if (published.length === 0 && problems.length === 0) return UNPUBLISHED;
      return { published, publishProblem: problems.length > 0 ? problems.join("; ") : undefined };
    },
    free(owner) {
      waiting.delete(owner);
      takeBack(owner);
    },
  };

  function findFree(owner: Owner, port: Port, before: number | undefined): number | undefined {
    if (full.has(port.protocol)) return undefined;
    const count = LAST_GIVEN - FIRST_GIVEN + 1;
    // Without the protocol: what listens for both gets one number if it is free.
    const digest = hash("sha1", `${idOf(owner)} ${port.target}`, "hex");
    const start = Number.parseInt(digest.slice(0, 8), 16);
    for (let step = before === undefined ? 0 : -1; step < count; step++) {
      const number = step < 0 ? (before ?? 0) : FIRST_GIVEN + ((start + step) % count);
      const place = placeOf(port, number);
      if (asked.find(place) !== undefined || given.has(place)) continue;
      given.set(place, owner);
      const numbers = ofOwner.get(owner) ?? new Map<string, number>();
      ofOwner.set(owner, numbers.set(keyOf(port), number));
      return number;
    }
    full.add(port.protocol);
    return undefined;
  }

  function takeBack(owner: Owner): void {
    for (const [key, number] of ofOwner.get(owner) ?? []) {
      const protocol = protocolIn(key);
      given.delete(`${number}/${protocol}`);
      noteFreed(protocol);
    }
    ofOwner.delete(owner);
  }

  function noteFreed(protocol: string): void {
    full.delete(protocol);
    isFreed = true;
  }
}

const EVERYWHERE: readonly string[] = [""];

function publishing({ publishes, ports }: Declaration): readonly Port[] {
  return publishes ? ports.filter(({ published }) => published !== undefined) : [];
}

/** Where it asks to be: `80/tcp`. Of two ports of one service that ask for one place, the first counts. */
function askedFor(declaration: Declaration): ReadonlyMap<string, Port> {
  const places = new Map<string, Port>();
  for (const port of publishing(declaration)) {
    if (port.published === undefined || port.published === "auto") continue;
    const place = placeOf(port, port.published);
    if (!places.has(place)) places.set(place, port);
  }
  return places;
}

function placeOf({ protocol }: Port, published: number | undefined): string {
  return `${published}/${protocol}`;
}

/** Unique in a service. */
function keyOf({ name, protocol }: Port): string {
  return `${name}/${protocol}`;
}

function protocolIn(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
