import type { Order } from "../model/declaration.ts";
import type { Name } from "../model/name.ts";
import type { View } from "../model/view.ts";
import type { Service } from "../registry/service.ts";

/** Puts what an answer shows in order, so that each is first as often as it should be. */
export interface Rotation {
  /**
   * A copy of `items` in the order that is next for this name and type.
   *
   * A turn belongs to one name, type and view: questions for another name, or for AAAA between those for A, do not
   * move it, and who sees other tasks takes no part in it.
   */
  arrange<T extends Weighted>(turn: Turn, items: readonly T[]): readonly T[];
}

export interface Turn {
  readonly service: Service;
  readonly view: View;
  readonly name: Name;
  readonly type: string;
}

export interface Weighted {
  readonly weight: number;
}

interface Progress {
  /** How often this name and type was asked, modulo what was there to turn. */
  next: number;
  /** Of `weighted`: what each item has saved up. */
  savings: Float64Array;
}

/** @param random from 0 up to 1, to shuffle by and to begin a turn anywhere. */
export function createRotation(random: () => number = Math.random): Rotation {
  // A service that changes is another value and begins anew, and what is gone is forgotten with it.
  const turns = new WeakMap<Service, WeakMap<View, Map<string, Progress>>>();

  return {
    arrange(turn, items) {
      return items.length < 2 ? items : arrange(turn.service.declaration.order, turn, items);
    },
  };

  function arrange<T extends Weighted>(order: Order, turn: Turn, items: readonly T[]): readonly T[] {
    switch (order) {
      case "rotate":
        return rotate(progressOf(turn, items), items);
      case "random":
        return shuffle(items);
      case "weighted":
        return weigh(progressOf(turn, items), items);
    }
  }

  function progressOf({ service, view, name, type }: Turn, items: readonly Weighted[]): Progress {
    const ofService = turns.get(service) ?? new WeakMap<View, Map<string, Progress>>();
    turns.set(service, ofService);
    const ofView = ofService.get(view) ?? new Map<string, Progress>();
    ofService.set(view, ofView);
    const key = `${type} ${name}`;
    const known = ofView.get(key);
    if (known?.savings.length === items.length) return known;
    // Not at the first: under constant change the first task would get everything.
    const progress = {
      next: Math.floor(random() * items.length),
      savings: Float64Array.from(items, ({ weight }) => weight * random()),
    };
    ofView.set(key, progress);
    return progress;
  }

  /** Fisher and Yates: each order is as likely as any other. */
  function shuffle<T>(items: readonly T[]): readonly T[] {
    const shuffled = [...items]; // the readers of the service share the array
    for (let last = shuffled.length - 1; last > 0; last--) {
      const chosen = Math.floor(random() * (last + 1));
      const [one, other] = [shuffled[last], shuffled[chosen]];
      if (one === undefined || other === undefined) continue;
      shuffled[last] = other;
      shuffled[chosen] = one;
    }
    return shuffled;
  }
}

function rotate<T>(progress: Progress, items: readonly T[]): readonly T[] {
  const first = progress.next;
  progress.next = (first + 1) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}

/**
 * Smooth weighted round robin: each saves up its weight, the richest is first and pays for all. Over as many
 * questions as the weights sum to, each was first exactly as often as its weight says, and never in one run.
 */
function weigh<T extends Weighted>(progress: Progress, items: readonly T[]): readonly T[] {
  if (items.every(({ weight }) => weight === 0)) return rotate(progress, items);
  const { savings } = progress;
  let total = 0;
  for (const [index, { weight }] of items.entries()) {
    savings[index] = (savings[index] ?? 0) + weight;
    total += weight;
  }
  const richestFirst = items
    .map((item, index) => ({ item, index, saved: item.weight === 0 ? -Infinity : (savings[index] ?? 0) }))
    .toSorted((one, other) => other.saved - one.saved);
  const first = richestFirst[0]?.index;
  if (first !== undefined) savings[first] = (savings[first] ?? 0) - total;
  return richestFirst.map(({ item }) => item);
}
