import { isForRota, MAX_LABELS } from "./label-words.ts";
import type { Path, Problem } from "./problem.ts";
import { readServiceWords, type ServiceWords } from "./service-labels.ts";
import { readTaskLabels, type TaskLabels } from "./task-labels.ts";

/** A label as it was written, and its step in a path: its key in a mapping, its place in a list. */
export interface WrittenLabel {
  readonly key: string;
  readonly value: string;
  readonly step: string | number;
}

/** What a list of labels says of a service, and of each of its containers. */
export interface SaidByLabels extends Pick<TaskLabels, "isEnabled" | "service"> {
  readonly words: ServiceWords;
}

/** Reads labels as they are read of an engine; what is wrong with one is told where it stands. */
export function readLabels(labels: readonly WrittenLabel[], path: Path, problems: Problem[]): SaidByLabels {
  const meant = labels.filter(({ key }) => isForRota(key)).length;
  if (meant > MAX_LABELS) {
    problems.push({ path, message: `has ${meant} labels for Rota: ${MAX_LABELS} are allowed` });
    return { isEnabled: true, service: undefined, words: {} };
  }
  const values = new Map(labels.map(({ key, value }) => [key, value]));
  const task = readTaskLabels(values);
  const service = readServiceWords(values);
  for (const { label, message } of [...task.problems, ...service.problems]) {
    const step = labels.findLast(({ key }) => key === label)?.step ?? label;
    problems.push({
      path: [...path, step],
      message: typeof step === "number" ? `${label}: ${message}` : message,
    });
  }
  const { isEnabled, service: of } = task.said;
  return { isEnabled, service: of, words: service.said };
}
