import { expect } from "vitest";
import { answersOf, type Clause, forEachKind, forEachProtocol } from "./clause.ts";
import { anyPortService, backendsOf, publishedService, vipService } from "./services.ts";

/** From where to where traffic gets. */
export const REACH: readonly Clause[] = [
  {
    name: "a VIP answers ping, whether or not any task serves: IPv4",
    needs: [],
    run: async ({ lab, apply }) => {
      const [web, empty] = [await lab.vip(4), await lab.vip(4)];
      await apply(vipService(web, backendsOf(lab.tasks, 4)), vipService(empty, []));
      for (const { address } of [web, empty]) expect(await lab.isPinged(lab.client.name, address)).toBe(true);
    },
  },
  {
    name: "a VIP answers ping, whether or not any task serves: IPv6",
    needs: ["ipv6"],
    run: async ({ lab, apply }) => {
      const [web, empty] = [await lab.vip(6), await lab.vip(6)];
      await apply(vipService(web, backendsOf(lab.tasks, 6)), vipService(empty, []));
      for (const { address } of [web, empty]) expect(await lab.isPinged(lab.client.name, address)).toBe(true);
    },
  },

  ...forEachProtocol(
    "a task sees the address of who asks",
    async ({ lab, apply }, protocol) => {
      for (const family of lab.families) {
        const front = { ...(await lab.vip(family)), protocol };
        await apply(vipService(front, backendsOf(lab.tasks, family)));
        const from = lab.client.from[family];
        const { peers } = await answersOf(lab, { ...front, from }, from.length);
        expect(Object.values(peers).flat().toSorted()).toEqual(from.toSorted());
      }
    },
    ["clients' addresses"],
  ),

  ...forEachKind("the node itself reaches a VIP", async ({ lab, apply }, family, protocol) => {
    const front = await lab.vip(family);
    await apply(vipService(front, backendsOf(lab.tasks, family)));
    const { names } = await answersOf(lab, { ...front, protocol }, lab.tasks.length, "node");
    expect(Object.keys(names)).toHaveLength(lab.tasks.length);
  }),

  ...forEachKind("a task reaches the VIP of another service", async ({ lab, apply }, family, protocol) => {
    const front = await lab.vip(family);
    const [client, ...others] = lab.tasks;
    await apply(vipService(front, backendsOf(others, family)));
    const { names } = await answersOf(lab, { ...front, protocol }, others.length, client?.name);
    expect(Object.keys(names)).toHaveLength(others.length);
  }),

  ...forEachKind(
    "a task reaches its own VIP, and itself by it",
    async ({ lab, apply }, family, protocol) => {
      const front = await lab.vip(family);
      await apply(vipService(front, backendsOf(lab.tasks, family)));
      for (const { name } of lab.tasks) {
        const { names } = await answersOf(lab, { ...front, protocol }, lab.tasks.length, name);
        expect(Object.keys(names), `asked from ${name}`).toHaveLength(lab.tasks.length);
      }
    },
    ["hairpin"],
  ),

  ...forEachKind(
    "a VIP of all ports leads to the port that was asked for",
    async ({ lab, apply }, family, protocol) => {
      const { address } = await lab.vip(family);
      await apply(anyPortService(address, backendsOf(lab.tasks, family)));
      const other = await lab.publishedPort();
      for (const task of lab.tasks) await lab.serve(task, family, other);
      for (const port of [lab.tasks[0]?.at[family].port ?? 0, other]) {
        const { names } = await answersOf(lab, { address, port, protocol }, lab.tasks.length * 10);
        expect(Object.keys(names), `asked at ${port}`).toHaveLength(lab.tasks.length);
      }
    },
    ["any port"],
  ),

  ...forEachKind(
    "a published port is reached from the client and the node",
    async ({ lab, apply }, family, protocol) => {
      const port = await lab.publishedPort();
      const front = { address: lab.node[family], port, protocol };
      await apply(publishedService(port, backendsOf(lab.tasks, family)));
      for (const place of [lab.client.name, "node"]) {
        const { names } = await answersOf(lab, front, lab.tasks.length, place);
        expect(Object.keys(names), `asked from ${place}`).toHaveLength(lab.tasks.length);
      }
    },
    ["published"],
  ),

  ...forEachProtocol(
    "a task reaches its own published port, and itself by it",
    async ({ lab, apply }, protocol) => {
      const port = await lab.publishedPort();
      await apply(publishedService(port, backendsOf(lab.tasks, 4)));
      const front = { address: lab.node[4], port, protocol };
      const { names } = await answersOf(lab, front, lab.tasks.length, "t1");
      expect(Object.keys(names)).toHaveLength(lab.tasks.length);
    },
    ["published", "hairpin"],
  ),
];
