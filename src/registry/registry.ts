import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../base/clock.ts";
import { isSameList } from "../base/compare.ts";
import type { Address } from "../model/address.ts";
import type { AvailabilityRule } from "../model/availability.ts";
import {
  type Declaration,
  EMPTY_ROSTER,
  type Network,
  type Node,
  type Roster,
  type TaskDeclaration,
} from "../model/declaration.ts";
import { EMPTY_PREFIX, formatPrefix, joinPrefix, type Name, parentOf, type Prefix } from "../model/name.ts";
import { sees, type View, WHOLE_VIEW } from "../model/view.ts";
import { createBatch } from "./batch.ts";
import { createClaims } from "./claims.ts";
import { joinMoved } from "./moved.ts";
import { addressesOf, type Meaning, namesOf, networksOf, ownName } from "./names.ts";
import { changedNetworks, type FindSubnet, indexSubnets, mergeNetworks } from "./networks.ts";
import { mergeNodes } from "./nodes.ts";
import { createOutages, type Word } from "./outages.ts";
import { createPresence, type SharedPresence } from "./presence.ts";
import { createPublishedPorts } from "./published.ts";
import { createPulse, type SharedPulse } from "./pulse.ts";
import { idOf, nameEach } from "./ids.ts";
import { isSameClaim, reuseParts } from "./reuse.ts";
import { mergeSettings, type Settings } from "./settings.ts";
import {
  deriveService,
  isSameLease,
  isSamePublication,
  keptVerdicts,
  type Known,
  NOTHING_KNOWN,
  type Service,
  type Verdict,
} from "./service.ts";
import { createTaskClaims, type KeptMeaning, wholeMeaning } from "./task-claims.ts";
import { taskOf } from "./tasks.ts";
import { createViews, type FindStand } from "./views.ts";
import { createVipLeases, type LeaseStore, leaseVips } from "./vips.ts";

/** What exists now: the declarations of all sources merged, with each task's health. */
export interface Registry {
  /** Grows with every change: the zone's SOA serial (RFC 1982). */
  readonly serial: number;
  readonly settings: Settings;
  /** Whether every source has told what it declares: before that, what is not found may exist all the same. */
  readonly isWhole: boolean;
  /** In order: of two sources' the first one's, as they stand there. */
  readonly networks: ReadonlyMap<string, Network>;
  /**
   * What a name in front of the zone stands for; `below`: only something beneath it exists. Names of the view's own
   * namespace come first.
   *
   * @param view by default everything
   */
  find(name: Prefix, view?: View): Found | "below" | undefined;
  /** Whose address it is: a task's, else a VIP's. */
  findAddress(address: Address, view?: View): FoundAddress | undefined;
  findSubnet: FindSubnet;
  /** The machines that tasks are on, by name. */
  readonly nodes: ReadonlyMap<string, Node>;
  /**
   * What a client sees that is somewhere beneath the first `length` bits of `address`. Of a whole address, it may
   * change with what is read under {@link standKey}.
   */
  viewOf(address: Address, length: number): View;
  /**
   * Whether what was read here still holds: what `find` says of a name is read under the name, as it was looked for;
   * what a service is, under its id; settings and networks under no key of their own.
   */
  readonly pulse: SharedPulse;
  /** What exists of all names that can be found, for who cannot look for them here. */
  readonly presence: SharedPresence;
  services(): Iterable<Service>;
  /** The names that several services claim. */
  conflicts(): readonly Conflict[];
  /**
   * A source of declarations. Where two claim one name, the source that was opened first keeps it.
   *
   * @param options `isAwaited`, by default not: whether it is still to tell what it declares, which its first
   * `publish` does
   */
  open(source: string, options?: { readonly isAwaited?: boolean }): Source;
  /** Takes verdicts in one change; those on checked tasks in maintenance, or that are not there, are passed over. */
  report(reports: Iterable<VerdictReport>): void;
  /** Replaces the operator's rules on who is out of answers. */
  rule(rules: readonly AvailabilityRule[]): void;
  /** Takes the operator's words in one change; those on services or tasks that are not there are passed over. */
  say(words: Iterable<Word>): void;
  /** Notes that nobody holds an answer any more that names these tasks, as far as they are out. */
  noteDrained(service: string, tasks: Iterable<Prefix>): void;
  /**
   * Runs several calls as one change: nobody sees what is in between, and a service that goes from one source to
   * another keeps its verdicts and VIPs.
   */
  together<T>(step: () => T): T;
  /** Calls `listener` after each change, before the call that made it returns. */
  follow(listener: (change: Change) => void, signal: AbortSignal): void;
}

