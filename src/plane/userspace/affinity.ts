import type { Clock } from "../../base/clock.ts";

/** Which task each client got, of all frontends that remember it. */
export interface Affinity<Owner extends object, Place> {
  /** Undefined: the client had none within so many milliseconds. */
  recall(owner: Owner, client: string, ms: number): Place | undefined;
  remember(owner: Owner, client: string, place: Place): void;
  /** Forgets the clients whose place is one of these. */
  forget(owner: Owner, isGone: (place: Place) => boolean): void;
}

/** Clients are as many as strangers wish: of more than `maxClients` the one whose last flow is longest ago is forgotten. */
export function createAffinity<Owner extends object, Place>(
  maxClients: number,
  clock: Clock,
  tally: { forgotten: number } = { forgotten: 0 },
): Affinity<Owner, Place> {
  /** A `Map` keeps the order in which keys came. */
  const entries = new Map<string, { readonly owner: Owner; readonly place: Place; readonly at: number }>();
  const numbers = new WeakMap<Owner, number>();
  let owners = 0;

  return {
    recall(owner, client, ms) {
      const entry = entries.get(keyOf(owner, client));
      return entry && clock.monotonic() - entry.at < ms ? entry.place : undefined;
    },
    remember(owner, client, place) {
      const key = keyOf(owner, client);
      entries.delete(key);
      entries.set(key, { owner, place, at: clock.monotonic() });
      if (entries.size <= maxClients) return;
      for (const oldest of entries.keys()) {
        entries.delete(oldest);
        tally.forgotten += 1;
        return;
      }
    },
    forget(owner, isGone) {
      for (const [key, entry] of entries) {
        if (entry.owner === owner && isGone(entry.place)) entries.delete(key);
      }
    },
  };

  function keyOf(owner: Owner, client: string): string {
    let number = numbers.get(owner);
    if (number === undefined) {
      number = owners++;
      numbers.set(owner, number);
    }
    return `${number} ${client}`;
  }
}
