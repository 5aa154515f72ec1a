import type { Roster } from "../model/declaration.ts";
import { type Name, parseName } from "../model/name.ts";

/** What holds for the zone as a whole. */
export interface Settings {
  readonly zone: Name;
  /** Seconds. */
  readonly ttl: number;
  /** Seconds. */
  readonly negativeTtl: number;
}

const DEFAULT_ZONE = "rota.internal";
/** Low: a task that is gone is asked for no longer than this. */
const DEFAULT_TTL_S = 5;

/** Of two rosters that set the same, the first counts. `zone`, where given, counts before all. */
export function mergeSettings(rosters: readonly Roster[], zone: Name | undefined): Settings {
  return {
    zone: zone ?? firstSet(rosters, "zone") ?? parseName(DEFAULT_ZONE),
    ttl: firstSet(rosters, "ttl") ?? DEFAULT_TTL_S,
    negativeTtl: firstSet(rosters, "negativeTtl") ?? DEFAULT_TTL_S,
  };
}

function firstSet<Key extends keyof Settings>(rosters: readonly Roster[], key: Key): Roster[Key] {
  return rosters.find((roster) => roster[key] !== undefined)?.[key];
}
