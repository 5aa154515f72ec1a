import type { AnswerExplanation, Explanation } from "./explain.ts";
import type { TaskExplanation } from "./explain-task.ts";
import { count } from "../base/count.ts";

/** So many tasks are told one by one; those that do not serve come first. */
const MAX_TASKS = 50;
/** So many records are told of one answer. */
const MAX_RECORDS = 8;

/** An explanation for people: what is answered and why first, then who is behind it. */
export function formatExplanation(explanation: Explanation): string {
  const { name, meaning, answers, service, notes } = explanation;
  const place = service ? ` (${service.origin})` : "";
  return [
    `${name} is ${meaning}${place}`,
    ...table(answers.map(answerRow)),
    ...notes.map((note) => `note: ${note}`),
    ...(service ? ["", ...tasksOf(explanation)] : []),
    "",
  ].join("\n");
}

function answerRow({ type, clients, outcome, records, ttl, why }: AnswerExplanation): string[] {
  const shown = records.slice(0, MAX_RECORDS).join(", ");
  const rest = records.length > MAX_RECORDS ? ` and ${records.length - MAX_RECORDS} more` : "";
  const given = records.length === 0 ? outcome : `${shown}${rest}, TTL ${ttl}s`;
  return [`  ${type}`, `to ${clients}:`, given, `because ${why}`];
}

function tasksOf({ service, tasks }: Explanation): string[] {
  if (!service) return [];
  const serving = service.tasks.filter(({ isServing }) => isServing).length;
  const how = service.check === undefined ? "not checked" : `checked by ${service.check}`;
  const told = tasks
    .toSorted((one, other) => Number(one.isServing) - Number(other.isServing))
    .slice(0, MAX_TASKS);
  const rest = tasks.length - told.length;
  return [
    `${serving} of ${count(service.tasks.length, "task")} serving; ${how}`,
    ...table(told.map(taskRow)),
    ...(rest > 0 ? [`  and ${count(rest, "more task")}`] : []),
  ];
}

function taskRow({ id, addresses, status, results, why }: TaskExplanation): string[] {
  return [`  ${id}`, addresses.join(" "), status, results, why];
}

/** Columns as wide as their widest cell, but for the last. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
      .filter((cell) => cell !== "")
      .join("  ")
      .trimEnd(),
  );
}
