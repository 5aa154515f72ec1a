import type { AnswerExplanation, Explanation } from "./explain.ts";
import { NOT_TRIED, type TaskExplanation } from "./explain-task.ts";
import { count } from "../base/count.ts";
import { table } from "./table.ts";

/** So many tasks are told one by one; those that do not serve come first. */
const MAX_TASKS = 50;
/** So many addresses are told of one answer. */
const MAX_RECORDS = 8;
/** So many of records that are longer: what is told behind them should be on the screen. */
const MAX_LONG_RECORDS = 3;
/** So many columns a line may have before the reason gets one of its own. */
const MAX_COLUMNS = 100;

/** An explanation for people: what is answered and why first, then who is behind it. */
export function formatExplanation(explanation: Explanation): string {
  const { name, meaning, answers, service, notes } = explanation;
  const place = service ? ` (${service.origin})` : "";
  return [
    `${name} is ${meaning}${place}`,
    ...answerLines(answers),
    ...notes.map((note) => `note: ${note}`),
    ...(service ? ["", ...tasksOf(explanation)] : []),
    "",
  ].join("\n");
}

function answerLines(answers: readonly AnswerExplanation[]): string[] {
  const lines = table(answers.map((answer) => [...answerCells(answer), reasonOf(answer)]));
  if (lines.every((line) => line.length <= MAX_COLUMNS)) return lines;
  return table(answers.map(answerCells)).flatMap((line, at) => {
    const reason = answers[at] ? reasonOf(answers[at]) : "";
    return reason === "" ? [line] : [line, `    ${reason}`];
  });
}

function answerCells({ type, clients, outcome, records, ttl, why }: AnswerExplanation): string[] {
  const to = [`  ${type}`, `to ${clients}:`];
  if (outcome === "UNKNOWN") return [...to, `not known: ${why}`];
  if (records.length === 0) return [...to, outcome];
  const most = type === "A" ? MAX_RECORDS : MAX_LONG_RECORDS;
  const rest = records.length > most ? ` and ${records.length - most} more` : "";
  return [...to, `${records.slice(0, most).join(", ")}${rest}, TTL ${ttl}s`];
}

function reasonOf({ outcome, why }: AnswerExplanation): string {
  return outcome === "UNKNOWN" ? "" : `because ${why}`;
}

function tasksOf({ service, tasks }: Explanation): string[] {
  if (!service) return [];
  const number = count(service.tasks.length, "task");
  const serving = service.tasks.filter(({ isServing }) => isServing).length;
  const isUntried = tasks.some(({ status }) => status === NOT_TRIED);
  const how = service.check === undefined ? "not checked" : `checked by ${service.check}`;
  const told = tasks
    .toSorted((one, other) => Number(one.isServing) - Number(other.isServing))
    .slice(0, MAX_TASKS);
  const rest = tasks.length - told.length;
  return [
    `${isUntried ? `${number}, not tried` : `${serving} of ${number} serving`}; ${how}`,
    ...table(told.map(taskRow)),
    ...(rest > 0 ? [`  and ${count(rest, "more task")}`] : []),
  ];
}

function taskRow({ id, addresses, status, results, why }: TaskExplanation): string[] {
  return [`  ${id}`, addresses.join(" "), status, results, why];
}
