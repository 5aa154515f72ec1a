import type { Availability, AvailabilityRule } from "../model/availability.ts";
import type { Declaration, TaskDeclaration } from "../model/declaration.ts";
import { formatPrefix, type Prefix } from "../model/name.ts";
import { ownName } from "./names.ts";
import { type FindRule, indexRules } from "./rules.ts";
import type { Outage } from "./service.ts";
import { taskOf } from "./tasks.ts";

/** Who is out of answers by the operator's word: by rules that fit names, and by what is said of one service. */
export interface Outages {
  /** Replaces all rules. */
  rule(rules: readonly AvailabilityRule[]): void;
  /**
   * Takes the operator's word on a task, or on all tasks that a service has and will have: it stands above all
   * rules. To say `active` of what no rule takes out is to take back what was said.
   */
  say(word: Word, declaration: Declaration): void;
  /** Forgets what was said of tasks that are gone; without `tasks`, all that was said of the service. */
  forget(service: string, tasks?: readonly TaskDeclaration[]): void;
  /** The tasks of a service that are out. Where nothing changed, it is `before` again. */
  of(
    service: string,
    declaration: Declaration,
    before: ReadonlyMap<Prefix, Outage>,
  ): ReadonlyMap<Prefix, Outage>;
}

/** The operator's word on one service. */
export interface Word {
  /** Its id. */
  readonly service: string;
  /** Undefined: all its tasks, whatever was said of single ones. */
  readonly task: Prefix | undefined;
  readonly availability: Availability;
  /** Who said so, for people. */
  readonly origin: string;
}

/** What was said of one service: of the whole, and of tasks since then. */
interface Said {
  readonly all: Sentence | undefined;
  readonly tasks: ReadonlyMap<Prefix, Sentence>;
}

type Sentence = Pick<Word, "availability" | "origin">;

const NOTHING_SAID: Said = { all: undefined, tasks: new Map() };
const NOBODY: ReadonlyMap<Prefix, Outage> = new Map();

/** @param nowMs the monotonic clock */
export function createOutages(nowMs: () => number): Outages {
  let rulesOn = indexRules([]);
  const saidOf = new Map<string, Said>();
  const rulesFor = (declaration: Declaration): FindRule | undefined =>
    rulesOn(formatPrefix(ownName(declaration)));

  return {
    rule(replaced) {
      rulesOn = indexRules(replaced);
    },
    say(word, declaration) {
      const said = hear(saidOf.get(word.service) ?? NOTHING_SAID, word, declaration, rulesFor(declaration));
      if (said.all === undefined && said.tasks.size === 0) saidOf.delete(word.service);
      else saidOf.set(word.service, said);
    },
    forget(service, tasks) {
      const said = saidOf.get(service);
      if (!said) return;
      if (!tasks) {
        saidOf.delete(service);
        return;
      }
      const ids = new Set(tasks.map(({ id }) => id));
      saidOf.set(service, { ...said, tasks: new Map([...said.tasks].filter(([id]) => ids.has(id))) });
    },
    of(service, declaration, before) {
      const said = saidOf.get(service) ?? NOTHING_SAID;
      const findRule = rulesFor(declaration);
      const out = new Map<Prefix, Outage>();
      if (!findRule && said === NOTHING_SAID) return before.size === 0 ? before : NOBODY;
      for (const task of declaration.tasks) {
        const sentence = said.tasks.get(task.id) ?? said.all ?? findRule?.(task);
        if (!sentence || sentence.availability === "active") continue;
        const { availability, origin } = sentence;
        out.set(task.id, outageOf({ availability, origin }, before.get(task.id)));
      }
      return isSame(out, before) ? before : out;
    },
  };

  /** Out is out: who goes on from drain to maintenance has been out of answers since the first. */
  function outageOf(said: Pick<Outage, "availability" | "origin">, before: Outage | undefined): Outage {
    const { availability, origin } = said;
    if (before?.availability === availability && before.origin === origin) return before;
    return { isDrained: false, sinceMs: nowMs(), ...before, availability, origin };
  }
}

function hear(said: Said, word: Word, declaration: Declaration, findRule: FindRule | undefined): Said {
  const { task, availability, origin } = word;
  const sentence = { availability, origin };
  if (task === undefined)
    return { all: availability === "active" && !findRule ? undefined : sentence, tasks: new Map() };
  const tasks = new Map(said.tasks);
  tasks.delete(task);
  const declared = taskOf(declaration, task);
  const isActive = (said.all ?? (declared && findRule?.(declared)))?.availability ?? "active";
  if (availability !== "active" || isActive !== "active") tasks.set(task, sentence);
  return { ...said, tasks };
}

function isSame(one: ReadonlyMap<Prefix, Outage>, other: ReadonlyMap<Prefix, Outage>): boolean {
  return one.size === other.size && [...one].every(([task, outage]) => other.get(task) === outage);
}
