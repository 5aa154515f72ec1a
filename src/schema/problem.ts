import leven from "leven";
import { type z } from "zod";

/** Where something stands in a services file, from the top: `["services", "web", "tasks", 1]`. */
export type Path = readonly (string | number)[];

/** What is wrong, or odd, in what somebody wrote. */
export interface Problem {
  readonly path: Path;
  /** One line, without the path. */
  readonly message: string;
  /** `key`: it is the last key of the path that is meant, not what it stands for. */
  readonly at?: "key";
}

/** The problem as people read it: `services.web.tasks[1].address: "10.0.1.300" is not an IPv4 or IPv6 address`. */
export function formatProblem({ path, message, at }: Problem): string {
  const shown = formatPath(at === "key" ? path.slice(0, -1) : path);
  return shown === "" ? message : `${shown}: ${message}`;
}

/** The path as one would write it in JavaScript: `services.web.tasks[1]`. */
export function formatPath(path: Path): string {
  return path
    .map((step, at) => {
      if (typeof step === "number") return `[${step}]`;
      if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
      return at === 0 ? step : `.${step}`;
    })
    .join("");
}

/** Checks `value`; what is wrong with it is added to `problems`, in words for people, and the answer is undefined. */
export function checked<T>(
  shape: z.ZodType<T>,
  value: unknown,
  path: Path,
  problems: Problem[],
): T | undefined {
  const result = shape.safeParse(value, { error: explain });
  if (result.success) return result.data;
  problems.push(...result.error.issues.flatMap((issue) => problemsOf(issue, path)));
  return undefined;
}

/** `: did you mean web?`, or `fallback` if none of `known` is near `written`. */
export function suggest(written: string, known: Iterable<string>, fallback: string): string {
  // One slip in three letters; a word that shares less is another word.
  const limit = Math.max(1, Math.floor(written.length / 3));
  const near = [...known]
    .map((word) => ({ word, distance: leven(written.toLowerCase(), word, { maxDistance: limit + 1 }) }))
    .filter(({ distance }) => distance <= limit)
    .toSorted((one, other) => one.distance - other.distance);
  return near[0] === undefined ? fallback : `did you mean ${near[0].word}?`;
}

/** `vip or dnsrr`, `rotate, random or weighted`. */
export function listOf(words: readonly string[], conjunction: "or" | "and"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}

/** The message of a schema for a value that is not `wanted`. */
export function mustBe(wanted: string): (issue: { readonly input?: unknown }) => string {
  return ({ input }) => (input === undefined ? "is missing" : `must be ${wanted}, not ${show(input)}`);
}

function problemsOf(issue: z.core.$ZodIssue, above: Path): Problem[] {
  const path = [...above, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: `unknown key "${key}": ${remedyFor(key, issue.message)}`,
      at: "key",
    }));
  }
  if (issue.code !== "invalid_union") return [{ path, message: issue.message }];
  // The branch that was meant is the one that takes this type of value; its issues say what is wrong within.
  const meant = issue.errors.find((issues) => !issues.some(isOfAnotherType));
  return meant?.flatMap((issue) => problemsOf(issue, path)) ?? [{ path, message: issue.message }];
}

/** What to do about an unknown key, by what `strict` in `steps.ts` says of those that it knows. */
function remedyFor(key: string, said: string): string {
  const [words = "", ...misplaced] = said.split("\n");
  const remedy = misplaced.find((line) => line.startsWith(`${key} `))?.slice(key.length + 1);
  const known = words.split(" ");
  return remedy ?? suggest(key, known, `write ${listOf(known, "or")}`);
}

function isOfAnotherType(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === "invalid_union") return issue.errors.every((issues) => issues.some(isOfAnotherType));
  // A branch that takes one value alone, as `true`, was not meant by any other.
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ["string", "text"],
  ["number", "a number"],
  ["int", "a whole number"],
  ["boolean", "true or false"],
  ["array", "a list"],
  ["object", "a mapping"],
  ["record", "a mapping"],
]);

function explain(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_value") {
    const allowed = listOf(issue.values.map(String), "or");
    return `${show(issue.input)} is not allowed: write ${allowed}`;
  }
  if (issue.code !== "invalid_type") return undefined;
  if (issue.input === undefined) return "is missing";
  const type = TYPES.get(issue.expected) ?? issue.expected;
  return `must be ${type}, not ${show(issue.input)}${remedy(type, issue.input)}`;
}

/** What to do about the mistakes that YAML invites. */
function remedy(type: string, value: unknown): string {
  if (type === "text" && typeof value === "number") return ": put it in quotes";
  if (type === "a mapping" && value === null) return ": write {} for none";
  if (type === "a list" && value === null) return ": write [] for none";
  return "";
}

/** A value as a message names it. */
export function show(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (typeof value !== "string") return typeof value;
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
