import { formatAddress } from "../model/address.ts";
import type { Availability } from "../model/availability.ts";
import type {
  Balance,
  EndpointMode,
  Order,
  Protocol,
  TaskDeclaration,
  WhenEmpty,
} from "../model/declaration.ts";
import { formatPrefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Change, Conflict } from "../registry/registry.ts";
import type { Service, Verdict } from "../registry/service.ts";
import { formatCheck } from "./format-check.ts";

/** A service as it is now, in text: for people, for JSON, and for who imports Rota. */
export interface ServiceState {
  /** With its namespace, as `web` or `web.shop`. */
  readonly name: string;
  /** Where it is declared, as `services.yaml:12:3`. */
  readonly origin: string;
  readonly endpointMode: EndpointMode;
  readonly aliases: readonly string[];
  readonly networks: readonly string[];
  readonly vips: readonly { readonly network: string; readonly address: string }[];
  /** Why it has no VIP though it should; undefined: all is well. */
  readonly vipProblem: string | undefined;
  /** Where nodes listen for it: what `auto` came to, too. */
  readonly published: readonly { readonly port: string; readonly published: number }[];
  /** Why a port is not published though it should be; undefined: all is well. */
  readonly publishProblem: string | undefined;
  /** Seconds; undefined: the zone's. */
  readonly ttl: number | undefined;
  readonly ports: readonly {
    readonly name: string;
    readonly protocol: Protocol;
    readonly target: number;
    readonly port: number;
    readonly published: number | "auto" | undefined;
  }[];
  /** Each `key=value`. */
  readonly labels: readonly string[];
  readonly order: Order;
  /** Which task a new flow to its VIP or a published port goes to. */
  readonly balance: Balance;
  /** Milliseconds that a client is kept at its task after its last new flow; 0: not at all. */
  readonly affinityMs: number;
  readonly whenEmpty: WhenEmpty;
  /** How many addresses an answer has at most; Infinity: all. */
  readonly maxAnswers: number;
  /** The share of serving tasks below which all are answered; 0: never. */
  readonly panicThreshold: number;
  /** How its tasks are checked, as `http GET /healthz on port 8080 every 5s`; undefined: they are not. */
  readonly check: string | undefined;
  /** Whether starting tasks serve as well. */
  readonly publishNotReady: boolean;
  /** Whether its first round of checks is still under way: until then, names that lead to tasks fail. */
  readonly isWaiting: boolean;
  readonly tasks: readonly TaskState[];
}

/** One running copy of a service, as it is now. */
export interface TaskState {
  readonly id: string;
  readonly slot: number | undefined;
  readonly addresses: readonly { readonly network: string; readonly address: string }[];
  readonly weight: number;
  /** `unchecked`: nobody gave a verdict, and none is awaited. */
  readonly verdict: Verdict | "unchecked";
  /** What the operator wants of it. */
  readonly availability: Availability;
  /** Whether it is out by the operator's word, and no answer that named it can be in use any more. */
  readonly isDrained: boolean;
  /** Whether an engine has paused it or is about to stop it: then it is not in answers. */
  readonly isDown: boolean;
  /** Whether it may be handed out. */
  readonly isServing: boolean;
  /** Whether answers show it: serving ones, and those that `when_empty` or `panic_threshold` put there. */
  readonly isAnswering: boolean;
}

/** A name that several services claim. */
export interface NameConflict {
  readonly name: string;
  /** The service that answers, and where it is declared. */
  readonly holder: { readonly name: string; readonly origin: string };
  /** Those that do not. */
  readonly others: readonly { readonly name: string; readonly origin: string }[];
}

/** What changed, by the services touched and no others. */
export interface ServicesChange {
  /** The zone's SOA serial from now on. */
  readonly serial: number;
  readonly services: readonly {
    /** Undefined: the service is new. */
    readonly before: ServiceState | undefined;
    /** Undefined: the service is gone. */
    readonly after: ServiceState | undefined;
  }[];
}

export function stateOf(service: Service): ServiceState {
  const { declaration, vips, vipProblem } = service;
  const {
    origin,
    endpointMode,
    networks,
    ttl,
    ports,
    labels,
    order,
    balance,
    affinityMs,
    whenEmpty,
    maxAnswers,
    panicThreshold,
  } = declaration;
  const serving = new Set(service.serving);
  const answering = new Set(service.answering);
  return {
    name: formatPrefix(ownName(declaration)),
    origin,
    endpointMode,
    aliases: declaration.aliases.map(formatPrefix),
    networks,
    vips: vips.map(({ network, address }) => ({ network, address: formatAddress(address) })),
    vipProblem,
    published: service.published.map(({ port, published }) => ({ port: port.name, published })),
    publishProblem: service.publishProblem,
    ttl,
    ports,
    labels,
    order,
    balance,
    affinityMs,
    whenEmpty,
    maxAnswers,
    panicThreshold,
    check: formatChecks(declaration),
    publishNotReady: declaration.publishNotReady,
    isWaiting: service.isWaiting,
    tasks: declaration.tasks.map((task) => ({
      id: formatPrefix(task.id),
      slot: task.slot,
      addresses: task.addresses.map(({ network, address }) => ({ network, address: formatAddress(address) })),
      weight: task.weight,
      verdict: verdictOf(service, task),
      availability: service.outages.get(task.id)?.availability ?? "active",
      isDrained: service.outages.get(task.id)?.isDrained ?? false,
      isDown: task.isDown,
      isServing: serving.has(task),
      isAnswering: answering.has(task),
    })),
  };
}

/** Where Rota checks nothing and tasks are checked all the same, an engine does it. */
function formatChecks({ check, tasks }: Service["declaration"]): string | undefined {
  if (check) return formatCheck(check);
  return tasks.some(({ isChecked }) => isChecked) ? "the engine" : undefined;
}

export function conflictState({ name, holder, others }: Conflict): NameConflict {
  return { name: formatPrefix(name), holder: placeOf(holder), others: others.map(placeOf) };
}

export function changeState({ serial, touched }: Change): ServicesChange {
  return {
    serial,
    services: [...touched.values()].map(({ before, after }) => ({
      before: before && stateOf(before),
      after: after && stateOf(after),
    })),
  };
}

function placeOf({ declaration }: Service): { name: string; origin: string } {
  return { name: formatPrefix(ownName(declaration)), origin: declaration.origin };
}

function verdictOf({ verdicts }: Service, task: TaskDeclaration): Verdict | "unchecked" {
  return verdicts.get(task.id) ?? (task.isChecked ? "starting" : "unchecked");
}
