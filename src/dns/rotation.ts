import type { Name } from "../model/name.ts";
import type { View } from "../model/view.ts";
import type { Service } from "../registry/service.ts";
import { createTurns, type Turns } from "./turns.ts";

/** Puts what an answer shows in order, so that each is first as often as it should be. */
export interface Rotation {
  /**
   * A copy of `items` in the order that is next for this name and type.
   *
   * A turn belongs to one name, type and view: questions for another name, or for AAAA between those for A, do not
   * move it, and who sees other tasks takes no part in it.
   */
  arrange<T extends Weighted>(turn: Turn, items: readonly T[]): readonly T[];
  /** Where the turns of as many items stand, for others to go on from. */
  standing(turn: Turn, items: readonly Weighted[]): readonly number[];
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

/** @param random from 0 up to 1, to shuffle by and to begin a turn anywhere. */
export function createRotation(random: () => number = Math.random): Rotation {
  // A service that changes is another value and begins anew, and what is gone is forgotten with it.
  const turns = new WeakMap<Service, WeakMap<View, Map<string, Turns>>>();

  return {
    arrange(turn, items) {
      if (items.length < 2) return items;
      const order = turnsOf(turn, items).next();
      return Array.from(order, (at) => items[at]).filter((item) => item !== undefined);
    },
    standing: (turn, items) => turnsOf(turn, items).standing(),
  };

  function turnsOf({ service, view, name, type }: Turn, items: readonly Weighted[]): Turns {
    const ofService = turns.get(service) ?? new WeakMap<View, Map<string, Turns>>();
    turns.set(service, ofService);
    const ofView = ofService.get(view) ?? new Map<string, Turns>();
    ofService.set(view, ofView);
    const key = `${type} ${name}`;
    const known = ofView.get(key);
    if (known?.count === items.length) return known;
    const weights = items.map(({ weight }) => weight);
    const begun = createTurns({ order: service.declaration.order, weights, random });
    ofView.set(key, begun);
    return begun;
  }
}
