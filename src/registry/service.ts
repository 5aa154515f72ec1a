import { type Address, type Family, familyOf } from "../model/address.ts";
import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";

export const VERDICTS = ["starting", "passing", "failing"] as const;

/** What is known of a checked task: nothing yet, it passes, it fails. */
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
  /** Of the tasks that somebody gave a verdict on, by id. */
  readonly verdicts: ReadonlyMap<Prefix, Verdict>;
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

export type Leased = Pick<Service, "vips" | "vipProblem">;

/** A service whole, from what is declared, leased and reported: the only place where one is made. */
export function deriveService(
  id: string,
  declaration: Declaration,
  leased: Leased,
  verdicts: ReadonlyMap<Prefix, Verdict>,
): Service {
  const { tasks } = declaration;
  const serving = tasks.every((task) => isServing(task, verdicts))
    ? tasks
    : tasks.filter((task) => isServing(task, verdicts));
  return {
    id,
    declaration,
    vips: reachableVips(declaration, leased.vips),
    vipProblem: leased.vipProblem,
    verdicts,
    serving,
    answering: answersShow(declaration, serving),
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

export function isServing(task: TaskDeclaration, verdicts: ReadonlyMap<Prefix, Verdict>): boolean {
  const verdict = verdicts.get(task.id);
  return verdict === undefined ? !task.isChecked : verdict === "passing";
}

function answersShow(
  declaration: Declaration,
  serving: readonly TaskDeclaration[],
): readonly TaskDeclaration[] {
  const { tasks, panicThreshold, whenEmpty } = declaration;
  if (tasks.length > 0 && serving.length / tasks.length < panicThreshold) return tasks;
  return serving.length === 0 && whenEmpty === "all" ? tasks : serving;
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

/** The verdicts that still hold: on tasks that are where they were. */
export function keptVerdicts(before: Service, declaration: Declaration): ReadonlyMap<Prefix, Verdict> {
  if (before.verdicts.size === 0) return before.verdicts;
  const addressesBefore = new Map(before.declaration.tasks.map((task) => [task.id, placeOf(task)]));
  const kept = declaration.tasks.filter((task) => addressesBefore.get(task.id) === placeOf(task));
  return new Map(
    kept.flatMap(({ id }): [Prefix, Verdict][] => {
      const verdict = before.verdicts.get(id);
      return verdict === undefined ? [] : [[id, verdict]];
    }),
  );
}

function placeOf(task: TaskDeclaration): string {
  return JSON.stringify([task.addresses, [...task.ports]]);
}
