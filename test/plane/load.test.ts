import { expect, vi } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { testNeeding } from "../needing.ts";
import { openScene } from "./contract.ts";
import { changeUnderLoad } from "./contract/load.ts";
import { backendsOf, vipService } from "./contract/services.ts";
import { NFTABLES, USERSPACE } from "./contract/subjects.ts";

// Two hundred changes take some ten seconds on an idle machine, and CI has others to do.
vi.setConfig({ testTimeout: 300_000 });

const CHANGES = 200;

testNeeding(NFTABLES.needs)(
  "nftables: under load from 16 clients, 200 changes and 20 kills of its process fail no connection",
  async () => {
    await using scope = createScope();
    const scene = await openScene(await NFTABLES.open(), NFTABLES.plane);
    scope.defer(scene.close);
    await changeUnderLoad(scene, { changes: CHANGES, isReplaced: true });
  },
);

// No kill -9 of its process here: its connections are its own, and end with it.
testNeeding(USERSPACE.needs)(
  "userspace: under load from 16 clients, 200 changes fail no connection",
  async () => {
    await using scope = createScope();
    const scene = await openScene(await USERSPACE.open(), USERSPACE.plane);
    scope.defer(scene.close);
    await changeUnderLoad(scene, { changes: CHANGES, isReplaced: false });
  },
);

testNeeding(USERSPACE.needs)("userspace: a killed task fails no connection but its own", async () => {
  await using scope = createScope();
  const scene = await openScene(await USERSPACE.open(), USERSPACE.plane);
  scope.defer(scene.close);
  const { lab, apply } = scene;
  const [victim] = lab.tasks;
  if (!victim) throw new Error("the lab has tasks");
  const front = await lab.vip(4);
  await apply(vipService(front, backendsOf(lab.tasks, 4)));
  const hammer = await lab.hammer(lab.client.name, front, lab.pace.clients);
  for (let kills = 1; kills <= 10; kills++) {
    await lab.die(victim);
    await hammer.turn();
    // Each client may have been with it at that moment; from then on nobody is, though the state still has it.
    const { failures } = await hammer.soFar();
    expect(sumOf(failures), JSON.stringify(failures)).toBeLessThanOrEqual(kills * lab.pace.clients);
    await hammer.turn();
    await hammer.turn();
    expect((await hammer.soFar()).failures).toEqual(failures);
    await apply(vipService(front, backendsOf(lab.tasks, 4, { [victim.name]: { duty: "down" } })));
    await lab.revive(victim);
    await apply(vipService(front, backendsOf(lab.tasks, 4)));
    await hammer.turn();
    expect((await hammer.soFar()).failures, "nor does its return fail one").toEqual(failures);
  }
  const { names } = await hammer.rest();
  expect(Object.keys(names).toSorted()).toEqual(lab.tasks.map(({ name }) => name));
});

function sumOf(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
