import type { TaskDeclaration } from "../model/declaration.ts";
import type { Registry, VerdictReport } from "../registry/registry.ts";
import type { Verdict } from "../registry/service.ts";

/** Takes what an engine says of all its tasks now, before the roster that they stand in is published. */
export type TakeVerdicts = (verdicts: ReadonlyMap<TaskDeclaration, Verdict>) => void;

/**
 * Tells the registry what an engine says of its tasks, in whichever service they stand: one that goes from the
 * engine's side to a file's, or a task that comes back from maintenance, is told of again. A task that an outline has
 * Rota check is another value, and is left to that check: two judges would take turns.
 */
export function followVerdicts(
  registry: Pick<Registry, "follow" | "report">,
  signal: AbortSignal,
): TakeVerdicts {
  let verdicts: ReadonlyMap<TaskDeclaration, Verdict> = new Map();
  /** In which service each stands. */
  const standing = new WeakMap<TaskDeclaration, string>();

  registry.follow(({ touched }) => {
    const due: VerdictReport[] = [];
    for (const [service, { after }] of touched) {
      for (const task of after?.declaration.tasks ?? []) {
        const verdict = verdicts.get(task);
        if (verdict === undefined) continue;
        standing.set(task, service);
        if (after?.verdicts.get(task.id) !== verdict) due.push({ service, task: task.id, verdict });
      }
    }
    // Other followers hear of this change first.
    if (due.length > 0) queueMicrotask(() => registry.report(due));
  }, signal);

  return (said) => {
    const before = verdicts;
    verdicts = said;
    const due: VerdictReport[] = [];
    for (const [task, verdict] of said) {
      // The registry was told. Where others say something else of a task, they touch its service, and are answered above.
      if (before.get(task) === verdict) continue;
      const service = standing.get(task);
      if (service !== undefined) due.push({ service, task: task.id, verdict });
    }
    registry.report(due);
  };
}
