import { EMPTY_PREFIX, type Prefix } from "./name.ts";

/** What a client sees of all that exists, by where it stands. Equal views are the same object. */
export interface View {
  /** The networks that it is on, first those that come first; undefined: none is known, and it sees all. */
  readonly networks: ReadonlySet<string> | undefined;
  /** Whose names it may ask for without naming it; empty: none. */
  readonly namespace: Prefix;
}

/** Everything, as whoever is on no network sees it. */
export const WHOLE_VIEW: View = { networks: undefined, namespace: EMPTY_PREFIX };

/** Nothing but the zone itself. */
export const EMPTY_VIEW: View = { networks: new Set(), namespace: EMPTY_PREFIX };

/** Whether what stands on these networks is seen. */
export function sees({ networks }: View, standsOn: Iterable<string>): boolean {
  if (!networks) return true;
  for (const network of standsOn) if (networks.has(network)) return true;
  return false;
}

export const SCOPES = ["all", "strict"] as const;

/** What who is on no network sees: everything, or nothing. */
export type Scope = (typeof SCOPES)[number];

/** The view itself, but that under `strict` nobody sees everything for being nowhere. */
export function scoped(view: View, scope: Scope): View {
  return scope === "strict" && !view.networks ? EMPTY_VIEW : view;
}
