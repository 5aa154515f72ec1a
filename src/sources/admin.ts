import { count } from "../base/count.ts";
import { RotaError } from "../base/error.ts";
import type { AvailabilityRule } from "../model/availability.ts";
import { parseAvailability } from "../schema/availability.ts";
import { decode } from "./decode.ts";
import type { FileLimit, Look } from "./files.ts";
import { type FileWatch, followFiles } from "./follow.ts";
import { type Finding, formatFindings, reportOf, reportsOf, type SourceReport } from "./report.ts";

/** Room for more rules than may be. */
const LIMIT: FileLimit = { octets: 1024 * 1024, remedy: "say it with globs" };

export interface WatchAdminOptions {
  /**
   * Ask again and again, where the system tells of no changes.
   * @default false
   */
  readonly poll?: boolean | undefined;
  /** Takes what the file says, whole. */
  readonly publish: (rules: readonly AvailabilityRule[]) => void;
  readonly report: (report: SourceReport) => void;
}

/**
 * Publishes the rules of an admin file, and again whenever it changes; resolves after the first time. A file that
 * is not there has no rules, as with gdnsd: taking it away takes them back. Of one that is wrong or cannot be
 * read, the rules it had before stay, and `report` hears why.
 *
 * @throws RotaError `ERR_ROTA_ADMIN_FILE` with all that is wrong, if anything is at the first reading
 */
export async function watchAdmin(
  file: string,
  { poll = false, publish, report }: WatchAdminOptions,
  signal: AbortSignal,
): Promise<FileWatch> {
  let seen: Look = { kind: "missing", file };
  let isTroubled = false;

  const list = async (): Promise<readonly string[]> => [file];
  return followFiles({ paths: [file], poll, limit: LIMIT, list, open, update, report }, signal);

  async function open([found = seen]: readonly Look[]): Promise<void> {
    const rules = readRules(found);
    if ("problems" in rules) {
      const told = formatFindings(rules.problems);
      throw new RotaError("ERR_ROTA_ADMIN_FILE", `could not take the admin file: ${told}`);
    }
    take(found, rules.rules);
    if (found.kind === "missing")
      tell("read", "is not there yet: no task is drained or in maintenance by it");
    seen = found;
  }

  async function update([found = seen]: readonly Look[]): Promise<void> {
    if (isSame(found, seen)) return;
    const rules = readRules(found);
    if ("rules" in rules) take(found, rules.rules);
    else complain(rules.problems);
    if (found.kind === "missing")
      tell("read", "is gone: no task is drained or in maintenance by it any more");
    seen = found;
  }

  function take(found: Look, rules: readonly AvailabilityRule[]): void {
    publish(rules);
    if (isTroubled && found.kind === "octets") tell("recovered", "is good again");
    isTroubled = false;
    if (found.kind === "octets") tell("read", `read: ${count(rules.length, "rule")}`);
  }

  function complain(problems: readonly Finding[]): void {
    isTroubled = true;
    for (const told of reportsOf("problem", problems, "; the rules before it stay")) report(told);
  }

  function tell(kind: SourceReport["kind"], message: string): void {
    report(reportOf(kind, { file, position: undefined, message }));
  }
}

type Reading = { readonly rules: readonly AvailabilityRule[] } | { readonly problems: readonly Finding[] };

function readRules(look: Look): Reading {
  const { file } = look;
  if (look.kind === "missing") return { rules: [] };
  if (look.kind === "unreadable") return { problems: [{ file, position: undefined, message: look.message }] };
  const text = decode(look.octets);
  if (typeof text !== "string") return { problems: [{ file, ...text }] };
  const parsed = parseAvailability(text, file);
  if (parsed.ok) return { rules: parsed.rules };
  return {
    problems: parsed.problems.map(({ message, ...position }): Finding => ({ file, position, message })),
  };
}

function isSame(one: Look, other: Look): boolean {
  if (one.kind === "octets") return other.kind === "octets" && Buffer.compare(one.octets, other.octets) === 0;
  if (one.kind === "missing") return other.kind === "missing";
  return other.kind === "unreadable" && one.message === other.message;
}
