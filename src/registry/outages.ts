import { type Availability, type AvailabilityRule, fits } from "../model/availability.ts";
import { formatAddress } from "../model/address.ts";
import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "./names.ts";
import type { Outage } from "./service.ts";

/** What the operator wants of services, by rules that fit names and by word on one service. */
export interface Orders {
  /** Replaces all rules. */
  rule(rules: readonly AvailabilityRule[]): void;
  /** Takes the operator's word on a task, or on all tasks that a service has and will have: it stands above all rules. */
  say(service: string, task: Prefix | undefined, availability: Availability, origin: string): void;
  /** Forgets what was said of tasks that are gone; without `tasks`, all that was said of the service. */
  forget(service: string, tasks?: readonly TaskDeclaration[]): void;
  /** The tasks of a service that are out by all this. Where nothing changed, it is `before` again. */
  outages(
    service: string,
    declaration: Declaration,
    before: ReadonlyMap<Prefix, Outage>,
  ): ReadonlyMap<Prefix, Outage>;
}

/** What was said of one service: of the whole, and of tasks since then. */
interface Said {
  readonly all: Order | undefined;
  readonly tasks: ReadonlyMap<Prefix, Order>;
}

type Order = Pick<AvailabilityRule, "availability" | "origin">;

const NOTHING_SAID: Said = { all: undefined, tasks: new Map() };
const NOBODY: ReadonlyMap<Prefix, Outage> = new Map();

/** @param nowMs the monotonic clock */
export function createOrders(nowMs: () => number): Orders {
  let rulesFor = indexRules([]);
  const saidOf = new Map<string, Said>();

  return {
    rule(replaced) {
      rulesFor = indexRules(replaced);
    },
    say(service, task, availability, origin) {
      const order = { availability, origin };
      if (task === undefined) {
        saidOf.set(service, { all: order, tasks: new Map() });
        return;
      }
      const { all, tasks } = saidOf.get(service) ?? NOTHING_SAID;
      saidOf.set(service, { all, tasks: new Map(tasks).set(task, order) });
    },
    forget(service, tasks) {
      const said = saidOf.get(service);
      if (!said) return;
      if (!tasks) {
        saidOf.delete(service);
        return;
      }
      const ids = new Set(tasks.map(({ id }) => id));
      const kept = new Map([...said.tasks].filter(([id]) => ids.has(id)));
      saidOf.set(service, { ...said, tasks: kept });
    },
    outages(service, declaration, before) {
      const said = saidOf.get(service) ?? NOTHING_SAID;
      const fitting = rulesFor(formatPrefix(ownName(declaration)));
      const out = new Map<Prefix, Outage>();
      for (const task of declaration.tasks) {
        const order = said.tasks.get(task.id) ?? said.all ?? lastThatFits(fitting, task);
        if (!order || order.availability === "active") continue;
        out.set(task.id, outageOf({ ...order, availability: order.availability }, before.get(task.id)));
      }
      return isSame(out, before) ? before : out.size === 0 ? NOBODY : out;
    },
  };

  /** Out is out: who goes on from drain to maintenance has been out of answers since the first. */
  function outageOf(order: Pick<Outage, "availability" | "origin">, before: Outage | undefined): Outage {
    const { availability, origin } = order;
    if (before?.availability === availability && before.origin === origin) return before;
    return { isDrained: false, sinceMs: nowMs(), ...before, availability, origin };
  }
}

/** The rules that fit a service, in their order. Those that name one are found by its name: ten thousand may. */
function indexRules(rules: readonly AvailabilityRule[]): (service: string) => readonly AvailabilityRule[] {
  const places = new Map(rules.map((rule, at) => [rule, at]));
  const globs = rules.filter(isGlob);
  const named = new Map<string, AvailabilityRule[]>();
  for (const rule of rules) {
    if (isGlob(rule)) continue;
    const others = named.get(rule.service);
    if (others) others.push(rule);
    else named.set(rule.service, [rule]);
  }
  const place = (rule: AvailabilityRule): number => places.get(rule) ?? 0;
  return (service) => {
    const fitting = globs.filter((rule) => fits(rule.service, service));
    return [...fitting, ...(named.get(service) ?? [])].toSorted((one, other) => place(one) - place(other));
  };
}

function isGlob({ service }: AvailabilityRule): boolean {
  return /[*?]/.test(service);
}

function lastThatFits(rules: readonly AvailabilityRule[], task: TaskDeclaration): Order | undefined {
  if (rules.length === 0) return undefined;
  const names = [formatPrefix(task.id), ...task.addresses.map(({ address }) => formatAddress(address))];
  return rules.findLast((rule) => names.some((name) => fits(rule.task, name)));
}

function isSame(one: ReadonlyMap<Prefix, Outage>, other: ReadonlyMap<Prefix, Outage>): boolean {
  return one.size === other.size && [...one].every(([task, outage]) => other.get(task) === outage);
}
