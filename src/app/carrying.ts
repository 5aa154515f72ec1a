import type { Log } from "../base/log.ts";
import { pause } from "../base/pause.ts";
import { systemTimers } from "../base/timers.ts";
import type { TaskDeclaration } from "../model/declaration.ts";
import { derivePlaneService } from "../plane/derive.ts";
import { withChanges } from "../plane/layers.ts";
import type { Peer, PlaneService, PlaneState, Report, Sight, Trouble } from "../plane/plane.ts";
import { createPlanes, type PlaneChoice, type PlanesState } from "../plane/planes.ts";
import type { Registry, Touched } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import { createNamedNodes } from "./named-nodes.ts";

/** The traffic to VIPs and published ports, carried as the registry has it. */
export interface Carrying extends AsyncDisposable {
  /** What the planes were to be brought to last, or would be. */
  readonly state: PlaneState;
  /** What became of it. */
  readonly report: Report;
  look(): Promise<readonly Sight[]>;
  /** What could not be carried, a sentence each. */
  troubles(): readonly string[];
  /** Tries at once what could not be carried: what stood in the way may be over. */
  retry(): Promise<void>;
  /** What keeps the service's traffic from being carried as it should be, a sentence each. */
  troublesOf(service: string): readonly string[];
}

export interface CarryingOptions {
  readonly registry: Registry;
  readonly choice: PlaneChoice;
  readonly isCleanup: boolean;
  /** The name of this node. */
  readonly node: string;
  /** Paths of namespaces to be in as well; `tasks`: those of all tasks that have one. */
  readonly netns: readonly string[];
  readonly log: Log;
}

/** In place of a path: the namespace of every task that has one. */
export const TASKS_NETNS = "tasks";

const nothingToCancel = (): void => {};

/** How long what could not be carried waits for the next try, if nothing changes before. */
const RETRY_MS = 30_000;
/** So many troubles are told one by one, until they are over. */
const TOLD = 100;

/** How long the start waits for the kernel's tools: 10,000 services take 3 s. Whoever asks for names does not wait longer. */
const START_MS = 10_000;

/**
 * Resolves when what is there is carried, as far as it can be, or when that takes too long; follows the registry until it
 * is disposed of.
 *
 * @throws the reason of an aborted `signal`: then nothing has been left open.
 */
export async function openCarrying(options: CarryingOptions, signal: AbortSignal): Promise<Carrying> {
  const { registry, node, log } = options;
  if (options.choice === "none") return notCarrying(registry, node);
  const planes = createPlanes(options);
  const life = new AbortController();
  let services: PlaneState["services"] = new Map();
  const changes = new Map<string, PlaneService | undefined>();
  const named = createNamedNodes();
  const ofTasks = createTaskNamespaces(options.netns.includes(TASKS_NETNS));
  const namesGiven = options.netns.filter((path) => path !== TASKS_NETNS);
  let told: ReadonlySet<string> = new Set();
  let report: Report = { carried: 0, troubles: [] };
  let state = stateNow();
  let isStale = false;
  let applying: Promise<void> | undefined;
  let cancelRetry = nothingToCancel;

  for (const service of registry.services()) take(service.id, { before: undefined, after: service });
  registry.follow(({ touched }) => {
    for (const [id, change] of touched) take(id, change);
    isStale = true;
    applying ??= applyAll();
  }, life.signal);
  life.signal.addEventListener("abort", () => cancelRetry(), { once: true });
  applying = applyAll();

  const carrying: Carrying = {
    get state() {
      return state;
    },
    get report() {
      return report;
    },
    look: async () => planes.look(),
    troublesOf(id) {
      const troubles = report.troubles.filter(
        ({ service = state.services.has(id) ? id : undefined }) => service === id,
      );
      return [...new Set(troubles.map(({ message }) => message))];
    },
    troubles: () => [...new Set(report.troubles.map(({ message }) => message))],
    retry,
    async [Symbol.asyncDispose]() {
      life.abort();
      // First: what is under way may hang in the kernel's tools, and ends by this.
      await planes[Symbol.asyncDispose]();
      await applying;
    },
  };
  await waitFor(applying);
  if (signal.aborted) {
    await carrying[Symbol.asyncDispose]();
    signal.throwIfAborted();
  }
  return carrying;

  /** Whether or not it is over yet. */
  async function waitFor(first: Promise<void>): Promise<void> {
    const isOver = new AbortController();
    const wait = pause(systemTimers, START_MS, AbortSignal.any([signal, isOver.signal]));
    const isLate = await Promise.race([first.then(() => false), wait]);
    isOver.abort();
    if (!isLate) return;
    const after = `after ${START_MS / 1000} s the traffic to VIPs and published ports is not carried yet`;
    log.warn({ plane: options.choice }, `${after}: names are answered meanwhile`);
  }

  function take(id: string, { before, after }: Touched): void {
    ofTasks.take(before, after);
    const known = changes.has(id) ? changes.get(id) : services.get(id);
    const derived = after && derivePlaneService(after, node, known);
    const now = derived && derived.frontends.length + derived.vips.length > 0 ? derived : undefined;
    if (now === known) return;
    named.take(id, known, now);
    changes.set(id, now);
  }

  function stateNow(): PlanesState {
    services = withChanges(services, changes);
    changes.clear();
    return {
      services,
      ...surroundingsOf(registry, node),
      namespaces: new Map([...ofTasks.list(), ...namesGiven.map((path) => [path, undefined] as const)]),
    };
  }

  /** As often as something has changed meanwhile. Many changes at once are one state. */
  async function applyAll(): Promise<void> {
    do {
      await new Promise<void>((resolve) => systemTimers.soon(resolve));
      isStale = false;
      state = stateNow();
      const strays = [...unknownSelf(registry, node), ...named.unknown(state)];
      const { carried, troubles } = await planes.apply(state);
      if (life.signal.aborted) return; // what was not done then is nobody's trouble
      report = { carried, troubles: [...troubles, ...strays] };
      tell();
    } while (isStale && !life.signal.aborted);
    applying = undefined;
    cancelRetry();
    if (report.troubles.length > 0 && !life.signal.aborted)
      cancelRetry = systemTimers.after(RETRY_MS, () => void retry());
  }

  async function retry(): Promise<void> {
    applying ??= applyAll();
    await applying;
  }

  /** Each once, for as long as it is so. */
  function tell(): void {
    const messages = new Set(report.troubles.map(({ message }) => message));
    const news = [...messages].filter((message) => !told.has(message));
    for (const message of news.slice(0, TOLD)) log.warn({ plane: options.choice }, message);
    if (news.length > TOLD)
      log.warn({ untold: news.length - TOLD }, `and ${news.length - TOLD} more of the kind`);
    const over = [...told].filter((message) => !messages.has(message));
    for (const message of over.slice(0, TOLD))
      log.info({ plane: options.choice }, `no longer so: ${message}`);
    if (over.length > TOLD)
      log.info({ untold: over.length - TOLD }, `and ${over.length - TOLD} more of the kind`);
    told = messages;
  }
}

