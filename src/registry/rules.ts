import { formatAddress } from "../model/address.ts";
import { type AvailabilityRule, fits, type Glob } from "../model/availability.ts";
import type { TaskDeclaration } from "../model/declaration.ts";
import { formatPrefix } from "../model/name.ts";

/** Finds the last rule that fits a task of one service. */
export type FindRule = (task: TaskDeclaration) => AvailabilityRule | undefined;

/** A rule and its place among all: of several that fit, the one with the highest counts. */
interface Placed {
  readonly place: number;
  readonly rule: AvailabilityRule;
}

/**
 * Rules by what they fit. Ten thousand may name a task each, and be held against a hundred thousand tasks: what is
 * spelled out is found by its name, and a glob by what stands in front of its first `*` or `?`.
 *
 * @returns for the name of a service what finds the rules on its tasks; undefined: none fits it
 */
export function indexRules(rules: readonly AvailabilityRule[]): (service: string) => FindRule | undefined {
  const all = rules.map((rule, place): Placed => ({ place, rule }));
  const bySpelling = groupBy(
    all.filter(({ rule }) => !isGlob(rule.service)),
    ({ rule }) => rule.service,
  );
  const byHead = groupBy(
    all.filter(({ rule }) => isGlob(rule.service)),
    ({ rule }) => headOf(rule.service),
  );
  return (service) => {
    const globs = [...headsOf(service)]
      .flatMap((head) => byHead.get(head) ?? [])
      .filter(({ rule }) => fits(rule.service, service));
    const fitting = [...globs, ...(bySpelling.get(service) ?? [])];
    return fitting.length === 0 ? undefined : findAmong(fitting);
  };
}

export function isGlob(text: Glob): boolean {
  return /[*?]/.test(text);
}

function findAmong(fitting: readonly Placed[]): FindRule {
  const bySpelling = new Map<string, Placed>();
  const byHead = groupBy(
    fitting.filter(({ rule }) => isGlob(rule.task)),
    ({ rule }) => headOf(rule.task),
  );
  for (const placed of fitting) {
    const { task } = placed.rule;
    if (!isGlob(task) && placed.place >= (bySpelling.get(task)?.place ?? 0)) bySpelling.set(task, placed);
  }
  return (task) => {
    let last: Placed | undefined;
    const consider = (placed: Placed | undefined): void => {
      if (placed && placed.place >= (last?.place ?? 0)) last = placed;
    };
    for (const name of ruleNames(task)) {
      consider(bySpelling.get(name));
      for (const head of byHead.size === 0 ? [] : headsOf(name)) {
        for (const placed of byHead.get(head) ?? []) if (fits(placed.rule.task, name)) consider(placed);
      }
    }
    return last?.rule;
  };
}

/** What a rule may call a task: its id, and its addresses. */
export function ruleNames({ id, addresses }: TaskDeclaration): string[] {
  return [formatPrefix(id), ...addresses.map(({ address }) => formatAddress(address))];
}

/** What a glob begins with, whatever it fits. */
function headOf(glob: Glob): string {
  return glob.slice(0, glob.search(/[*?]/));
}

/** The heads of all globs that may fit a name. */
function* headsOf(name: string): Iterable<string> {
  for (let length = 0; length <= name.length; length++) yield name.slice(0, length);
}

function groupBy(
  placed: readonly Placed[],
  key: (placed: Placed) => string,
): ReadonlyMap<string, readonly Placed[]> {
  const groups = new Map<string, Placed[]>();
  for (const each of placed) {
    const group = groups.get(key(each));
    if (group) group.push(each);
    else groups.set(key(each), [each]);
  }
  return groups;
}
