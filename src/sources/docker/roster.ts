import { compareText, isSameList } from "../../base/compare.ts";
import {
  type Declaration,
  EMPTY_ROSTER,
  type Network,
  type Roster,
  type TaskDeclaration,
} from "../../model/declaration.ts";
import { formatPrefix } from "../../model/name.ts";
import type { Verdict } from "../../registry/service.ts";
import { shareAliases } from "./roster-aliases.ts";
import { clientsOf } from "./roster-clients.ts";
import { groupContainers } from "./roster-containers.ts";
import { declareService } from "./roster-declare.ts";
import { compareAge, type Group } from "./roster-group.ts";
import { createNetworks } from "./roster-networks.ts";
import { isOfSwarm } from "./roster-seat.ts";
import { groupSwarm } from "./roster-swarm.ts";
import { createWarnings } from "./roster-text.ts";
import type { EngineContainer, EngineRoster, EngineSnapshot } from "./snapshot.ts";

/**
 * Makes what turns an engine's snapshots into rosters. What says the same as in the snapshot before is the same object
 * again: a declaration, a network, the clients, and the roster with all of them.
 *
 * A container stands in the service that its `rota.service` says, else in its Swarm's or Compose's, else in one of its
 * own. While none of its containers runs, a service is there without tasks.
 */
export function createEngineRoster(): (snapshot: EngineSnapshot) => EngineRoster {
  let declarations = createMemo<Declaration>();
  let networksBefore = createMemo<Network>();
  let before = EMPTY_ROSTER;

  return (snapshot) => {
    const { warn, lines } = createWarnings();
    const found = createNetworks(snapshot.networks, warn);
    const containers = sortContainers(snapshot.containers);
    const byId = new Map(containers.map((container) => [container.id, container]));
    const { swarm } = snapshot;
    const ofSwarm = swarm && groupSwarm(swarm, byId, found, warn);
    const others = containers.filter(
      (container) => !ofSwarm || !(isOfSwarm(container) || ofSwarm.homes.has(container.id)),
    );
    const own = groupContainers(others, found, warn);
    const groups = [...(ofSwarm?.groups ?? []), ...shareAliases(own.groups)].filter(
      // Where nobody could ask for it: it has no network, or the machine's.
      ({ networks }) => networks.length > 0,
    );

    const taken = new Set<string>();
    const verdicts = new Map<TaskDeclaration, Verdict>();
    const next = createMemo<Declaration>();
    const services = groups.toSorted(compareGroups).map((group) => {
      const declared = declareService(group, taken, warn);
      const kept = next.keep(group.key, declared.declaration, declarations);
      for (const [at, task] of kept.tasks.entries()) {
        const verdict = declared.verdicts[at];
        if (verdict !== undefined) verdicts.set(task, verdict);
      }
      return kept;
    });
    declarations = next;
    const nextNetworks = createMemo<Network>();
    const networks = found.declared.map((network) =>
      nextNetworks.keep(network.name, network, networksBefore),
    );
    networksBefore = nextNetworks;
    const homes = new Map([...own.homes, ...(ofSwarm?.homes ?? [])]);
    const clients = clientsOf(containers, homes, found);
    before = sameOr(before, { ...EMPTY_ROSTER, networks, services, clients });
    return { roster: before, verdicts, warnings: lines() };
  };
}

/** What was made before, to be used again. */
interface Memo<T> {
  readonly entries: Map<string, { readonly text: string; readonly value: T }>;
  /** The value of this key in `before` if it says the same. */
  keep(key: string, value: T, before: Memo<T>): T;
}

function createMemo<T>(): Memo<T> {
  const entries: Memo<T>["entries"] = new Map();
  return {
    entries,
    keep(key, value, before) {
      const text = JSON.stringify(value);
      const known = before.entries.get(key);
      const entry = known?.text === text ? known : { text, value };
      entries.set(key, entry);
      return entry.value;
    },
  };
}

function sameOr(before: Roster, after: Roster): Roster {
  const clients = isEqual(before.clients, after.clients) ? before.clients : after.clients;
  const isSame =
    clients === before.clients &&
    isSameList(before.services, after.services) &&
    isSameList(before.networks, after.networks);
  return isSame ? before : { ...after, clients };
}

function isEqual(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** The oldest first, whatever order the engine has them in; each once. */
function sortContainers(containers: readonly EngineContainer[]): readonly EngineContainer[] {
  const byId = new Map(containers.map((container) => [container.id, container]));
  return [...byId.values()].toSorted(
    (one, other) =>
      one.createdAt - other.createdAt || compareText(one.name, other.name) || compareText(one.id, other.id),
  );
}

/** By age, so that a restart of Rota decides conflicts the same; then by name. */
function compareGroups(one: Group, other: Group): number {
  const byName = compareText(formatPrefix(one.name), formatPrefix(other.name));
  return one.createdAt - other.createdAt || byName || compareAge(one, other);
}
