import { describe, expect, test } from "vitest";
import { readReply } from "../../src/ask/reply.ts";
import { startRota } from "../../src/index.ts";
import { askUdp } from "../dns/sockets.ts";
import { query } from "../wire/query.ts";

describe.each([0, 1, 3])("with %i lanes", (lanes) => {
  test("a change is in every answer once its promise resolves", async () => {
    await using rota = await startRota({ lanes, listen: ["127.0.0.1:0"] });
    const { port = 0 } = rota.addresses[0] ?? {};
    const answers = async (): Promise<string[]> => {
      const { octets } = await askUdp(query({ name: "web" }), port);
      return readReply(octets).answers.map(({ data }) => data);
    };
    // Which lane answers is by the port that is asked from, another one each time; asked twice, it has it ready.
    for (let change = 1; change <= 40; change++) {
      await rota.declare("web", { endpoint_mode: "dnsrr", tasks: [`192.0.2.${change}`] });
      for (let asked = 0; asked < 3; asked++) expect(await answers()).toEqual([`192.0.2.${change}`]);
      await rota.drain("web");
      expect(await answers()).toEqual([]);
      await rota.activate("web");
      expect(await answers()).toEqual([`192.0.2.${change}`]);
    }
    await rota.withdraw("web");
    expect(await answers()).toEqual([]);
  });

  test("all is counted, whoever answered", async () => {
    await using rota = await startRota({ lanes, services: { web: { tasks: ["192.0.2.1"] } } });
    const { port = 0 } = rota.addresses[0] ?? {};
    for (let asked = 0; asked < 10; asked++) await askUdp(query({ name: "web" }), port);
    await askUdp(query({ name: "example.org" }), port);
    expect(rota.counters).toMatchObject({
      queries: { udp: 11, tcp: 0 },
      replies: new Map([
        [0, 10],
        [5, 1],
      ]),
      lanes: { count: lanes, replaced: 0, dropped: 0 },
    });
    expect(rota.counters.lanes.detours).toBeGreaterThanOrEqual(lanes === 0 ? 0 : 2);
  });
});

test.each([
  [0, "node:dgram, because lanes is 0"],
  [2, "2 lanes"],
])("with lanes %i it says what answers over UDP", async (lanes, what) => {
  await using rota = await startRota({ lanes });
  expect(rota.udp).toBe(what);
  await using others = await startRota({ lanes, listen: ["tcp://127.0.0.1:0", "proxy+udp://127.0.0.1:0"] });
  expect(others.udp).toBeUndefined();
  expect(others.counters.lanes.count).toBe(0);
});

test.each([-1, 1.5, 65, Number.NaN])("lanes %d are refused", async (lanes) => {
  await expect(startRota({ lanes })).rejects.toThrow(
    `could not start with lanes ${lanes}: it must be a whole number from 0 to 64`,
  );
});
