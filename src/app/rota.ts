import { systemClock } from "../base/clock.ts";
import { messageOf, RotaError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { createScope } from "../base/scope.ts";
import { type Counters, createTally } from "../dns/counters.ts";
import { isWildcard } from "../dns/interfaces.ts";
import type { ListenAddress } from "../dns/listen.ts";
import { type Listeners, openListeners } from "../dns/listeners.ts";
import { createRespond } from "../dns/respond.ts";
import { createRotation } from "../dns/rotation.ts";
import { type Address, parseAddress } from "../model/address.ts";
import { formatName, parsePrefix, type Prefix } from "../model/name.ts";
import { createRegistry, type Registry } from "../registry/registry.ts";
import { type Service, type Verdict, VERDICTS } from "../registry/service.ts";
import { forgetfulStore } from "../registry/vips.ts";
import type { ServiceDeclaration } from "../schema/input.ts";
import { parseService } from "../schema/schema.ts";
import { watchServices } from "../sources/watch.ts";
import { chronicle, tellSource } from "./chronicle.ts";
import { readOptions, type RotaOptions } from "./options.ts";
import {
  changeState,
  conflictState,
  type NameConflict,
  type ServicesChange,
  type ServiceState,
  stateOf,
} from "./state.ts";

/** A running Rota. */
export interface Rota extends AsyncDisposable {
  /** Where it is asked: every socket that is open now. */
  readonly addresses: readonly ListenAddress[];
  /** The name above all services, as `rota.internal.`. */
  readonly zone: string;
  /** What it has done since it started. */
  readonly counters: Counters;
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
   * Says whether a task passes. It is in answers from its first pass on and until it fails.
   *
   * @param service its name with its namespace; of two, the one that {@link declare} declared
   * @param task its id
   * @throws RotaError `ERR_ROTA_DECLARATION`: no such service or task; `ERR_ROTA_NAME`, `ERR_ROTA_OPTION`: no name
   * or verdict; `ERR_ROTA_CLOSED`
   */
  report(service: string, task: string, verdict: Verdict): Promise<void>;
  /** All services of all sources as they are now. */
  services(): readonly ServiceState[];
  /** The names that several services claim: of each, one answers. */
  conflicts(): readonly NameConflict[];
  /** Calls `listener` after each change, until `signal` is aborted. What it throws, or rejects with, goes to the log. */
  follow(listener: (change: ServicesChange) => unknown, signal?: AbortSignal): void;
  /**
   * Reads the services files again now; what is wrong with them goes to the log.
   *
   * @throws RotaError `ERR_ROTA_CLOSED`
   */
  reload(): Promise<void>;
  /** Closes everything; the same as leaving an `await using`. */
  close(): Promise<void>;
}

/**
 * Starts a DNS server for services, and resolves when it can be asked.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE`, `ERR_ROTA_DECLARATION`, `ERR_ROTA_OPTION`, `ERR_ROTA_LISTEN`, or
 * the reason of an aborted `signal`: then nothing has been left open.
 */
export async function startRota(options: RotaOptions = {}): Promise<Rota> {
  const { files, poll, listen, zone, outside, limits, roster, log, signal } = readOptions(options);
  signal?.throwIfAborted();

  await using scope = createScope();
  const life = new AbortController();
  scope.defer(() => life.abort());

  const registry = createRegistry({ clock: systemClock, store: forgetfulStore, zone });
  chronicle(registry, log, life.signal);
  const fileSource = registry.open("file");
  const library = registry.open("library");
  library.publish(roster);
  const watchOptions = { poll, env: process.env, publish: fileSource.publish, report: tellSource(log) };
  const source = await watchServices(
    files,
    watchOptions,
    signal ? AbortSignal.any([life.signal, signal]) : life.signal,
  );
  scope.defer(async () => {
    life.abort();
    await source.closed;
  });

  const counters = createTally();
  let listening: Listeners | undefined; // it may be asked at one socket while the next is being opened
  const nameServers = (): readonly Address[] => addressesAskedAt(listening?.addresses ?? []);
  const respond = createRespond({
    registry,
    idleMs: limits.idleMs,
    rotation: createRotation(),
    nameServers,
    outside,
    counters,
    log,
  });
  const listeners = scope.use(await openListeners(listen, { respond, counters, limits, log }));
  listening = listeners;

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
    get zone() {
      return formatName(registry.settings.zone);
    },
    counters,
    async declare(name, declaration) {
      assertOpen(life.signal);
      const { networks } = registry;
      const warn = (message: string): void => log.warn({ service: name }, message);
      return stateOf(
        library.declare(parseService(name, declaration, { networks, origin: "rota.declare", warn })),
      );
    },
    async withdraw(name) {
      assertOpen(life.signal);
      return library.withdraw(parsePrefix(name));
    },
    async report(service, task, verdict) {
      assertOpen(life.signal);
      assertVerdict(verdict);
      const name = parsePrefix(service);
      // Its own first: of a name that a file holds, it may have declared a service, too.
      const found = library.find(name) ?? serviceNamed(registry, name);
      if (found && registry.report(found.id, parsePrefix(task), verdict)) return;
      const what = `could not report on task ${task} of service ${service}: there is none`;
      throw new RotaError("ERR_ROTA_DECLARATION", what);
    },
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
      await source.reload();
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function assertOpen(life: AbortSignal): void {
  if (life.aborted) throw new RotaError("ERR_ROTA_CLOSED", "this Rota is closed: start another");
}

/** For those who write JavaScript: types tell the others. */
function assertVerdict(verdict: string): void {
  if (VERDICTS.some((known) => known === verdict)) return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take the verdict "${verdict}": it is starting, passing or failing`,
  );
}

function serviceNamed(registry: Registry, name: Prefix): Service | undefined {
  const found = registry.find(name);
  return found && found !== "below" && found.meaning.kind === "service" ? found.service : undefined;
}

/** Where others can ask: of a wildcard, the addresses behind it have listeners of their own. */
function addressesAskedAt(listening: readonly ListenAddress[]): readonly Address[] {
  const texts = listening
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
