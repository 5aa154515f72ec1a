import { isSameList } from "../../base/compare.ts";
import type { Backend, Frontend, FrontendSight } from "../plane.ts";
import { createPicker } from "./pick.ts";
import type { Shared } from "./shared.ts";
import { createTarget, mayBeGiven, type Target, targetKey } from "./target.ts";

/** The backends of one frontend, and who of them gets the next flow. */
export interface Crew {
  /** As the last state has it. */
  readonly frontend: Frontend;
  /** Whether it matters who the client is. */
  readonly isByClient: boolean;
  /** Whether anybody may be given a flow. */
  readonly isServing: boolean;
  /** Flows of who is gone or down are ended before it returns. */
  set(frontend: Frontend): void;
  /**
   * Undefined: nobody is left.
   *
   * @param client its address, if {@link Crew.isByClient}
   * @param tried who may not be picked this time
   */
  pick(client: string, tried: readonly Target[]): Target | undefined;
  look(): FrontendSight;
  /** Ends all flows. */
  end(): void;
}

export function createCrew(first: Frontend, port: number, { affinity }: Pick<Shared, "affinity">): Crew {
  let frontend = first;
  let targets = new Map<string, Target>();
  let serving: readonly Target[] = [];
  let picker = createPicker<Target>(first.balance, Math.random);

  const crew: Crew = {
    get frontend() {
      return frontend;
    },
    get isByClient() {
      return frontend.balance === "source" || frontend.affinityMs > 0;
    },
    get isServing() {
      return serving.length > 0;
    },
    set(next) {
      const isOtherBalance = next.balance !== frontend.balance;
      frontend = next;
      const before = targets;
      targets = new Map(next.backends.map((backend) => keyed(backend, before)));
      // Before flows are ended: those that are still connecting look for another task.
      const now = [...targets.values()].filter(mayBeGiven);
      const isOther = !isSameList(now, serving);
      serving = now;
      if (isOtherBalance) picker = createPicker<Target>(next.balance, Math.random);
      // Also for the same targets: their weights may be others.
      picker.set(serving);
      if (isOther && next.affinityMs > 0) affinity.forget(crew, (target) => !serving.includes(target));
      for (const [key, target] of before) if (targets.get(key) !== target) endFlows(target);
      for (const target of targets.values()) if (target.backend.duty === "down") endFlows(target);
    },
    pick(client, tried) {
      if (frontend.affinityMs === 0) return picker.pick(client, tried);
      const known = affinity.recall(crew, client, frontend.affinityMs);
      const mayBe = known && mayBeGiven(known) && !tried.includes(known);
      const picked = mayBe ? known : picker.pick(client, tried);
      if (picked) affinity.remember(crew, client, picked);
      return picked;
    },
    look: () => ({
      frontend,
      backends: [...targets.values()].map(({ backend, given, flows }) => ({
        backend,
        flows: given,
        active: flows.size,
      })),
    }),
    end() {
      serving = [];
      picker.set(serving); // nor may they go to another task
      for (const target of targets.values()) endFlows(target);
    },
  };
  crew.set(first);
  return crew;

  function keyed(backend: Backend, before: ReadonlyMap<string, Target>): [string, Target] {
    const at = backend.port ?? port;
    const key = targetKey(backend, at);
    const target = before.get(key) ?? createTarget(backend, at);
    target.backend = backend;
    return [key, target];
  }
}

function endFlows(target: Target): void {
  for (const flow of target.flows) flow.end();
}
