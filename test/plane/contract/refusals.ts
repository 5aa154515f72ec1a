import { answersOf, type Clause, expectRefused, forEachKind, forEachProtocol } from "./clause.ts";
import { backendsOf, publishedService, vipService } from "./services.ts";

/** Whoever asks where nobody is, is told so at once: a client that hangs would not try elsewhere. */
export const REFUSALS: readonly Clause[] = [
  ...forEachKind("a port that a VIP does not have is refused", async ({ lab, apply }, family, protocol) => {
    const front = await lab.vip(family);
    await apply(vipService(front, backendsOf(lab.tasks, family)));
    await answersOf(lab, { ...front, protocol }, 1);
    const other = { ...front, port: await lab.publishedPort(), protocol };
    await expectRefused(lab, other);
    await expectRefused(lab, other, "node");
  }),

  ...forEachProtocol("a VIP that nobody has is refused", async ({ lab, apply }, protocol) => {
    const front = await lab.vip(4);
    await apply(vipService(front, backendsOf(lab.tasks, 4)));
    await answersOf(lab, { ...front, protocol }, 1);
    for (const pool of lab.pools) {
      const nobodys = { ...(await lab.vip(pool.includes(":") ? 6 : 4)), protocol };
      await expectRefused(lab, nobodys);
      await expectRefused(lab, nobodys, "node");
    }
  }),

  ...forEachKind(
    "a service without tasks is refused, and then not",
    async ({ lab, apply }, family, protocol) => {
      const front = { ...(await lab.vip(family)), protocol };
      await apply(vipService(front, []));
      await expectRefused(lab, front);
      await expectRefused(lab, front, "node");
      await apply(vipService(front, backendsOf(lab.tasks, family)));
      await answersOf(lab, front, 1);
    },
  ),

  ...forEachKind(
    "a service whose tasks do not serve is refused",
    async ({ lab, apply }, family, protocol) => {
      const front = { ...(await lab.vip(family)), protocol };
      const idle = {
        t1: { duty: "down" },
        t2: { duty: "draining" },
        t3: { weight: 0 },
        t4: { duty: "down" },
      } as const;
      await apply(vipService(front, backendsOf(lab.tasks, family)));
      await apply(vipService(front, backendsOf(lab.tasks, family, idle)));
      await expectRefused(lab, front);
    },
  ),

  ...forEachKind("a service that is gone is refused", async ({ lab, apply }, family, protocol) => {
    const front = { ...(await lab.vip(family)), protocol };
    await apply(vipService(front, backendsOf(lab.tasks, family)));
    await answersOf(lab, front, 1);
    await apply();
    await expectRefused(lab, front);
  }),

  ...forEachKind(
    "a published port without tasks is refused, and then not",
    async ({ lab, apply }, family, protocol) => {
      const port = await lab.publishedPort();
      const front = { address: lab.node[family], port, protocol };
      await apply(publishedService(port, []));
      await expectRefused(lab, front);
      await expectRefused(lab, front, "node");
      await apply(publishedService(port, backendsOf(lab.tasks, family)));
      await answersOf(lab, front, 1);
    },
    ["published"],
  ),
];