export interface Source {
  /** Replaces all that this source declared. A declaration that is the same object as before did not change. */
  publish(roster: Roster): void;
  /** Adds one service, or replaces the one of its name, at a cost in proportion to that service. */
  declare(declaration: Declaration): Service;
  /** The service that this source declared by this name. */
  find(name: Prefix): Service | undefined;
  /** Takes one service back; false if this source declares none of that name. */
  withdraw(name: Prefix): boolean;
}

export interface Found {
  readonly service: Service;
  readonly meaning: Meaning;
  /** What is to be shown of it: less than who asks sees where the name ends in that of a network. */
  readonly view: View;
  /** The name of that network; empty: there is none. */
  readonly suffix: Prefix;
}

export interface FoundAddress {
  readonly service: Service;
  /** Undefined: the address is the service's VIP. */
  readonly task: TaskDeclaration | undefined;
}

/** A name that several services claim. */
export interface Conflict {
  readonly name: Prefix;
  /** Who answers for it. */
  readonly holder: Service;
  readonly others: readonly Service[];
}

/** A verdict on a task, by the id of its service and its own. */
export interface VerdictReport {
  readonly service: string;
  readonly task: Prefix;
  readonly verdict: Verdict;
}

/** What changed, by the services touched and no others. */
export interface Change {
  readonly serial: number;
  readonly touched: ReadonlyMap<string, Touched>;
  /** The names that the touched services claim and others do, too. */
  readonly conflicts: readonly Conflict[];
}

/** Before and after; both, and the same, where the service only gained or lost a name to another. */
export interface Touched {
  readonly before: Service | undefined;
  readonly after: Service | undefined;
}

export interface RegistryOptions {
  readonly clock: Clock;
  readonly store: LeaseStore;
  /** The zone, whatever the sources say. */
  readonly zone?: Name | undefined;
}

interface OpenSource {
  readonly name: string;
  readonly rank: number;
  roster: Roster;
  readonly entries: Map<string, Entry>;
  nextRank: number;
  isAwaited: boolean;
}

/** A declaration's place here: what names lead to, so that a new service value moves no name. */
interface Entry {
  readonly id: string;
  readonly source: OpenSource;
  rank: number;
  service: Service;
}

