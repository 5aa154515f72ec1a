import { type Address, type Family, familyOf } from "../model/address.ts";
import type { Availability } from "../model/availability.ts";
import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";
import { type Publication, type PublishedPort, UNPUBLISHED } from "./published.ts";

export const VERDICTS = ["starting", "passing", "failing"] as const;

/** What is known of a checked task: nothing that counts yet, it passes, it fails. */
export type Verdict = (typeof VERDICTS)[number];

/**
 * A service as it is now: its declaration, its VIPs and its tasks' health. Never changed: what changes makes a
 * new one, so whatever is derived from it may be kept by its identity.
 */
export interface Service {
  /** Which declaration this is, for life: the source's name and the service's, as `file:web.shop`. */
  readonly id: string;
  readonly declaration: Declaration;
  readonly vips: readonly Vip[];
  /** Why a VIP that should be there is not, for people. */
  readonly vipProblem: string | undefined;
  /** The ports that it has on every node. */
  readonly published: readonly PublishedPort[];
  /** Why a port that should be published is not, for people. */
  readonly publishProblem: string | undefined;
  /** Of the tasks that somebody gave a verdict on, by id. A checked task without one has not had its first result. */
  readonly verdicts: ReadonlyMap<Prefix, Verdict>;
  /** The tasks that the operator has taken out, by id. */
  readonly outages: ReadonlyMap<Prefix, Outage>;
  /**
   * Whether the first round of checks is still under way, so that nobody can say yet who serves: then names that
   * lead to tasks answer SERVFAIL, for clients to try again.
   */
  readonly isWaiting: boolean;
  /** The tasks that may be handed out. */
  readonly serving: readonly TaskDeclaration[];
  /** The tasks that answers show: the serving ones, or those that `when_empty` and `panic_threshold` put there. */
  readonly answering: readonly TaskDeclaration[];
}

/** The address that belongs to a service, not to any task, on one network. */
export interface Vip {
  readonly network: string;
  readonly address: Address;
}

/** A task that the operator has taken out of answers. */
export interface Outage {
  readonly availability: Exclude<Availability, "active">;
  /** Who said so, as `admin.state:3`. */
  readonly origin: string;
  /** When, by the monotonic clock. */
  readonly sinceMs: number;
  /** Whether every answer that still named it has expired since. */
  readonly isDrained: boolean;
}

export type Leased = Pick<Service, "vips" | "vipProblem">;

/** What is known of a service besides what is declared. */
export type Known = Leased & Publication & Pick<Service, "verdicts" | "outages" | "isWaiting">;

/** Of a service that is new. */
export const NOTHING_KNOWN: Known = {
  vips: [],
  vipProblem: undefined,
  ...UNPUBLISHED,
  verdicts: new Map(),
  outages: new Map(),
  isWaiting: true,
};

/**
 * A service whole, from what is declared, leased, reported and ordered: the only place where one is made.
 *
 * @param known of the service as it was, if it was: a wait that is over does not begin anew.
 */
export function deriveService(id: string, declaration: Declaration, known: Known): Service {
  const { vips, vipProblem, published, publishProblem, outages } = known;
  const { tasks } = declaration;
  const verdicts = withoutMaintained(known.verdicts, outages, tasks);
  const isServing = (task: TaskDeclaration): boolean =>
    isAvailable(task, outages) && passes(task, declaration, verdicts.get(task.id));
  // The same list where nothing is left out: what is derived from it is kept by its identity.
  const serving = tasks.every(isServing) ? tasks : tasks.filter(isServing);
  const available = tasks.every((task) => isAvailable(task, outages))
    ? tasks
    : tasks.filter((task) => isAvailable(task, outages));
  const isAwaited = available.some((task) => task.isChecked && !verdicts.has(task.id));
  return {
    id,
    declaration,
    vips: reachableVips(declaration, vips),
    vipProblem,
    published,
    publishProblem,
    verdicts,
    outages,
    // When all tasks are replaced at once, nothing at all is known again.
    isWaiting: isAwaited && !declaration.publishNotReady && (known.isWaiting || verdicts.size === 0),
    serving,
    answering: answersShow(declaration, available, serving),
  };
}

/** Whether a service would be no other with this lease. */
export function isSameLease(leased: Leased, service: Leased): boolean {
  return (
    leased.vipProblem === service.vipProblem &&
    leased.vips.length === service.vips.length &&
    leased.vips.every(({ network, address }, at) => {
      const before = service.vips[at];
      return before?.network === network && before.address === address;
    })
  );
}

