import { RotaError } from "../base/error.ts";
import { formatAddress, parseAddress } from "../model/address.ts";
import { AVAILABILITIES, type AvailabilityRule, type Glob } from "../model/availability.ts";
import { listOf, show } from "./problem.ts";

/** What came of reading an admin file: its rules, or everything that is wrong. */
export type ParsedAvailability =
  | { readonly ok: true; readonly rules: readonly AvailabilityRule[] }
  | { readonly ok: false; readonly problems: readonly LineProblem[] };

export interface LineProblem {
  /** Counted from 1, as is `column`. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Each rule is held against each task: more of them are better said by globs. */
const MAX_RULES = 10_000;
/** RFC 1035 section 2.3.4: no name is longer. */
const MAX_GLOB = 255;

/**
 * Reads what the operator says of tasks, a line each as in gdnsd's admin_state file: `GLOB => WORD`, where GLOB is
 * `SERVICE/TASK` or `SERVICE`, which means all its tasks, and WORD is active, drain or maintenance. `#` begins a
 * comment. In a glob `*` stands for any run of characters and `?` for one; a task is meant by id or address.
 *
 * @param file its name, for the `origin` of each rule
 */
export function parseAvailability(text: string, file: string): ParsedAvailability {
  const rules: AvailabilityRule[] = [];
  const problems: LineProblem[] = [];
  for (const [at, written] of text.split("\n").entries()) {
    // A byte order mark and CR are white space, which is taken off of each part.
    const said = written.split("#", 1).join("");
    if (said.trim() === "") continue;
    const line = at + 1;
    if (rules.length + problems.length === MAX_RULES) {
      problems.push({ line, column: 1, message: `there are over ${MAX_RULES} rules: say it with globs` });
      break;
    }
    const rule = parseRule(said, `${file}:${line}`);
    if ("message" in rule) problems.push({ line, column: columnOf(said, rule.from), message: rule.message });
    else rules.push(rule);
  }
  return problems.length === 0 ? { ok: true, rules } : { ok: false, problems };
}

/** What is wrong with a rule, and where in its line that is looked for. */
interface Fault {
  readonly from: number;
  readonly message: string;
}

function parseRule(said: string, origin: string): AvailabilityRule | Fault {
  const arrow = said.indexOf("=>");
  if (arrow < 0) {
    return { from: 0, message: `${show(said.trim())} is not understood: write SERVICE/TASK => drain` };
  }
  const word = said.slice(arrow + 2).trim();
  const availability = AVAILABILITIES.find((known) => known === word);
  if (availability === undefined) return { from: arrow + 2, message: unknownWord(word) };
  const globs = parseGlobs(said.slice(0, arrow).trim());
  if (typeof globs === "string") return { from: 0, message: globs };
  return { ...globs, availability, origin };
}

function unknownWord(word: string): string {
  const wrong = word === "" ? "nothing stands behind =>" : `${show(word)} is not allowed`;
  return `${wrong}: write ${listOf(AVAILABILITIES, "or")}`;
}

/** What a rule is for, or what is wrong with it. */
function parseGlobs(text: string): Pick<AvailabilityRule, "service" | "task"> | string {
  const [service = "", task = "*", ...more] = text.toLowerCase().split("/");
  if (service === "" || task === "" || more.length > 0) {
    return `${show(text)} is not understood: write SERVICE/TASK, or SERVICE for all its tasks`;
  }
  if (service.length > MAX_GLOB || task.length > MAX_GLOB) {
    return `${show(text)} has over ${MAX_GLOB} characters on a side: no name has`;
  }
  if (!/^[\w.*?-]+$/.test(service)) {
    return `${show(service)} fits no service: write its name, as web or web.shop, maybe with * and ?`;
  }
  if (!/^[\w.*?:-]+$/.test(task)) {
    return `${show(task)} fits no task: write its id or address, maybe with * and ?`;
  }
  // No id has a colon, so that this is an address: in the one spelling that it will be held against.
  if (!task.includes(":") || /[*?]/.test(task)) return { service, task };
  return foldAddress(service, task);
}

function foldAddress(service: Glob, task: string): Pick<AvailabilityRule, "service" | "task"> | string {
  try {
    return { service, task: formatAddress(parseAddress(task)) };
  } catch (error) {
    if (!(error instanceof RotaError)) throw error;
    return `${error.message}: write a task's id or address, without a port`;
  }
}

/** Where the next word stands, counted from 1. */
function columnOf(said: string, from: number): number {
  const rest = said.slice(from);
  return from + rest.length - rest.trimStart().length + 1;
}