export function createRegistry({ clock, store, zone }: RegistryOptions): Registry {
  const sources: OpenSource[] = [];
  const entries = new Map<string, Entry>();
  const listeners = new Set<(change: Change) => void>();
  /** The services without a VIP that they should have. */
  const vipless = new Set<Entry>();
  let networks = mergeNetworks([]);
  let findSubnet = indexSubnets(networks.values());
  let nodes = mergeNodes([]);
  let settings = mergeSettings([], zone);
  // RFC 1982: a restart an hour later must not look older, and no more than a change a second is kept up for long.
  let serial = Math.floor(clock.now() / 1000) >>> 0;

  const pulse = createPulse();
  pulse.setSerial(serial);
  const presence = createPresence(() => names.keys(), pulse.touchAll);
  /** What the change under way has touched so far. */
  let batch = createBatch<Entry>();
  let isChanging = false;
  const rules = {
    compare: (one: Entry, other: Entry) => one.source.rank - other.source.rank || one.rank - other.rank,
    moved: (entry: Entry) => batch.touch(entry.id, entry.service),
  };
  const names = createClaims<Prefix, Entry, KeptMeaning>({
    ...rules,
    contested: (name) => batch.contested.add(name),
    above: parentOf,
    changed: pulse.touch,
    existence: presence,
  });
  // Several services may well stand at one address: that is no conflict, and moves nobody's answers but PTR and what
  // is seen from there. So no service is touched, but the serial moves on: views are kept by it (dns/viewers.ts).
  const addresses = createClaims<Address, Entry, TaskDeclaration | undefined>({
    compare: rules.compare,
    moved: () => {
      batch.isAddressMoved = true;
    },
    contested: () => {},
    above: () => undefined,
    changed: (address) => pulse.touch(standKey(address)),
  });
  const views = createViews(standOf, pulse.touchAll);
  views.takeNetworks(networks);
  const ports = createPublishedPorts<Entry>({
    compare: rules.compare,
    moved: (entry) => batch.wantsPorts.add(entry),
    idOf: ({ id }) => id,
    describe: ({ service: { declaration } }) =>
      `${formatPrefix(ownName(declaration))} (${declaration.origin})`,
  });
  const operator = createOutages(() => clock.monotonic());
  const leases = createVipLeases(clock, store, (address) => addresses.find(address) !== undefined);

  return {
    get serial() {
      return serial;
    },
    get settings() {
      return settings;
    },
    get networks() {
      return networks;
    },
    get nodes() {
      return nodes;
    },
    get findSubnet() {
      return findSubnet;
    },
    find(name, view = WHOLE_VIEW) {
      const found = findIn(name, view);
      if (found && found !== "below") return found;
      for (const cut of views.cuts(name, view)) {
        const onNetwork = cut.name === "" ? "below" : findIn(cut.name, cut.view);
        if (onNetwork === "below") return onNetwork;
        if (onNetwork) return { ...onNetwork, suffix: cut.suffix };
      }
      return found;
    },
    findAddress(address, view = WHOLE_VIEW) {
      const held = addresses.find(address, view.networks);
      if (held && held !== "below") return { service: held.claimant.service, task: held.meaning };
      const holder = entries.get(leases.holderOf(address) ?? "")?.service;
      // A dnsrr service may hold one for when it is switched back: nothing leads there now.
      const vip = holder?.vips.find((vip) => vip.address === address);
      return holder && vip && sees(view, [vip.network]) ? { service: holder, task: undefined } : undefined;
    },
    get isWhole() {
      return sources.every(({ isAwaited }) => !isAwaited);
    },
    viewOf: views.viewOf,
    pulse: pulse.shared,
    get presence() {
      return presence.shared;
    },
    *services() {
      for (const entry of entries.values()) yield entry.service;
    },
    conflicts() {
      return [...names.contested()].flatMap(conflictsOf);
    },
    open(name, { isAwaited = false } = {}) {
      const rank = sources.length;
      const source = { name, rank, roster: EMPTY_ROSTER, entries: new Map(), nextRank: 0, isAwaited };
      sources.push(source);
      return {
        publish: (roster) => change(() => publish(source, roster)),
        declare: (declaration) =>
          change(() => {
            const id = idOf(name, ownName(declaration));
            const known = entries.get(id);
            if (!known) return put(source, id, declaration, source.nextRank++);
            return put(source, id, reuseParts(declaration, known.service.declaration), known.rank);
          }).service,
        find: (own) => source.entries.get(idOf(name, own))?.service,
        withdraw: (own) => change(() => remove(source.entries.get(idOf(name, own)))),
      };
    },
    report: (reports) => change(() => takeVerdicts(reports)),
    rule: (rules) =>
      change(() => {
        operator.rule(rules);
        for (const entry of entries.values()) obey(entry);
      }),
    say: (words) => change(() => takeWords(words)),
    noteDrained(service, tasks) {
      const entry = entries.get(service);
      if (!entry) return;
      const outages = new Map(entry.service.outages);
      for (const task of tasks) {
        const outage = outages.get(task);
        if (outage && !outage.isDrained) outages.set(task, { ...outage, isDrained: true });
      }
      change(() => derive(entry, { ...entry.service, outages }));
    },
    together: change,
    follow(listener, signal) {
      if (signal.aborted) return;
      listeners.add(listener);
      signal.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };

  /** Runs one change to its end: VIPs given, the serial moved on, listeners told. */
  function change<T>(step: () => T): T {
    if (isChanging) return step(); // part of the one under way
    isChanging = true;
    try {
      return changeBy(step);
    } finally {
      isChanging = false;
    }
  }

  function changeBy<T>(step: () => T): T {
    const result = step();
    passOn();
    giveVips();
    givePorts();
    presence.settle();
    const { touched, contested, isSettings, isAddressMoved } = batch;
    batch = createBatch();
    if (touched.size === 0 && !isSettings && !isAddressMoved) return result;
    serial = (serial + 1) >>> 0;
    for (const id of touched.keys()) pulse.touch(id);
    if (isSettings) pulse.touchAll();
    pulse.setSerial(serial);
    const changed = new Map([...touched].map(([id, before]) => [id, { before, after: serviceOf(id) }]));
    const conflicts = [...contested].flatMap(conflictsOf);
    isChanging = false; // a listener may make the next
    for (const listener of listeners) listener({ serial, touched: changed, conflicts });
    return result;
  }

  function serviceOf(id: string): Service | undefined {
    return entries.get(id)?.service;
  }

  function findIn(name: Prefix, view: View): Found | "below" | undefined {
    const own =
      view.namespace === "" ? undefined : names.find(joinPrefix(name, view.namespace), view.networks);
    const held = own && own !== "below" ? own : (names.find(name, view.networks) ?? own);
    if (!held || held === "below") return held;
    return {
      service: held.claimant.service,
      meaning: wholeMeaning(held.meaning),
      view,
      suffix: EMPTY_PREFIX,
    };
  }

  /** Where a task stands that asks, by what declares it first. */
  function standOf(address: Address): ReturnType<FindStand> {
    const held = addresses.find(address);
    if (!held || held === "below" || !held.meaning) return undefined;
    const { declaration } = held.claimant.service;
    return { networks: networksOf(held.meaning, declaration), namespace: declaration.namespace };
  }

  function conflictsOf(name: Prefix): Conflict[] {
    return names.conflicts(name).map(({ holder, others }) => ({
      name,
      holder: holder.service,
      others: others.map(({ service }) => service),
    }));
  }

  function publish(source: OpenSource, roster: Roster): void {
    const { clients } = source.roster;
    source.roster = roster;
    // What clients see changes with both, without a service being touched.
    const isOfOthers = !isDeepStrictEqual(clients, roster.clients);
    if (isOfOthers) views.takeClients(sources.map((one) => one.roster));
    if (source.isAwaited || isOfOthers) batch.isSettings = true;
    source.isAwaited = false;
    takeNetworks();
    takeNodes();
    takeSettings();
    const declared = nameEach(source.name, roster.services, idsOf(source));
    // The last first: of thousands that claim one name, nobody is to be found anew who is about to go as well.
    for (const [id, entry] of [...source.entries].toReversed()) if (!declared.has(id)) remove(entry);
    source.nextRank = 0;
    for (const [id, declaration] of declared) {
      const entry = entries.get(id);
      const rank = source.nextRank++;
      if (entry?.service.declaration === declaration) entry.rank = rank;
      else put(source, id, declaration, rank);
    }
    names.settle();
    addresses.settle();
    ports.settle();
  }

  function put(source: OpenSource, id: string, declaration: Declaration, rank: number): Entry {
    const known = entries.get(id);
    const said = known?.service.declaration;
    batch.touch(id, known?.service);
    operator.forget(id, declaration.tasks);
    const before = known?.service ?? NOTHING_KNOWN;
    const outages = operator.of(id, declaration, before.outages);
    const verdicts = known ? keptVerdicts(known.service, declaration) : before.verdicts;
    const service = deriveService(id, declaration, { ...before, outages, verdicts });
    const entry = known ?? { id, source, rank, service };
    entry.rank = rank;
    entry.service = service;
    entries.set(id, entry);
    source.entries.set(id, entry);
    claim(entry, said);
    batch.wantsVip.add(entry);
    batch.wantsPorts.add(entry);
    return entry;
  }

  function remove(entry: Entry | undefined): boolean {
    if (!entry) return false;
    batch.touch(entry.id, entry.service);
    const { declaration } = entry.service;
    ports.release(entry, declaration);
    for (const name of namesOf(declaration).keys()) names.remove(name, entry);
    for (const address of addressesOf(declaration).keys()) unclaim(address, entry);
    leases.free(entry.id);
    ports.free(entry);
    operator.forget(entry.id);
    vipless.delete(entry);
    entries.delete(entry.id);
    entry.source.entries.delete(entry.id);
    return true;
  }

  /**
   * Claims what the service's declaration says, in place of what the one before it said. What both say is held
   * throughout: other threads look while it happens.
   */
  function claim(entry: Entry, before: Declaration | undefined): void {
    const { declaration } = entry.service;
    const claimed = namesOf(declaration);
    const placed = addressesOf(declaration);
    const claimedBefore = before && namesOf(before);
    const placedBefore = before && addressesOf(before);
    const claimOf = createTaskClaims(entry);
    for (const [name, claim] of claimed) {
      if (isSameClaim(claim, claimedBefore?.get(name))) {
        if (names.isContested(name)) batch.contested.add(name);
        continue;
      }
      const { meaning, networks: scopes } = claim;
      const isTask = meaning.kind === "task";
      names.add(name, isTask ? claimOf(meaning.task, scopes) : { claimant: entry, meaning, scopes });
    }
    for (const name of claimedBefore?.keys() ?? []) if (!claimed.has(name)) names.remove(name, entry);
    for (const [address, { task, networks: scopes }] of placed) {
      const was = placedBefore?.get(address);
      if (was && was.task === task && isSameList(was.networks, scopes)) continue;
      addresses.add(address, task ? claimOf(task, scopes) : { claimant: entry, meaning: task, scopes });
      const holder = entries.get(leases.holderOf(address) ?? "");
      if (holder) batch.wantsVip.add(holder);
    }
    for (const address of placedBefore?.keys() ?? []) if (!placed.has(address)) unclaim(address, entry);
    ports.claim(entry, declaration, before);
  }

  function unclaim(address: Address, entry: Entry): void {
    addresses.remove(address, entry);
    leases.released(address);
  }

  /** To who asks, a service that one source lost and another has is the same: what is known of it goes along. */
  function passOn(): void {
    for (const { before, after } of joinMoved(batch.touched, serviceOf)) {
      const entry = entries.get(after?.id ?? "");
      if (!before || !entry || before.id === entry.id) continue;
      leases.passOn(before.id, entry.id);
      const { service } = entry;
      const verdicts = new Map([...keptVerdicts(before, service.declaration), ...service.verdicts]);
      derive(entry, { ...service, verdicts, isWaiting: before.isWaiting });
    }
  }

  /** Gives VIPs last, when all task addresses of the change are known: those are never given. */
  function giveVips(): void {
    for (const entry of batch.wantsVip) giveVip(entry);
    for (const entry of vipless) {
      if (!leases.mayHaveRoom()) break; // what was freed is given, and there may be a hundred thousand more
      giveVip(entry);
    }
  }

  function giveVip(entry: Entry): void {
    if (entries.get(entry.id) !== entry) return;
    const { service } = entry;
    const leased = leaseVips(service, networks, leases);
    if (leased.vipProblem === undefined) vipless.delete(entry);
    else vipless.add(entry);
    if (!isSameLease(leased, service)) derive(entry, { ...service, ...leased });
  }

  /** Gives published ports last, too, when all that is asked for is known. */
  function givePorts(): void {
    for (const entry of batch.wantsPorts) givePort(entry);
    for (const entry of ports.hopeful()) givePort(entry);
  }

  function givePort(entry: Entry): void {
    if (entries.get(entry.id) !== entry) return;
    const given = ports.give(entry, entry.service.declaration);
    if (!isSamePublication(given, entry.service)) derive(entry, { ...entry.service, ...given });
  }

  /** The verdicts of one service together: each new value of it costs as much as all its tasks. */
  function takeVerdicts(reports: Iterable<VerdictReport>): void {
    const byEntry = new Map<Entry, Map<Prefix, Verdict>>();
    for (const { service, task, verdict } of reports) {
      const entry = entries.get(service);
      if (!entry || entry.service.verdicts.get(task) === verdict) continue;
      const declared = taskOf(entry.service.declaration, task);
      const isMaintained = entry.service.outages.get(task)?.availability === "maintenance";
      if (!declared || (declared.isChecked && isMaintained)) continue;
      const verdicts = byEntry.get(entry) ?? new Map(entry.service.verdicts);
      byEntry.set(entry, verdicts.set(task, verdict));
    }
    for (const [entry, verdicts] of byEntry) derive(entry, { ...entry.service, verdicts });
  }

  function takeWords(words: Iterable<Word>): void {
    const touched = new Set<Entry>();
    for (const word of words) {
      const entry = entries.get(word.service);
      if (!entry || (word.task !== undefined && !taskOf(entry.service.declaration, word.task))) continue;
      operator.say(word, entry.service.declaration);
      touched.add(entry);
    }
    for (const entry of touched) obey(entry);
  }

  /** Sees to it that the operator's word holds for a service. */
  function obey(entry: Entry): void {
    const { service } = entry;
    const outages = operator.of(entry.id, service.declaration, service.outages);
    if (outages !== service.outages) derive(entry, { ...service, outages });
  }

  function derive(entry: Entry, known: Known): void {
    batch.touch(entry.id, entry.service);
    entry.service = deriveService(entry.id, entry.service.declaration, known);
  }

  function takeNetworks(): void {
    const merged = mergeNetworks(sources.map(({ roster }) => roster));
    const changed = changedNetworks(networks, merged);
    // Their order decides, too, what who is on several sees.
    if (changed.size === 0 && isSameList([...networks.keys()], [...merged.keys()])) return;
    networks = merged;
    views.takeNetworks(networks);
    findSubnet = indexSubnets(networks.values());
    batch.isSettings = true; // reverse zones come and go with subnets
    for (const entry of entries.values()) {
      if (entry.service.declaration.networks.some((network) => changed.has(network)))
        batch.wantsVip.add(entry);
    }
  }

  function takeNodes(): void {
    const merged = mergeNodes(sources.map(({ roster }) => roster));
    if (isDeepStrictEqual(nodes, merged)) return;
    nodes = merged;
    batch.isSettings = true; // who carries traffic must know
  }

  function takeSettings(): void {
    const merged = mergeSettings(
      sources.map(({ roster }) => roster),
      zone,
    );
    const { zone: before, ttl, negativeTtl } = settings;
    if (merged.zone === before && merged.ttl === ttl && merged.negativeTtl === negativeTtl) return;
    settings = merged;
    batch.isSettings = true;
  }
}

/** What is read of who stands at an address is read under this. */
export function standKey(address: Address): string {
  return `@${address}`;
}

/** The ids of what a source declares already. */
function idsOf({ entries }: OpenSource): ReadonlyMap<Declaration, string> {
  return new Map([...entries].map(([id, { service }]) => [service.declaration, id]));
}
