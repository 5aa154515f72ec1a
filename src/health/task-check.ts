import type { Check } from "../model/check.ts";
import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "../registry/names.ts";
import type { Service, Verdict } from "../registry/service.ts";
import { createHealth, type Health } from "./gate.ts";
import { type Grid, NO_GRID } from "./grid.ts";
import type { Outcome, Target } from "./outcome.ts";
import type { Due } from "./schedule.ts";
import { createParty, type Party } from "./turns.ts";

/** A service whose tasks are checked. */
export interface CheckedService {
  readonly id: string;
  /** As the registry last had them. */
  declaration: Declaration;
  outages: Service["outages"];
  check: Check;
  readonly checks: Map<Prefix, TaskCheck>;
  readonly party: Party<TaskCheck>;
}

/** The check of one task as it goes on. The monitor alone holds it. */
export interface TaskCheck extends Due {
  readonly service: CheckedService;
  readonly task: Prefix;
  readonly target: Target;
  readonly createdMs: number;
  health: Health;
  /** What the registry has been told; undefined: nothing yet. */
  reported: Verdict | undefined;
  grid: Grid;
  /** When a heartbeat was last heard, missed or excused. */
  heardMs: number;
  /** How many failures in a row have been excused, up to now. */
  excused: number;
  /** Of a probe under way. */
  life: AbortController | undefined;
  isGone: boolean;
  isScheduled: boolean;
  last: Result | undefined;
  lastPassMs: number | undefined;
  lastFailureMs: number | undefined;
  /** The last results, a letter each: `+` pass, `!` warn, `-` fail, `?` unknown. */
  results: string;
}

/** One result. Times are by the monotonic clock. */
export interface Result extends Outcome {
  readonly atMs: number;
  readonly durationMs: number;
}

/** @param service of which nobody is checked yet */
export function createCheckedService({ id, declaration, outages }: Service, check: Check): CheckedService {
  return { id, declaration, outages, check, checks: new Map(), party: createParty() };
}

/** @param seed the verdict that the registry has of the task; undefined: it awaits one. */
export function createTaskCheck(
  service: CheckedService,
  task: Prefix,
  target: Target,
  seed: Verdict | undefined,
  nowMs: number,
): TaskCheck {
  return {
    service,
    task,
    target,
    createdMs: nowMs,
    health: createHealth(nowMs, seed),
    reported: seed,
    grid: NO_GRID,
    heardMs: nowMs,
    excused: 0,
    dueMs: nowMs,
    life: undefined,
    isGone: false,
    isScheduled: false,
    last: undefined,
    lastPassMs: undefined,
    lastFailureMs: undefined,
    results: "",
  };
}

/** Who of a service is to be checked, and where. */
export function* checkedTasks(
  { declaration, outages }: Service,
  check: Check,
): Iterable<{ readonly task: Prefix; readonly target: Target }> {
  const service = formatPrefix(ownName(declaration));
  for (const task of declaration.tasks) {
    const [first] = task.addresses;
    if (!first || !task.isChecked || outages.get(task.id)?.availability === "maintenance") continue;
    const port = portOf(task, check);
    yield { task: task.id, target: { service, task: formatPrefix(task.id), address: first.address, port } };
  }
}

/** Whether two checks are the same in all that they say. */
export function isSameCheck(one: Check, other: Check): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** Takes a result into the books of the task that it is of; the verdict is another's to weigh. */
export function keepResult(check: TaskCheck, result: Result): void {
  check.last = result;
  check.results = check.results.slice(1 - MAX_RESULTS) + LETTERS[result.kind];
  if (result.kind === "fail") check.lastFailureMs = result.atMs;
  else if (result.kind !== "unknown") check.lastPassMs = result.atMs;
}

/**
 * Excuses a failure, if it says nothing of the task as this process stood still meanwhile; false: the result counts.
 * Not for ever: whoever makes the process stand still in each probe would keep in all answers who is long dead. So
 * `fall` of them in a row are excused, and then they count until there is a result that is beyond doubt.
 */
export function excuse(check: TaskCheck, result: Outcome["kind"], stoodStill: boolean): boolean {
  if (result === "unknown") return false; // of this side's making as well: it clears up nothing
  const isDoubtful = result === "fail" && stoodStill;
  if (!isDoubtful) check.excused = 0;
  if (!isDoubtful || check.excused >= check.service.check.fall) return false;
  check.excused += 1;
  return true;
}

const MAX_RESULTS = 10;
const LETTERS: Readonly<Record<Outcome["kind"], string>> = { pass: "+", warn: "!", fail: "-", unknown: "?" };

function portOf(task: TaskDeclaration, { probe }: Check): number | undefined {
  if (probe.kind === "heartbeat" || !probe.port) return undefined;
  const { name, number } = probe.port;
  return (name === undefined ? undefined : task.ports.get(name)) ?? number;
}
