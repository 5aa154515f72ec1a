import { expect } from "vitest";
import type { Family } from "../../../src/model/address.ts";
import type { Endpoint, Lab, Said } from "../lab/lab.ts";
import {
  answersOf,
  type Clause,
  forEachKind,
  holdAt,
  type Protocol,
  sayUntil,
  type Scene,
} from "./clause.ts";
import { backendsOf, type Service, vipService } from "./services.ts";

/** What becomes of flows that are there when their task's duty changes. */
export const FLOWS: readonly Clause[] = [
  ...forEachKind(
    "a draining task keeps its flows, and gets no new ones",
    async ({ lab, apply }, family, protocol) => {
      const front = { ...(await lab.vip(family)), protocol };
      await apply(vipService(front, backendsOf(lab.tasks, family)));
      await using flow = await holdAt(lab, front, taskOf(lab, 0));
      await apply(vipService(front, backendsOf(lab.tasks, family, { t1: { duty: "draining" } })));
      const { names } = await answersOf(lab, front, lab.tasks.length * 10);
      expect(Object.keys(names).toSorted()).toEqual(["t2", "t3", "t4"]);
      expect(await flow.say()).toMatchObject({ name: "t1" });
      // As good as before when it serves again.
      await apply(vipService(front, backendsOf(lab.tasks, family)));
      expect(await flow.say()).toMatchObject({ name: "t1" });
      expect((await answersOf(lab, front, lab.tasks.length * 10)).names).toMatchObject({ t1: 10 });
    },
  ),

  ...forEachKind(
    "the last task keeps its flows while it drains",
    async ({ lab, apply }, family, protocol) => {
      const front = { ...(await lab.vip(family)), protocol };
      const last = [taskOf(lab, 0)];
      await apply(vipService(front, backendsOf(last, family)));
      await using flow = await holdAt(lab, front, taskOf(lab, 0));
      await apply(vipService(front, backendsOf(last, family, { t1: { duty: "draining" } })));
      expect(await flow.say()).toMatchObject({ name: "t1" });
    },
  ),

  ...forEachKind(
    "a task that is added gets new flows, and takes none",
    async ({ lab, apply }, family, protocol) => {
      const front = { ...(await lab.vip(family)), protocol };
      const [, ...few] = lab.tasks;
      await apply(vipService(front, backendsOf(few, family)));
      await using flow = await holdAt(lab, front, taskOf(lab, 1));
      await apply(vipService(front, backendsOf(lab.tasks, family)));
      const { names } = await answersOf(lab, front, lab.tasks.length * 10);
      expect(Object.keys(names)).toHaveLength(lab.tasks.length);
      expect(await flow.say()).toMatchObject({ name: "t2" });
    },
  ),

  ...forEachKind("a removed task's flows end, and others' do not", async (scene, family, protocol) => {
    await expectToEnd(scene, family, protocol, (lab, front) => {
      const [, ...left] = lab.tasks;
      return [vipService(front, backendsOf(left, family))];
    });
  }),

  ...forEachKind("flows of a task that is down end, and others' do not", async (scene, family, protocol) => {
    await expectToEnd(scene, family, protocol, (lab, front) => [
      vipService(front, backendsOf(lab.tasks, family, { t1: { duty: "down" } })),
    ]);
  }),

  ...forEachKind("flows of a draining task end when it is removed", async (scene, family, protocol) => {
    const { lab, apply } = scene;
    await expectToEnd(scene, family, protocol, async (_, front) => {
      await apply(vipService(front, backendsOf(lab.tasks, family, { t1: { duty: "draining" } })));
      return [vipService(front, backendsOf(lab.tasks.slice(1), family))];
    });
  }),

  ...forEachKind("flows of a service that is gone end", async ({ lab, apply }, family, protocol) => {
    const front = { ...(await lab.vip(family)), protocol };
    await apply(vipService(front, backendsOf(lab.tasks, family)));
    await using flow = await lab.hold(lab.client.name, front);
    expect(flow.first.error).toBeUndefined();
    await apply();
    await sayUntil(lab, flow, "the flow ends", isRefused);
  }),
];

/** That after a change a flow of t1 ends, that of t2 lives, and new ones go to other tasks. */
async function expectToEnd(
  { lab, apply }: Scene,
  family: Family,
  protocol: Protocol,
  change: (lab: Lab, front: Endpoint) => readonly Service[] | Promise<readonly Service[]>,
): Promise<void> {
  const front = { ...(await lab.vip(family)), protocol };
  await apply(vipService(front, backendsOf(lab.tasks, family)));
  await using flow = await holdAt(lab, front, taskOf(lab, 0));
  await using other = await holdAt(lab, front, taskOf(lab, 1));
  await apply(...(await change(lab, front)));
  // TCP: who waits there hears that it is over. UDP: a later word finds another task.
  if (protocol === "tcp") await sayUntil(lab, flow, "the connection ends", isRefused);
  if (protocol === "udp") await sayUntil(lab, flow, "another task answers", isElsewhere);
  expect(await other.say()).toMatchObject({ name: "t2" });
  const { names } = await answersOf(lab, front, lab.tasks.length * 10);
  expect(Object.keys(names).toSorted()).toEqual(["t2", "t3", "t4"]);
}

/** Told to be over, and not by silence. */
function isRefused({ error }: Said): boolean {
  return error !== undefined && error !== "TIMEOUT";
}

function isElsewhere({ name }: Said): boolean {
  return name !== undefined && name !== "t1";
}

function taskOf({ tasks }: Lab, at: number): Lab["tasks"][number] {
  const task = tasks[at];
  if (!task) throw new Error(`the contract needs ${at + 1} tasks`);
  return task;
}
