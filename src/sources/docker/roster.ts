import { compareText, isSameList } from "../../base/compare.ts";
import {
  type Client,
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
import { createDeclaring } from "./roster-declare.ts";
import { compareAge, type Group } from "./roster-group.ts";
import { networksIn } from "./roster-networks.ts";
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
  let clientsBefore = createMemo<Client>();
  let before = EMPTY_ROSTER;

  return (snapshot) => {
    const { warn, lines } = createWarnings();
    const found = networksIn([snapshot.networks], warn);
    const containers = sortContainers(snapshot.containers);
    const { swarm } = snapshot;
    const ofSwarm = swarm && groupSwarm(swarm, byId(containers), found, warn);
    const others = ofSwarm
      ? containers.filter((container) => !(isOfSwarm(container) || ofSwarm.homes.has(container.id)))
      : containers;
    const own = groupContainers(others, found, warn);
    const groups = [...(ofSwarm?.groups ?? []), ...shareAliases(own.groups, warn)].filter(
      // Where nobody could ask for it: it has no network, or the machine's.
      ({ networks }) => networks.length > 0,
    );

    const verdicts = new Map<TaskDeclaration, Verdict>();
    const declare = createDeclaring(warn);
    const next = createMemo<Declaration>();
    const services = groups.toSorted(compareGroups).map((group) => {
      const declared = declare(group);
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
    const homes = ofSwarm ? new Map([...own.homes, ...ofSwarm.homes]) : own.homes;
    const nextClients = createMemo<Client>();
    const clients = clientsOf(containers, homes, found, warn).map((client) =>
      nextClients.keep(client.address, client, clientsBefore),
    );
    clientsBefore = nextClients;
    before = sameOr(before, { ...EMPTY_ROSTER, networks, services, clients });
    return { roster: before, verdicts, warnings: lines() };
  };
}

/** What was made before, to be used again. */
interface Memo<T> {
  readonly entries: Map<string, Kept<T>>;
  /** The value of this key in `before` if it says the same. */
  keep(key: string, made: T, before: Memo<T>): T;
}

interface Kept<T> {
  /** What was made last. */
  readonly made: T;
  readonly text: string;
  /** What said the same first. */
  readonly value: T;
}

function createMemo<T>(): Memo<T> {
  const entries: Memo<T>["entries"] = new Map();
  return {
    entries,
    keep(key, made, before) {
      const known = before.entries.get(key);
      const entry = known?.made === made ? known : keepBeside(known, made);
      entries.set(key, entry);
      return entry.value;
    },
  };
}

function keepBeside<T>(known: Kept<T> | undefined, made: T): Kept<T> {
  const text = JSON.stringify(made);
  return { made, text, value: known?.text === text ? known.value : made };
}

function sameOr(before: Roster, after: Roster): Roster {
  const clients = isSameList(before.clients, after.clients) ? before.clients : after.clients;
  const isSame =
    clients === before.clients &&
    isSameList(before.services, after.services) &&
    isSameList(before.networks, after.networks);
  return isSame ? before : { ...after, clients };
}

/** The oldest first, whatever order the engine has them in; each once. */
function sortContainers(containers: readonly EngineContainer[]): readonly EngineContainer[] {
  return [...byId(containers).values()].toSorted(
    (one, other) =>
      one.createdAt - other.createdAt || compareText(one.name, other.name) || compareText(one.id, other.id),
  );
}

function byId(containers: readonly EngineContainer[]): ReadonlyMap<string, EngineContainer> {
  return new Map(containers.map((container) => [container.id, container]));
}

/** By age, so that a restart of Rota decides conflicts the same; then by name. */
function compareGroups(one: Group, other: Group): number {
  return (
    one.createdAt - other.createdAt ||
    compareText(formatPrefix(one.name), formatPrefix(other.name)) ||
    compareAge(one, other)
  );
}
