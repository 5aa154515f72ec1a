import { expect } from "vitest";
import { createScope } from "../../../src/base/scope.ts";
import type { Flow } from "../lab/lab.ts";
import { answersOf, type Clause, expectRefused, holdAt } from "./clause.ts";
import { changeUnderLoad } from "./load.ts";
import { anyPortService, backendsOf, stateOf, vipService } from "./services.ts";

/** That a plane is brought to a state, from whatever there is, and tells what it did. */
export const STATES: readonly Clause[] = [
  {
    name: "what a killed plane left is taken over, and what is not wanted any more is gone",
    needs: [],
    async run(scene) {
      const { lab, apply } = scene;
      const [kept, gone, added] = [await lab.vip(4), await lab.vip(4), await lab.vip(4)];
      await apply(vipService(kept, backendsOf(lab.tasks, 4)), vipService(gone, backendsOf(lab.tasks, 4)));
      await answersOf(lab, gone, 1);
      await scene.replacePlane();
      const few = backendsOf(lab.tasks.slice(1), 4);
      await apply(vipService(kept, few), vipService(added, few));
      await expectRefused(lab, gone);
      for (const front of [kept, added]) {
        const { names } = await answersOf(lab, front, few.length);
        expect(Object.keys(names).toSorted()).toEqual(["t2", "t3", "t4"]);
      }
      expect((await scene.plane.look()).strangers).toEqual([]);
    },
  },
  {
    name: "flows live on when a plane is killed, and when another takes over",
    needs: ["outliving its process"],
    async run(scene) {
      const { lab, apply } = scene;
      await using flows = createScope();
      const front = await lab.vip(4);
      await apply(vipService(front, backendsOf(lab.tasks, 4)));
      const held: Flow[] = [];
      for (const protocol of ["tcp", "udp"] as const) {
        // Against the turn: who begins it anew would lead a flow that it lost to where it was.
        for (const task of lab.tasks.toReversed()) {
          held.push(flows.use(await holdAt(lab, { ...front, protocol }, task)));
        }
      }
      await scene.replacePlane();
      await answersOf(lab, front, lab.tasks.length);
      for (const flow of held) expect(await flow.say()).toEqual(flow.first);
      await apply(vipService(front, backendsOf(lab.tasks, 4)));
      for (const flow of held) expect(await flow.say()).toEqual(flow.first);
    },
  },
  {
    name: "of states that wait, the last counts, and who gave an earlier one gets its report",
    needs: [],
    async run({ lab, plane }) {
      const fronts = [await lab.vip(4), await lab.vip(4), await lab.vip(4)];
      const services = fronts.map((front) => vipService(front, backendsOf(lab.tasks, 4)));
      const states = services.map((_, at) => stateOf(lab, services.slice(0, at + 1).toReversed()));
      const reports = await plane.apply(...states, stateOf(lab, services.slice(2)));
      expect(reports.map(({ carried }) => carried)).toEqual([2, 2, 2, 2]);
      const [first, second, third] = fronts;
      if (!first || !second || !third) throw new Error("there are three");
      await answersOf(lab, third, 1);
      await expectRefused(lab, first);
      await expectRefused(lab, second);
    },
  },
  {
    name: "what is not carried is told, and keeps nothing else from being carried",
    needs: [],
    async run({ lab, plane }) {
      const [odd, plain] = [await lab.vip(4), await lab.vip(4)];
      // All ports need a kernel, and a PROXY header needs somebody who writes it: no plane has both.
      const both = anyPortService(odd.address, backendsOf(lab.tasks, 4), { proxyProtocol: 2 });
      const state = stateOf(lab, [both, vipService(plain, backendsOf(lab.tasks, 4))]);
      const [report] = await plane.apply(state);
      expect(report?.troubles.map(({ service }) => service)).toContain(both[0]);
      for (const { message } of report?.troubles ?? []) expect(message).toMatch(/^\S.*\S$/);
      expect(report?.carried).toBe(2);
      await answersOf(lab, plain, lab.tasks.length);
    },
  },
  {
    name: "what is programmed can be looked at",
    needs: [],
    async run({ lab, plane, apply }) {
      const front = await lab.vip(4);
      const [id, service] = vipService(front, backendsOf(lab.tasks, 4, { t4: { duty: "draining" } }));
      await apply([id, service]);
      const { services, strangers } = await plane.look();
      expect(strangers).toEqual([]);
      expect(services.map(({ id, name }) => [id, name])).toEqual([[id, service.name]]);
      const fronts = services.flatMap(({ frontends }) => frontends);
      expect(fronts.map(({ frontend: { protocol, port } }) => `${protocol} ${port}`).toSorted()).toEqual([
        `tcp ${front.port}`,
        `udp ${front.port}`,
      ]);
      for (const { backends } of fronts) {
        const seen = backends.map(({ backend: { task, address } }) => `${task} ${address}`).toSorted();
        expect(seen).toEqual(lab.tasks.map(({ name, at }) => `${name} ${at[4].address}`));
      }
    },
  },
  {
    name: "flows that were given to a task are counted",
    needs: ["counts of flows"],
    async run({ lab, plane, apply }) {
      const front = await lab.vip(4);
      await apply(vipService(front, backendsOf(lab.tasks, 4)));
      for (const protocol of ["tcp", "udp"] as const) {
        await answersOf(lab, { ...front, protocol }, lab.tasks.length * 3);
        const seen = async (): Promise<unknown> => {
          const { services } = await plane.look();
          const fronts = services.flatMap(({ frontends }) => frontends);
          const told = fronts.find(({ frontend }) => frontend.protocol === protocol)?.backends ?? [];
          return told.map(({ flows }) => flows);
        };
        // IPVS sums them up every two seconds.
        await expect.poll(seen, { timeout: 2 * lab.pace.patienceMs }).toEqual(lab.tasks.map(() => 3));
      }
    },
  },
  {
    name: "flows that are open are counted",
    needs: ["counts of open flows"],
    async run({ lab, plane, apply }) {
      const front = await lab.vip(4);
      await apply(vipService(front, backendsOf(lab.tasks, 4)));
      await using flows = createScope();
      for (let count = 0; count < lab.tasks.length * 2; count++) {
        flows.use(await lab.hold(lab.client.name, front));
      }
      const { services } = await plane.look();
      const fronts = services.flatMap(({ frontends }) => frontends);
      const seen = fronts.find(({ frontend }) => frontend.protocol === "tcp")?.backends ?? [];
      expect(seen.map(({ active }) => active)).toEqual(lab.tasks.map(() => 2));
    },
  },
  {
    name: "no connection fails while tasks are added, drained, removed and weighted",
    needs: [],
    run: async (scene) => changeUnderLoad(scene, { isReplaced: false, changes: scene.lab.pace.changes }),
  },
  {
    name: "no connection fails while the plane is killed and another takes over",
    needs: ["outliving its process"],
    run: async (scene) =>
      changeUnderLoad(scene, { isReplaced: true, changes: Math.ceil(scene.lab.pace.changes / 3) }),
  },
];
