import type { TaskDeclaration } from "../model/declaration.ts";
import type { Held } from "./claims.ts";
import type { Meaning } from "./names.ts";

/** A {@link Meaning} as it is kept: a task as itself, for there may be a million. */
export type KeptMeaning = Exclude<Meaning, { readonly kind: "task" }> | TaskDeclaration;

export function wholeMeaning(kept: KeptMeaning): Meaning {
  return "kind" in kept ? kept : { kind: "task", task: kept };
}

/** The claim of a task in these scopes. */
export type ClaimOfTask<Claimant> = (
  task: TaskDeclaration,
  scopes: readonly string[],
) => Held<Claimant, TaskDeclaration>;

/** Makes one claim of all that a task has in the same scopes: its names and its addresses. */
export function createTaskClaims<Claimant>(claimant: Claimant): ClaimOfTask<Claimant> {
  const claims = new Map<TaskDeclaration, Held<Claimant, TaskDeclaration>>();
  return (task, scopes) => {
    const known = claims.get(task);
    if (known?.scopes === scopes) return known;
    const claim = { claimant, meaning: task, scopes };
    claims.set(task, claim);
    return claim;
  };
}
