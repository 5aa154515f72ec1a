import { compareText } from "../base/compare.ts";
import { RotaError } from "../base/error.ts";
import { formatProblem, type Path, type Problem } from "./problem.ts";

/** What is wrong, or odd, with one label. Its text is as somebody wrote it. */
export interface LabelProblem {
  readonly label: string;
  readonly value: string;
  /** One line, without the label. */
  readonly message: string;
  /** Whether the label counts for nothing; else it counts, but does not do what one may think. */
  readonly isLeftOut: boolean;
}

/** What labels come to, and what is wrong with those that are left out of it. */
export interface Labelled<T> {
  readonly said: T;
  readonly problems: readonly LabelProblem[];
}

/** A label, and where a services file would have its value: `rota.healthcheck.http` is at `["healthcheck", "http"]`. */
export interface LabelWord {
  readonly label: string;
  readonly value: string;
  readonly path: readonly string[];
}

export type LabelTree = Readonly<Record<string, unknown>>;

const PREFIX = "rota.";
/** More than anybody needs; each is checked anew for each that is wrong. */
export const MAX_LABELS = 64;
const MAX_LABEL_OCTETS = 255;
const MAX_VALUE_OCTETS = 1024;

/** Whether a label is meant for Rota. */
export function isForRota(label: string): boolean {
  return label.startsWith(PREFIX);
}

/** The labels that are meant for Rota, in the order of their names; whatever cannot be one is told. */
export function readWords(labels: ReadonlyMap<string, string>): Labelled<readonly LabelWord[]> {
  const problems: LabelProblem[] = [];
  const words: LabelWord[] = [];
  const meant = [...labels].filter(([label]) => isForRota(label));
  for (const [label, value] of meant.toSorted(([one], [other]) => compareText(one, other))) {
    const path = splitLabel(label);
    const wrong =
      words.length === MAX_LABELS ? `${MAX_LABELS} labels are read, no more` : faultOf(path, label, value);
    if (wrong === undefined) words.push({ label, value, path });
    else problems.push({ label, value, message: wrong, isLeftOut: true });
  }
  const said = words.filter((word) => {
    const below = words.find(({ path }) => path.length > word.path.length && isAbove(word.path, path));
    if (!below) return true;
    const message = `does not go with ${below.label}: write only what has dots behind it`;
    problems.push({ ...word, message, isLeftOut: true });
    return false;
  });
  return { said, problems };
}

/**
 * Has `parse` check what the words say together, as a services file would have it, until nothing is wrong: what is
 * blamed is read as a value of another type, and then left out. Text alone does not tell what type was meant.
 *
 * @param parse must take what no word is said of
 */
export function settle<T>(
  words: readonly LabelWord[],
  parse: (tree: LabelTree, problems: Problem[]) => T | undefined,
): Labelled<T> {
  const told: LabelProblem[] = [];
  let tries: readonly Try[] = words.map((word) => ({ word, readings: readingsOf(word), failures: [] }));
  for (;;) {
    const problems: Problem[] = [];
    const entries = tries.map(({ word, readings }): Entry => ({ path: word.path, value: readings[0] }));
    const said = parse(treeOf(entries), problems);
    if (said !== undefined && problems.length === 0) return { said, problems: told };
    if (tries.length === 0)
      throw new RotaError("ERR_ROTA_DECLARATION", problems.map(formatProblem).join("; "));
    const blamed = blame(tries, problems);
    tries = tries.flatMap((tried) => {
      const problem = blamed.get(tried);
      if (!problem) return [tried];
      const failures = [...tried.failures, problem];
      const readings = isAbove(tried.word.path, problem.path) ? tried.readings.slice(1) : [];
      if (readings.length > 0) return [{ ...tried, readings, failures }];
      told.push({ ...tried.word, message: verdictOf(tried.word, failures), isLeftOut: true });
      return [];
    });
  }
}

/** Whose value a path leads to or into. */
export function isAbove(above: Path, path: Path): boolean {
  return above.length <= path.length && above.every((step, at) => String(path[at]) === step);
}

interface Try {
  readonly word: LabelWord;
  /** How it may yet be read, at least one. */
  readonly readings: readonly unknown[];
  /** What was wrong with how it was read so far. */
  readonly failures: readonly Problem[];
}

interface Entry {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** RFC 6763 section 6.4 allows dots in a key: behind `labels` all is one. */
function splitLabel(label: string): string[] {
  const [first = "", ...rest] = label.slice(PREFIX.length).split(".");
  return first === "labels" && rest.length > 0 ? [first, rest.join(".")] : [first, ...rest];
}

function faultOf(path: readonly string[], label: string, value: string): string | undefined {
  if (Buffer.byteLength(label) > MAX_LABEL_OCTETS) return `is over ${MAX_LABEL_OCTETS} octets long`;
  if (Buffer.byteLength(value) > MAX_VALUE_OCTETS) return `has a value of over ${MAX_VALUE_OCTETS} octets`;
  if (path.every((step) => step !== "" && step !== "__proto__")) return undefined;
  return "is not understood: write rota. and words with dots between";
}

/**
 * The values that the text may stand for, the likeliest first. A number is so only where text does not do: 007 is no 7
 * where it is part of a header. true is a name nowhere.
 */
function readingsOf({ value }: LabelWord): readonly unknown[] {
  const list = value
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
  if (value === "true" || value === "false") return [value === "true", value, list];
  if (/^\d{1,15}(?:\.\d{1,15})?$/.test(value)) return [value, Number(value), list];
  return [value, list];
}

function treeOf(entries: readonly Entry[]): LabelTree {
  const branches = new Map<string, Entry[]>();
  for (const { path, value } of entries) {
    const [first = "", ...rest] = path;
    branches.set(first, [...(branches.get(first) ?? []), { path: rest, value }]);
  }
  return Object.fromEntries(
    [...branches].map(([key, below]) => [key, below[0]?.path.length === 0 ? below[0].value : treeOf(below)]),
  );
}

/** Each whose value is wrong; else those together that are nearest to where something is. */
function blame(tries: readonly Try[], problems: readonly Problem[]): ReadonlyMap<Try, Problem> {
  const blamed = new Map<Try, Problem>();
  for (const problem of problems) {
    const culprit = tries.find(({ word }) => isAbove(word.path, problem.path));
    if (culprit && !blamed.has(culprit)) blamed.set(culprit, problem);
  }
  const [problem = { path: [], message: "does not do" }] = problems;
  for (let length = problem.path.length; blamed.size === 0; length--) {
    const above = problem.path.slice(0, length);
    for (const tried of tries) if (isAbove(above.map(String), tried.word.path)) blamed.set(tried, problem);
  }
  return blamed;
}

/**
 * Of all that was wrong, what was with the reading that was meant: something in a list, a value of the right type
 * that does not do for another reason, or the number that the text looked like.
 */
function verdictOf({ path }: LabelWord, failures: readonly Problem[]): string {
  const within = failures.findLast((failure) => failure.path.length > path.length);
  const ofItsType = failures.find(({ message }) => !message.startsWith("must be "));
  const likeliest = failures.length > 2 ? failures[1] : failures[0];
  return (within ?? ofItsType ?? likeliest)?.message ?? "does not do";
}
