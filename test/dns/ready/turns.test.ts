import { describe, expect, test } from "vitest";
import { readReply } from "../../../src/ask/reply.ts";
import { startRota } from "../../../src/index.ts";
import { query } from "../../wire/query.ts";
import { askUdp } from "../sockets.ts";

const web = { endpoint_mode: "dnsrr", tasks: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] } as const;
const OCTETS = query({ name: "web" });

function firstOf(octets: Buffer): string | undefined {
  return readReply(octets).answers[0]?.data;
}

// The first time the registry answers, and whoever was taught by it then. Chance may get it right, but not 20 times.
describe.each([0, 1, 3])("with %i lanes", (lanes) => {
  test("who asks as often as there are tasks sees each first", async () => {
    await using rota = await startRota({ lanes });
    const { port = 0 } = rota.addresses[0] ?? {};
    for (let change = 1; change <= 20; change++) {
      await rota.declare("web", { ...web, ttl: change });
      const firsts: (string | undefined)[] = [];
      for (let asked = 0; asked < 3; asked++) firsts.push(firstOf((await askUdp(OCTETS, port)).octets));
      expect(new Set(firsts)).toEqual(new Set(web.tasks));
    }
  });
});
