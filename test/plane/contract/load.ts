import { expect } from "vitest";
import { createScope } from "../../../src/base/scope.ts";
import { holdAt, type Scene } from "./clause.ts";
import { backendsOf, vipService } from "./services.ts";

export interface Load {
  readonly changes: number;
  /** Whether every tenth change is kill -9 of the plane and another that takes over. */
  readonly isReplaced: boolean;
}

/** How many changes lie between two replacements of the plane. */
const REPLACED_EVERY = 10;

/**
 * Changes a service under load, with t1 and t2 held by long flows: none of them and no connection may fail.
 *
 * t3 and t4 are drained, removed once their last connection is over, and added again; t1 and t2 are drained and
 * serve again; weights change.
 */
export async function changeUnderLoad(scene: Scene, { changes, isReplaced }: Load): Promise<void> {
  const { lab, apply } = scene;
  await using scope = createScope();
  const front = await lab.vip(4);
  let turn = 0;
  const bring = async (
    without: string | undefined,
    change: Parameters<typeof backendsOf>[2],
  ): Promise<void> => {
    const tasks = lab.tasks.filter(({ name }) => name !== without);
    // Alternating weights make each state differ from the one before, whatever else does.
    const weight = 1 + (turn % 3);
    const backends = backendsOf(tasks, 4, { t1: { weight }, ...change });
    await apply(vipService(front, backends, { balance: "weighted" }));
  };
  await bring(undefined, {});
  const flows = [];
  for (const task of lab.tasks.slice(0, 2)) flows.push(scope.use(await holdAt(lab, front, task)));

  const from = lab.client.from[4];
  const hammer = await lab.hammer(lab.client.name, { ...front, from }, lab.pace.clients);
  for (turn = 0; turn < changes; turn++) {
    const comer = turn % 8 < 4 ? "t3" : "t4";
    const steady = turn % 8 < 4 ? "t1" : "t2";
    if (isReplaced && turn % REPLACED_EVERY === REPLACED_EVERY - 1) await scene.replacePlane();
    switch (turn % 4) {
      case 0:
        await bring(undefined, { [comer]: { duty: "draining" } });
        break;
      case 1:
        await bring(comer, {});
        break;
      case 2:
        await bring(undefined, { [steady]: { duty: "draining" } });
        break;
      case 3:
        await bring(undefined, { [comer]: { weight: 5 } });
    }
    await hammer.turn();
  }
  for (const flow of flows) expect(await flow.say(), "a long flow").toEqual(flow.first);
  const { done, failures, first, names } = await hammer.rest();
  expect(failures, `of ${done} connections: ${first.join("; ")}`).toEqual({});
  expect(Object.keys(names).toSorted()).toEqual(lab.tasks.map(({ name }) => name));
  expect(done).toBeGreaterThan(changes * lab.pace.clients);
}
