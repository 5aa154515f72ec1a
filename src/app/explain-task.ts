import { count } from "../base/count.ts";
import type { CheckState } from "../health/check-state.ts";
import { formatAddress } from "../model/address.ts";
import type { TaskDeclaration } from "../model/declaration.ts";
import { formatDuration } from "../model/duration.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import type { Outage, Service } from "../registry/service.ts";

/** What the monitor knows of a task of a service, by its id. */
export type Look = (service: string, task: Prefix) => CheckState | undefined;

/** Why a task serves or does not. */
export interface TaskExplanation {
  readonly id: string;
  readonly addresses: readonly string[];
  /** A verdict, `unchecked`, or what the operator said. */
  readonly status: string;
  readonly isServing: boolean;
  /** Whether answers show it. */
  readonly isAnswering: boolean;
  /** The last results of its check, the newest last: `+` passed, `!` with a warning, `-` failed, `?` unknown. */
  readonly results: string;
  readonly why: string;
}

/** @param nowMs the monotonic clock */
export function explainTask(
  service: Service,
  task: TaskDeclaration,
  { look, nowMs }: { readonly look: Look; readonly nowMs: number },
): TaskExplanation {
  const outage = service.outages.get(task.id);
  const state = look(service.id, task.id);
  const verdict = service.verdicts.get(task.id) ?? (task.isChecked ? "starting" : "unchecked");
  return {
    id: formatPrefix(task.id),
    addresses: task.addresses.map(({ address }) => formatAddress(address)),
    status: outage ? (outage.isDrained ? `${outage.availability}, drained` : outage.availability) : verdict,
    isServing: service.serving.includes(task),
    isAnswering: service.answering.includes(task),
    results: state?.results ?? "",
    why: [
      ...(outage ? [formatOutage(outage, nowMs)] : []),
      ...(state ? formatState(state, service.declaration.check?.probe.kind === "heartbeat", nowMs) : []),
      ...(state || !task.isChecked || outage?.availability === "maintenance" ? [] : ["not checked here"]),
    ].join("; "),
  };
}

function formatOutage({ origin, sinceMs }: Outage, nowMs: number): string {
  return `taken out by ${origin} ${ago(sinceMs, nowMs)}`;
}

function formatState(state: CheckState, isHeartbeat: boolean, nowMs: number): string[] {
  const { last, passes, failures, lastPassMs, lastFailureMs, heldUntilMs, startPeriodUntilMs, nextInMs } =
    state;
  const left = (untilMs: number): string => formatDuration(Math.max(0, untilMs - nowMs));
  const before = passes > 0 ? { what: "failed", atMs: lastFailureMs } : { what: "passed", atMs: lastPassMs };
  return [
    last ? `${ago(last.atMs, nowMs)}: ${last.detail}` : "no result yet",
    ...(failures > 1 ? [`${count(failures, "failure")} in a row`] : []),
    ...(passes > 0 && state.verdict === "failing"
      ? [`${passes} ${passes === 1 ? "pass" : "passes"} in a row`]
      : []),
    ...(state.isWarned ? ["that is a warning, and it serves"] : []),
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
  if (isHeartbeat) return [`must be heard within ${formatDuration(nextInMs)}`];
  return [nextInMs < 1 ? "next now" : `next in ${formatDuration(nextInMs)}`];
}

function ago(atMs: number, nowMs: number): string {
  return `${formatDuration(Math.max(0, nowMs - atMs))} ago`;
}