/** What would be carried, worked out from the registry anew. */
export function planeStateOf(registry: Registry, node: string): PlaneState {
  const services = new Map<string, PlaneService>();
  for (const service of registry.services())
    services.set(service.id, derivePlaneService(service, node, undefined));
  return { services, ...surroundingsOf(registry, node) };
}

function surroundingsOf(
  { nodes, networks }: Pick<Registry, "nodes" | "networks">,
  node: string,
): Pick<PlaneState, "pools" | "peers"> {
  const peers = new Map<string, Peer>();
  for (const [name, { addresses }] of nodes) if (name !== node) peers.set(name, { addresses });
  return { pools: [...networks.values()].flatMap(({ vips }) => vips), peers };
}

/** Costs nothing at a change. */
function notCarrying(registry: Registry, node: string): Carrying {
  return {
    get state() {
      return planeStateOf(registry, node);
    },
    report: { carried: 0, troubles: [] },
    look: async () => [],
    troubles: () => [],
    troublesOf: () => [],
    retry: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

/** The tasks here would be taken for those of another node. */
function unknownSelf({ nodes }: Pick<Registry, "nodes">, node: string): readonly Trouble[] {
  if (nodes.size === 0 || nodes.has(node)) return [];
  const message = `this node is ${node}, which is not among nodes: declare it there, or say which it is by --node`;
  return [{ service: undefined, message }];
}

interface TaskNamespaces {
  take(before: Service | undefined, after: Service | undefined): void;
  /** By path: the networks that are seen there. */
  list(): Iterable<readonly [string, ReadonlySet<string>]>;
}

/** A task is of one service, but a container that has several names may stand behind several. */
function createTaskNamespaces(isWanted: boolean): TaskNamespaces {
  const tasks = new Map<string, Set<TaskDeclaration>>();
  const note = ({ declaration }: Service, keep: boolean): void => {
    for (const task of declaration.tasks) {
      if (task.netns === undefined) continue;
      const there = tasks.get(task.netns) ?? new Set();
      if (keep) tasks.set(task.netns, there.add(task));
      else if (there.delete(task) && there.size === 0) tasks.delete(task.netns);
    }
  };
  return {
    take(before, after) {
      if (!isWanted || before?.declaration === after?.declaration) return;
      if (before) note(before, false);
      if (after) note(after, true);
    },
    *list() {
      for (const [path, there] of tasks) {
        const networks = [...there].flatMap(({ addresses }) => addresses.map(({ network }) => network));
        yield [path, new Set(networks)];
      }
    },
  };
}
