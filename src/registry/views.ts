import { attempt } from "../base/error.ts";
import { type Address, isLoopback } from "../model/address.ts";
import type { Client, Network, Roster } from "../model/declaration.ts";
import { cutsOf, EMPTY_PREFIX, parsePrefix, type Prefix } from "../model/name.ts";
import { EMPTY_VIEW, sees, type View, WHOLE_VIEW } from "../model/view.ts";
import { indexNetworks, type NetworkIndex } from "./networks.ts";

/** Says what clients see. */
export interface Views {
  /** Takes the networks that there are, in order. */
  takeNetworks(networks: ReadonlyMap<string, Network>): void;
  /** Takes what sources say of clients; of one that several know, the first counts. */
  takeClients(rosters: readonly Roster[]): void;
  /** What a client sees that is somewhere beneath the first `length` bits of `address`. */
  viewOf(address: Address, length: number): View;
  /**
   * Takes the name of a network off the end of a name, as Docker's `web.frontend`: the longest in sight first. Nothing
   * at all is left of a network's own name.
   */
  cuts(name: Prefix, view: View): Iterable<Cut>;
}

export interface Cut {
  readonly name: Prefix;
  /** The network's name, as it was cut off. */
  readonly suffix: Prefix;
  /** What is seen of that network alone. */
  readonly view: View;
}

/** Where somebody stands whom no source knows as a client, by what is declared at its address. */
export type FindStand = (address: Address) => Pick<Client, "networks" | "namespace"> | undefined;

/** Views in use at once; those that come beyond it are made anew, and nothing is wrong but for the memory. */
const MAX_VIEWS = 10_000;

/** @param forgotten told that equal views are no longer one object: who knows them by number must be told anew */
export function createViews(standOf: FindStand, forgotten: () => void): Views {
  let clients: ReadonlyMap<Address, Client> = new Map();
  let index: NetworkIndex = indexNetworks([]);
  /** In order. */
  let known: ReadonlyMap<string, Network> = new Map();
  let suffixes: ReadonlyMap<Prefix, string> = new Map();
  const views = new Map<string, View>();

  return {
    takeNetworks(networks) {
      known = networks;
      index = indexNetworks(networks.values());
      suffixes = suffixesOf(networks.keys());
    },
    takeClients(rosters) {
      clients = new Map(
        rosters.flatMap((roster) => roster.clients.map((one) => [one.address, one] as const)).toReversed(),
      );
    },
    viewOf(address, length) {
      const inside = index.find(address, length);
      const isWhole = length === address.length * 8;
      const client = isWhole ? (clients.get(address) ?? stand(address, inside)) : undefined;
      if (!client && inside.length > 0) return viewWith(inside, EMPTY_PREFIX);
      // Too little was told of the client to say that it is on none of them.
      if (!client) return !isWhole && index.isDivided(address, length) ? EMPTY_VIEW : WHOLE_VIEW;
      const on = new Set([...inside, ...client.networks]);
      return viewWith([...on], client.namespace);
    },
    *cuts(name, view) {
      for (const { front, end } of cutsOf(name)) {
        const network = suffixes.get(end);
        if (network === undefined || !sees(view, [network])) continue;
        yield { name: front, suffix: end, view: viewWith([network], view.namespace) };
      }
    },
  };

  /** The machine itself, from which anybody asks, is no task for having one at 127.0.0.1. */
  function stand(address: Address, inside: readonly string[]): ReturnType<FindStand> {
    return isLoopback(address) && inside.length === 0 ? undefined : standOf(address);
  }

  function viewWith(on: readonly string[], namespace: Prefix): View {
    const networks = inOrder(on);
    const key = JSON.stringify([networks, namespace]);
    const before = views.get(key);
    if (before) return before;
    const view = { networks: new Set(networks), namespace };
    if (views.size >= MAX_VIEWS) {
      views.clear();
      forgotten();
    }
    views.set(key, view);
    return view;
  }

  function inOrder(networks: readonly string[]): readonly string[] {
    if (networks.length < 2) return networks;
    const ranks = new Map([...known.keys()].map((name, rank) => [name, rank]));
    return networks.toSorted((one, other) => (ranks.get(one) ?? Infinity) - (ranks.get(other) ?? Infinity));
  }
}

/** Networks by their names as labels: those that cannot be labels end no name. */
function suffixesOf(networks: Iterable<string>): ReadonlyMap<Prefix, string> {
  const suffixes = new Map<Prefix, string>();
  for (const network of networks) {
    const suffix = attempt(() => parsePrefix(network)); // nobody can ask for what is no name
    if (suffix !== undefined && !suffixes.has(suffix)) suffixes.set(suffix, network);
  }
  return suffixes;
}