/** Whether a service would be no other with this publication. */
export function isSamePublication(given: Publication, service: Publication): boolean {
  return (
    given.publishProblem === service.publishProblem &&
    given.published.length === service.published.length &&
    given.published.every(({ port, published }, at) => {
      const before = service.published[at];
      return before?.port === port && before.published === published;
    })
  );
}

/** Whether nobody has taken a task out, be it the operator or who runs it. */
function isAvailable({ id, isDown }: TaskDeclaration, outages: Service["outages"]): boolean {
  return !isDown && !outages.has(id);
}

/** Whether a task may be handed out, as far as its health goes. */
function passes(task: TaskDeclaration, declaration: Declaration, verdict: Verdict | undefined): boolean {
  switch (verdict) {
    case "passing":
      return true;
    case "failing":
      return false;
    case "starting":
      return declaration.publishNotReady;
    case undefined:
      return !task.isChecked || declaration.publishNotReady;
  }
}

/** What was taken out stays out, however few are left. */
function answersShow(
  { panicThreshold, whenEmpty }: Declaration,
  available: readonly TaskDeclaration[],
  serving: readonly TaskDeclaration[],
): readonly TaskDeclaration[] {
  if (available.length > 0 && serving.length / available.length < panicThreshold) return available;
  return serving.length === 0 && whenEmpty === "all" ? available : serving;
}

/**
 * A checked task in maintenance is not checked: what was known of it before says nothing of how it comes back.
 * What others reported of a task that nobody checks stays: nobody would take it back.
 */
function withoutMaintained(
  verdicts: ReadonlyMap<Prefix, Verdict>,
  outages: ReadonlyMap<Prefix, Outage>,
  tasks: readonly TaskDeclaration[],
): ReadonlyMap<Prefix, Verdict> {
  if (outages.size === 0) return verdicts;
  const forgotten = tasks.filter(
    ({ id, isChecked }) => isChecked && verdicts.has(id) && outages.get(id)?.availability === "maintenance",
  );
  if (forgotten.length === 0) return verdicts;
  const kept = new Map(verdicts);
  for (const { id } of forgotten) kept.delete(id);
  return kept;
}

/**
 * The VIPs of families that some task has: a client that prefers IPv6 must not be led to a VIP behind which
 * all tasks speak IPv4. With no task, or none of any VIP's family, all VIPs stay.
 */
function reachableVips(declaration: Declaration, vips: readonly Vip[]): readonly Vip[] {
  const families = new Set<Family>();
  for (const task of declaration.tasks) {
    for (const { address } of task.addresses) families.add(familyOf(address));
    if (families.size === 2) return vips;
  }
  const reachable = vips.filter((vip) => families.has(familyOf(vip.address)));
  return reachable.length > 0 ? reachable : vips;
}

/**
 * The verdicts that still hold: on tasks that are where they were. A task that served unchecked goes on serving
 * until its check says otherwise: to declare a check must not empty an answer.
 */
export function keptVerdicts(before: Service, declaration: Declaration): ReadonlyMap<Prefix, Verdict> {
  if (before.verdicts.size === 0 && !declaration.check && !before.declaration.check) return before.verdicts;
  const tasksBefore = new Map(before.declaration.tasks.map((task) => [task.id, task]));
  const kept = new Map<Prefix, Verdict>();
  for (const task of declaration.tasks) {
    const known = tasksBefore.get(task.id);
    if (known === undefined || placeOf(known, before.declaration) !== placeOf(task, declaration)) continue;
    const verdict = verdictKept(known, task, before.verdicts.get(task.id));
    if (verdict !== undefined) kept.set(task.id, verdict);
  }
  return kept;
}

function verdictKept(
  before: TaskDeclaration,
  after: TaskDeclaration,
  verdict: Verdict | undefined,
): Verdict | undefined {
  if (before.isChecked && !after.isChecked) return undefined;
  return verdict ?? (after.isChecked && !before.isChecked ? "passing" : undefined);
}

/** Its addresses and where it listens, whether that is spelled out or the service's. */
function placeOf({ addresses, ports }: TaskDeclaration, declaration: Declaration): string {
  const listening = declaration.ports.map(({ name, target }) => [name, ports.get(name) ?? target]);
  return JSON.stringify([addresses, listening]);
}
