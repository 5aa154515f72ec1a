import { setMaxListeners } from "node:events";
import { systemClock } from "../base/clock.ts";
import { messageOf, RotaError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { createScope } from "../base/scope.ts";
import { type Counters, countersOf, createTally } from "../dns/counters.ts";
import type { CacheCounters } from "../dns/forward/cache.ts";
import { isWildcard } from "../dns/interfaces.ts";
import { chooseLanes, formatLanes } from "../dns/lanes/choose.ts";
import type { LaneOptions } from "../dns/lanes/lanes.ts";
import type { ListenAddress, ListenSpec } from "../dns/listen.ts";
import { type Listeners, openListeners } from "../dns/listeners.ts";
import { createRespond } from "../dns/respond.ts";
import { createBook } from "../dns/ready/book.ts";
import { createQuick } from "../dns/ready/quick.ts";
import { createShared } from "../dns/ready/shared.ts";
import { createTeacher } from "../dns/ready/teacher.ts";
import { createRotation } from "../dns/rotation.ts";
import { createViewers } from "../dns/viewers.ts";
import type { HealthCounters } from "../health/counters.ts";
import { runMonitor } from "../health/monitor.ts";
import { createProbes } from "../health/probe.ts";
import { type Address, parseAddress } from "../model/address.ts";
import type { Availability, AvailabilityRule } from "../model/availability.ts";
import { formatName, type Name, parsePrefix, ROOT } from "../model/name.ts";
import { createRegistry } from "../registry/registry.ts";
import type { Verdict } from "../registry/service.ts";
import { forgetfulStore } from "../registry/vips.ts";
import type { ServiceDeclaration } from "../schema/input.ts";
import { parseService } from "../schema/schema.ts";
import { watchAdmin } from "../sources/admin.ts";
import type { SourceReport } from "../sources/report.ts";
import { watchServices } from "../sources/watch.ts";
import { chronicle, tellSource } from "./chronicle.ts";
import { openCarrying } from "./carrying.ts";
import { followDrains } from "./drains.ts";
import { openEngine, waitForEngine } from "./engine.ts";
import { explain, type Explanation } from "./explain.ts";
import { openForwarding } from "./forwarding.ts";
import { createOperator } from "./operator.ts";
import { createOutlines } from "./outlines.ts";
import { readOptions, type RotaOptions } from "./options.ts";
import { rulesetOf } from "./ruleset.ts";
import {
  changeState,
  conflictState,
  type NameConflict,
  type ServicesChange,
  type ServiceState,
  stateOf,
} from "./state.ts";
import { type Traffic, trafficOf } from "./traffic.ts";
import { createTroubles } from "./troubles.ts";
import { tellUnfit } from "./unfit.ts";

/** A running Rota. */
export interface Rota extends AsyncDisposable {
  /** Where it is asked: every socket that is open now. */
  readonly addresses: readonly ListenAddress[];
  /** What answers over UDP, as `2 lanes` or `node:dgram, because lanes is 0`; undefined: nothing but behind PROXY headers. */
  readonly udp: string | undefined;
  /** The name above all services, as `rota.internal.`. */
  readonly zone: string;
  /** What its DNS server has done since it started. */
  readonly counters: Counters;
  /** What the cache of forwarded answers has done; undefined: there is none. */
  readonly cacheCounters: CacheCounters | undefined;
  /** What its health checks have done since it started, and are doing now. */
  readonly healthCounters: HealthCounters;
  /**
   * Declares a service, or replaces the one that was declared by this name. Once it is awaited, every answer
   * shows it.
   *
   * @throws RotaError `ERR_ROTA_DECLARATION`: the declaration is wrong; `ERR_ROTA_CLOSED`. Nothing has changed.
   */
  declare(name: string, declaration: ServiceDeclaration): Promise<ServiceState>;
  /**
   * Takes back what {@link declare} declared, by its name with its namespace, as `web.shop`; false if there is none.
   *
   * @throws RotaError `ERR_ROTA_NAME`: it is no name; `ERR_ROTA_CLOSED`
   */
  withdraw(name: string): Promise<boolean>;
  /**
   * Says whether a task passes: the heartbeat of one that is checked by `heartbeat`, the verdict on one that is
   * not checked at all. It is in answers from its first pass on and until it fails. In maintenance it is passed over.
   * What an engine says of its own task takes the place of this.
   *
   * @param service its name with its namespace; of two, the one that {@link declare} declared
   * @param task its id
   * @throws RotaError `ERR_ROTA_DECLARATION`: no such service or task, or Rota checks it by itself; `ERR_ROTA_NAME`,
   * `ERR_ROTA_OPTION`: no name or verdict; `ERR_ROTA_CLOSED`
   */
  report(service: string, task: string, verdict: Verdict): Promise<void>;
  /**
   * Takes a task, or all tasks that a service has and will have, out of answers at once; it is checked on. What
   * is said here stands above the admin file, until the service or task is gone.
   *
   * @throws RotaError as {@link report}
   */
  drain(service: string, task?: string): Promise<void>;
  /**
   * Takes out of answers as {@link drain} does, and is not checked: when it is active again it must pass first.
   *
   * @throws RotaError as {@link report}
   */
  maintain(service: string, task?: string): Promise<void>;
  /**
   * Puts back what {@link drain}, {@link maintain} or the admin file took out.
   *
   * @throws RotaError as {@link report}
   */
  activate(service: string, task?: string): Promise<void>;
  /**
   * Says what a name, or the reverse name of an address, is answered now, and why.
   *
   * @throws RotaError `ERR_ROTA_NAME`, `ERR_ROTA_ADDRESS`: it is no name, or who asks no address; `ERR_ROTA_CLOSED`
   */
  explain(name: string, asker?: Asker): Promise<Explanation>;
  /**
   * What carries the traffic to VIPs and published ports now, who gets how much of it, and what is not carried.
   *
   * @throws RotaError `ERR_ROTA_PLANE`: it could not be read from the kernel; `ERR_ROTA_CLOSED`
   */
  traffic(): Promise<Traffic>;
  /** The ruleset that the plane nftables would have now, as `nft -f` reads it, whether or not it is in use. */
  ruleset(): string;
  /** All services of all sources as they are now. */
  services(): readonly ServiceState[];
  /** The names that several services claim: of each, one answers. */
  conflicts(): readonly NameConflict[];
  /** Calls `listener` after each change, until `signal` is aborted. What it throws, or rejects with, goes to the log. */
  follow(listener: (change: ServicesChange) => unknown, signal?: AbortSignal): void;
  /**
   * Reads the services files again now, and looks at the engine; what is wrong with them goes to the log.
   *
   * @throws RotaError `ERR_ROTA_CLOSED`
   */
  reload(): Promise<void>;
  /** Closes everything; the same as leaving an `await using`. */
  close(): Promise<void>;
}

/** Who asks. */
export interface Asker {
  /**
   * Its address, which decides on the networks and the namespace that it sees.
   * @default that of somebody on no network
   */
  readonly from?: string | undefined;
}

/**
 * Starts a DNS server for services, and resolves when it can be asked.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE`, `ERR_ROTA_DECLARATION`, `ERR_ROTA_OPTION`, `ERR_ROTA_LISTEN`, or
 * the reason of an aborted `signal`: then nothing has been left open.
 */
export async function startRota(options: RotaOptions = {}): Promise<Rota> {
  const read = readOptions(options);
  const { files, poll, listen, zone, outside, limits, allowExec, roster, log, signal } = read;
  signal?.throwIfAborted();

  await using scope = createScope();
  const life = new AbortController();
  setMaxListeners(0, life.signal); // any number may follow
  scope.defer(() => life.abort());

  const registry = createRegistry({ clock: systemClock, store: forgetfulStore, zone });
  const { monotonic: nowMs } = systemClock;
  chronicle(registry, log, nowMs, life.signal);
  followDrains(registry, { graceMs: read.drainGraceMs, nowMs, log }, life.signal);
  const fileSource = registry.open("file");
  const library = registry.open("library");
  library.publish(roster);
  // What an engine shows comes last: what somebody wrote down keeps its names.
  const engineSource = registry.open("engine", { isAwaited: read.engine !== undefined });
  const outlines = createOutlines({
    files: fileSource.publish,
    engine: engineSource.publish,
    together: registry.together,
  });
  const ends = signal ? AbortSignal.any([life.signal, signal]) : life.signal;
  const closeByAbort = (closed: Promise<unknown>): void =>
    scope.defer(async () => {
      life.abort();
      await closed;
    });

  const troubles = createTroubles();
  const tell = tellSource(log);
  const report = (said: SourceReport): void => {
    troubles.take(said);
    tell(said);
  };
  const rule = (rules: readonly AvailabilityRule[]): void => {
    registry.rule(rules);
    tellUnfit(rules, registry, log);
  };
  const watchOptions = { poll, env: process.env, allowExec, publish: outlines.takeFiles, report };
  const source = await watchServices(files, watchOptions, ends);
  closeByAbort(source.closed);
  const admin =
    read.adminFile === undefined
      ? undefined
      : await watchAdmin(read.adminFile, { poll, publish: rule, report }, ends);
  if (admin) closeByAbort(admin.closed);
  const engine = read.engine && openEngine({ engine: read.engine, outlines, registry, report }, ends);
  if (engine) closeByAbort(engine.closed);

  // What is not known yet is not denied meanwhile, and an engine that hangs holds up nobody else's names.
  if (engine) await waitForEngine(engine, ends);
  const counters = createTally();
  const forwarding = await openForwarding(
    {
      specs: read.forward,
      maxWaiting: read.maxForwards,
      cacheOctets: read.cacheSize,
      poll,
      counters: counters.forward,
      log,
      report,
    },
    ends,
  );
  if (forwarding) closeByAbort(forwarding.closed);
  const { forwarder } = forwarding ?? {};
  const isRouted = (name: Name): boolean => forwarder?.isRouted(name) ?? false;
  let listening: Listeners | undefined; // it may be asked at one socket while the next is being opened
  const nameServers = (): readonly Address[] => addressesAskedAt(listening?.addresses ?? []);
  const viewers = createViewers({ registry, trusted: read.trusted, scope: read.scope });
  const shared = createShared(registry.pulse);
  const teacher = createTeacher({
    registry,
    shared,
    rotation: createRotation(),
    nameServers,
    isRouted,
    routed: read.forward.map(({ zone: routed }) => routed).filter((routed) => routed !== ROOT),
    viewers,
    isRecursive: forwarder !== undefined,
  });
  const { idleMs } = limits;
  const plain = createRespond({ answer: teacher.answer, idleMs, outside, forwarder, viewers, counters, log });
  const respond = createQuick({ book: createBook(shared), teacher, respond: plain, counters });
  // Before anybody is told where to go.
  const carrying = scope.use(
    await openCarrying(
      {
        registry,
        choice: read.plane,
        isCleanup: read.planeCleanup,
        netns: read.planeNetns,
        node: read.node,
        log,
      },
      ends,
    ),
  );
  const choice = await chooseLanes(read.lanes);
  const udp = listen.some(isForLanes) ? formatLanes(choice) : undefined;
  const lanes: LaneOptions | undefined =
    choice.kind === "dgram"
      ? undefined
      : {
          ...choice,
          shared,
          teach: (octets, client, key) => teacher.teach(client, key, () => plain(octets, "udp", client)),
        };
  const listeners = scope.use(await openListeners(listen, { respond, counters, limits, lanes, log }));
  listening = listeners;
  forwarder?.look();

  const monitor = runMonitor(
    {
      registry,
      clock: systemClock,
      probe: createProbes(),
      concurrency: read.maxProbes,
      startWaitMs: read.startWaitMs,
      log,
    },
    life.signal,
  );
  closeByAbort(monitor.closed);
  const operator = createOperator(registry, library, monitor);
  const explainNow = (name: string, { from }: Asker): Explanation =>
    explain(name, {
      registry,
      from: from === undefined ? undefined : parseAddress(from),
      scope: read.scope,
      nameServers,
      outside,
      forwarder,
      look: monitor.look,
      nowMs: nowMs(),
      troubles: troubles.list,
      uncarried: carrying.troublesOf,
    });

  signal?.throwIfAborted(); // it may have been while files were read
  const open = scope.move();
  let closing: PromiseLike<void> | undefined;
  const close = async (): Promise<void> => {
    life.abort(); // from now on nothing is taken
    closing ??= open[Symbol.asyncDispose]();
    await closing;
  };
  const closeByItself = (): void => void close().catch(tellOf(log));
  signal?.addEventListener("abort", closeByItself, { once: true, signal: life.signal });

  return {
    get addresses() {
      return listeners.addresses;
    },
    udp,
    get zone() {
      return formatName(registry.settings.zone);
    },
    counters: countersOf(counters),
    get cacheCounters() {
      return forwarding?.cache?.counters;
    },
    get healthCounters() {
      return monitor.counters;
    },
    async declare(name, declaration) {
      assertOpen(life.signal);
      const { networks } = registry;
      const warn = (message: string): void => log.warn({ service: name }, message);
      const context = { networks, allowExec, origin: "rota.declare", warn };
      const declared = library.declare(parseService(name, declaration, context));
      await listeners.caughtUp();
      return stateOf(declared);
    },
    async withdraw(name) {
      assertOpen(life.signal);
      const isWithdrawn = library.withdraw(parsePrefix(name));
      await listeners.caughtUp();
      return isWithdrawn;
    },
    async report(service, task, verdict) {
      assertOpen(life.signal);
      await operator.report(service, task, verdict);
      await listeners.caughtUp();
    },
    drain: async (service, task) => set("drain", service, task),
    maintain: async (service, task) => set("maintenance", service, task),
    activate: async (service, task) => set("active", service, task),
    async explain(name, asker = {}) {
      assertOpen(life.signal);
      return explainNow(name, asker);
    },
    async traffic() {
      assertOpen(life.signal);
      return trafficOf(carrying);
    },
    ruleset: () => rulesetOf(carrying.state),
    services: () => [...registry.services()].map(stateOf),
    conflicts: () => registry.conflicts().map(conflictState),
    follow(listener, until) {
      const ends = until ? AbortSignal.any([life.signal, until]) : life.signal;
      registry.follow((change) => {
        try {
          const returned: unknown = listener(changeState(change));
          if (returned instanceof Promise) returned.catch(tellFollower(log));
        } catch (error) {
          tellFollower(log)(error);
        }
      }, ends);
    },
    async reload() {
      assertOpen(life.signal);
      await Promise.all([source.reload(), admin?.reload(), engine?.look()]);
      await carrying.retry();
      await listeners.caughtUp();
      for (const trouble of [...troubles.list(), ...carrying.troubles()])
        log.warn({}, `still so: ${trouble}`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };

  async function set(availability: Availability, service: string, task: string | undefined): Promise<void> {
    assertOpen(life.signal);
    await operator.set(availability, service, task);
    await listeners.caughtUp();
  }
}

/** Lanes know nothing of PROXY headers. */
function isForLanes({ transports, isProxied }: ListenSpec): boolean {
  return transports.includes("udp") && !isProxied;
}

function assertOpen(life: AbortSignal): void {
  if (life.aborted) throw new RotaError("ERR_ROTA_CLOSED", "this Rota is closed: start another");
}

/** Where others can ask: of a wildcard, the addresses behind it have listeners of their own. */
function addressesAskedAt(listening: readonly ListenAddress[]): readonly Address[] {
  const texts = listening
    .filter(({ isProxied }) => !isProxied)
    .map(({ address }) => address)
    .filter((address) => !isWildcard(address) && !address.includes("%"));
  return [...new Set(texts)].map(parseAddress);
}

/** A follower's mistake must not keep a change from the others, nor end the process if it comes later. */
function tellFollower(log: Log): (error: unknown) => void {
  return (error) => log.error({ err: error }, `a follower of changes failed: ${messageOf(error)}`);
}

function tellOf(log: Log): (error: unknown) => void {
  return (error) => log.error({ err: error }, `could not close everything: ${messageOf(error)}`);
}
