import { count } from "../base/count.ts";
import type { CheckState } from "../health/check-state.ts";
import type { Outcome } from "../health/outcome.ts";
import type { TaskDeclaration } from "../model/declaration.ts";
import { formatSpan } from "../model/duration.ts";
import type { Prefix } from "../model/name.ts";
import type { Outage, Service, Verdict } from "../registry/service.ts";
import type { TaskState } from "./state.ts";

/** What the monitor knows of a task of a service, by its id. */
export type Look = (service: string, task: Prefix) => CheckState | undefined;

/** Why a task serves or does not. */
export interface TaskExplanation {
  readonly id: string;
  readonly addresses: readonly string[];
  /**
   * `starting`, `passing`, `passing, warned`, `failing` or `unchecked`; by the operator's word `draining`, `drained`
   * or `maintenance`; without a server `not tried`.
   */
  readonly status: string;
  /** Whether its check passed last with a warning, as by HTTP 429. */
  readonly isWarned: boolean;
  readonly isServing: boolean;
  /** Whether answers show it. */
  readonly isAnswering: boolean;
  /** The last results of its check, the newest last: `+` passed, `!` with a warning, `-` failed, `?` unknown. */
  readonly results: string;
  /** The last of them, as said in `why`; undefined: there is none. */
  readonly last:
    | { readonly kind: Outcome["kind"]; readonly detail: string; readonly agoMs: number }
    | undefined;
  /** In a row, up to now. */
  readonly passes: number;
  /** In a row, up to now; those of a start period do not count. */
  readonly failures: number;
  /** Milliseconds until its next probe, or until its heartbeat is missed; 0: due, or under way; undefined: none comes. */
  readonly nextInMs: number | undefined;
  readonly why: string;
}

export interface ExplainTaskOptions {
  /** What the monitor knows of a task. */
  readonly look: Look;
  /** The monotonic clock, in milliseconds. */
  readonly nowMs: number;
  /**
   * Why tasks that are checked have not been tried, as where there is no server: then nothing is said that hangs on it.
   *
   * @default undefined: they are
   */
  readonly untried?: string | undefined;
}

/** The status of a task of which nothing is known, as nobody tried it. */
export const NOT_TRIED = "not tried";

/** @param known the task as it is told without an explanation */
export function explainTask(
  service: Service,
  task: TaskDeclaration,
  known: TaskState,
  { look, nowMs, untried }: ExplainTaskOptions,
): TaskExplanation {
  const { id, addresses, isServing, isAnswering } = known;
  const state = look(service.id, task.id);
  const isUntried = task.isChecked && untried !== undefined;
  return {
    id,
    addresses: addresses.map(({ address }) => address),
    status: isUntried ? NOT_TRIED : task.isDown ? "down" : statusOf(known, state),
    isWarned: state?.isWarned ?? false,
    isServing,
    isAnswering,
    results: state?.results ?? "",
    last: state?.last && {
      kind: state.last.kind,
      detail: state.last.detail,
      agoMs: Math.round(nowMs - state.last.atMs),
    },
    passes: state?.passes ?? 0,
    failures: state?.failures ?? 0,
    nextInMs: state && Number.isFinite(state.nextInMs) ? Math.round(state.nextInMs) : undefined,
    why: isUntried ? "" : whyOf(service, task, state, nowMs).join("; "),
  };
}

function statusOf({ availability, isDrained, verdict }: TaskState, state: CheckState | undefined): string {
  switch (availability) {
    case "maintenance":
      return "maintenance";
    case "drain":
      return isDrained ? "drained" : "draining";
    case "active":
      return verdict === "passing" && state?.isWarned ? "passing, warned" : verdict;
  }
}

function whyOf(
  { outages, verdicts, declaration }: Service,
  task: TaskDeclaration,
  state: CheckState | undefined,
  nowMs: number,
): string[] {
  const outage = outages.get(task.id);
  const out = [
    ...(task.isDown ? ["paused, or about to stop"] : []),
    ...(outage ? [formatOutage(outage, nowMs)] : []),
  ];
  if (state) return [...out, ...formatState(state, declaration.check?.probe.kind === "heartbeat", nowMs)];
  const reported = verdicts.get(task.id);
  if (!task.isChecked) return reported ? [...out, `reported as ${reported}`] : out;
  if (reported && declaration.check === undefined) return [...out, OF_ENGINE[reported]];
  return outage?.availability === "maintenance" ? out : [...out, "not checked here"];
}

/** Why an engine has a task so, as far as its verdict tells. */
const OF_ENGINE: Readonly<Record<Verdict, string>> = {
  starting: "not up or not healthy yet, as the engine has it",
  passing: "up and healthy, as the engine has it",
  failing: "unhealthy, paused or about to stop, as the engine has it",
};

function formatOutage({ origin, sinceMs }: Outage, nowMs: number): string {
  return `taken out by ${origin}, ${ago(sinceMs, nowMs)}`;
}

function formatState(state: CheckState, isHeartbeat: boolean, nowMs: number): string[] {
  const { last, passes, failures, lastPassMs, lastFailureMs, heldUntilMs, startPeriodUntilMs, nextInMs } =
    state;
  const left = (untilMs: number): string => formatSpan(Math.max(0, untilMs - nowMs));
  const before = passes > 0 ? { what: "failed", atMs: lastFailureMs } : { what: "passed", atMs: lastPassMs };
  return [
    last ? `${last.detail}, ${ago(last.atMs, nowMs)}` : "no result yet",
    ...(failures > 1 ? [`${count(failures, "failure")} in a row`] : []),
    ...(passes > 0 && state.verdict === "failing"
      ? [`${passes} ${passes === 1 ? "pass" : "passes"} in a row`]
      : []),
    ...(heldUntilMs === undefined ? [] : [`held for ${left(heldUntilMs)} more, as it flaps`]),
    ...(startPeriodUntilMs === undefined
      ? []
      : [`in its start period for ${left(startPeriodUntilMs)} more: failures do not count`]),
    ...(before.atMs === undefined ? [] : [`last ${before.what} ${ago(before.atMs, nowMs)}`]),
    ...formatNext(nextInMs, isHeartbeat),
  ];
}

function formatNext(nextInMs: number, isHeartbeat: boolean): string[] {
  if (nextInMs === Infinity) return []; // it was tried once, for this
  if (isHeartbeat) return [`must be heard by rota.report within ${formatSpan(nextInMs)}`];
  return [nextInMs < 1 ? "next now" : `next in ${formatSpan(nextInMs)}`];
}

function ago(atMs: number, nowMs: number): string {
  return `${formatSpan(Math.max(0, nowMs - atMs))} ago`;
}
