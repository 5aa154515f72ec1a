import type { Rota, RotaOptions, ServiceDeclaration } from "../../src/index.ts";
import { startRota } from "../../src/index.ts";
import { createScope } from "../../src/base/scope.ts";
import { type Asking, asking } from "./asking.ts";
import { openProbedTask, type ProbedTask } from "./probed-task.ts";

/** What a scenario is played with, gone with the test. */
export interface Stage extends AsyncDisposable {
  /** A task of each of these letters, at addresses of their own; all but the first are well until they say otherwise. */
  tasks(ids: string): Promise<Cast>;
  /** A Rota that checks these tasks as those of `web`. */
  start(tasks: readonly ProbedTask[], web?: ServiceDeclaration, options?: RotaOptions): Promise<Played>;
}

export interface Cast {
  readonly first: ProbedTask;
  readonly all: readonly ProbedTask[];
}

export interface Played {
  readonly rota: Rota;
  readonly ask: Asking;
}

/** As often as may be, and with no time-out while a test has a probe wait. */
export const CHECK = { http: "/healthz", interval: "100ms", timeout: "1h" } as const;

/** `web` as these tasks stand behind it, by its task's addresses. */
export function webOf(tasks: readonly ProbedTask[], web: ServiceDeclaration = {}): ServiceDeclaration {
  return {
    endpoint_mode: "dnsrr",
    ports: [{ name: "http", target: 80 }],
    healthcheck: CHECK,
    tasks: tasks.map(({ declaration }) => declaration),
    ...web,
  };
}

export function createStage(): Stage {
  const scope = createScope();
  let opened = 0;

  return {
    async tasks(ids) {
      const open = async (id: string): Promise<ProbedTask> => {
        opened += 1;
        return scope.use(await openProbedTask(id, `127.0.1.${opened}`));
      };
      const [id = "", ...rest] = ids;
      const first = await open(id);
      const all = [first];
      for (const other of rest) {
        const task = await open(other);
        task.always("+");
        all.push(task);
      }
      return { first, all };
    },
    async start(tasks, web, options = {}) {
      const rota = scope.use(await startRota({ services: { web: webOf(tasks, web) }, ...options }));
      return { rota, ask: asking(rota) };
    },
    [Symbol.asyncDispose]: () => scope[Symbol.asyncDispose](),
  };
}
