import { createSocket } from "node:dgram";
import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readReply } from "../../src/ask/reply.ts";
import { createScope } from "../../src/base/scope.ts";
import { type Rota, type RotaOptions, startRota } from "../../src/index.ts";
import { parseType } from "../../src/model/mnemonics.ts";
import { query } from "../wire/query.ts";
import { refusalOf } from "./refusal.ts";

// Linux lets anybody ask from any address of 127.0.0.0/8: networks of loopback stand for those of containers.
const FRONT = "127.1.1.7";
const BACK = "127.1.2.7";
const BOTH = "127.1.1.2";
const NOWHERE = "127.0.0.1";

const OPTIONS: RotaOptions = {
  networks: { front: { subnets: ["127.1.1.0/24"] }, back: { subnets: ["127.1.2.0/24"] } },
  services: {
    web: {
      networks: ["front", "back"],
      endpoint_mode: "dnsrr",
      tasks: [{ id: "a", address: { front: "127.1.1.1", back: "127.1.2.1" } }],
    },
    db: { networks: ["back"], endpoint_mode: "dnsrr", tasks: ["127.1.2.9"] },
    job: {
      namespace: "shop",
      networks: ["front", "back"],
      endpoint_mode: "dnsrr",
      tasks: [{ id: "j", address: { front: BOTH, back: "127.1.2.2" } }],
    },
    cart: { namespace: "shop", networks: ["back"], endpoint_mode: "dnsrr", tasks: ["127.1.2.3"] },
  },
};

/** What somebody at `from` is told by UDP: the addresses, or the rcode. */
async function told(rota: Rota, from: string, name: string): Promise<string> {
  const socket = createSocket("udp4");
  try {
    socket.bind(0, from);
    await once(socket, "listening");
    const { address, port } = rota.addresses[0] ?? { address: "", port: 0 };
    socket.send(query({ name, type: parseType("A"), flags: 0 }), port, address);
    const [octets]: Buffer[] = await once(socket, "message");
    const reply = octets && readReply(octets);
    const found = reply?.answers.map(({ data }) => data) ?? [];
    return found.length > 0 ? found.join(" ") : (reply?.rcode.name ?? "nothing");
  } finally {
    socket.close();
  }
}

describe("who asks decides what is seen", () => {
  const scope = createScope();
  let rota: Rota;
  let strict: Rota;
  beforeAll(async () => {
    rota = scope.use(await startRota(OPTIONS));
    strict = scope.use(await startRota({ ...OPTIONS, scope: "strict" }));
  });
  afterAll(async () => scope[Symbol.asyncDispose]());

  test.each<[from: string, name: string, all: string, strict: string]>([
    [FRONT, "web", "127.1.1.1", "127.1.1.1"],
    [BACK, "web", "127.1.2.1", "127.1.2.1"],
    [FRONT, "db", "NXDOMAIN", "NXDOMAIN"],
    [BACK, "db", "127.1.2.9", "127.1.2.9"],
    [BOTH, "db", "127.1.2.9", "127.1.2.9"],
    [BOTH, "cart", "127.1.2.3", "127.1.2.3"],
    [BACK, "cart", "NXDOMAIN", "NXDOMAIN"],
    [BOTH, "web.back", "127.1.2.1", "127.1.2.1"],
    [NOWHERE, "db", "127.1.2.9", "NXDOMAIN"],
    [NOWHERE, "web.rota.internal", "127.1.1.1 127.1.2.1", "NXDOMAIN"],
    [NOWHERE, "rota.internal", "NOERROR", "NOERROR"],
    // Nobody is the first from there only: what was told to one is told to no other.
    [FRONT, "db", "NXDOMAIN", "NXDOMAIN"],
  ])("%s asks for %s: %s, under strict %s", async (from, name, all, underStrict) => {
    expect(await told(rota, from, name)).toBe(all);
    expect(await told(strict, from, name)).toBe(underStrict);
  });

  test("a change of networks is seen by who has asked before", async () => {
    await using own = await startRota(OPTIONS);
    expect(await told(own, FRONT, "late")).toBe("NXDOMAIN");
    await own.declare("late", { networks: ["front"], endpoint_mode: "dnsrr", tasks: ["127.1.1.30"] });
    expect(await told(own, FRONT, "late")).toBe("127.1.1.30");
    expect(await told(own, BACK, "late")).toBe("NXDOMAIN");
  });

  test("explain tells what somebody sees, and what is hidden from whom", async () => {
    const outcomes = async (from: string | undefined): Promise<string[]> => {
      const { answers } = await rota.explain("db", { from });
      return answers.map(({ type, clients, outcome }) => `${type} to ${clients}: ${outcome}`);
    };
    expect(await outcomes(BACK)).toEqual([
      `A to ${BACK}, on back: NOERROR`,
      `AAAA to ${BACK}, on back: NODATA`,
    ]);
    expect(await outcomes(BOTH)).toContain(`A to ${BOTH}, on front and back: NOERROR`);
    expect(await outcomes(undefined)).toContain("A to those on no network: NOERROR");
    expect(await outcomes(FRONT)).toEqual([`A to ${FRONT}, on front: NXDOMAIN`]);
    expect((await rota.explain("db", { from: FRONT })).notes).toEqual([
      `the service db is on back, and hidden from ${FRONT}, on front`,
    ]);
    expect((await strict.explain("db", { from: NOWHERE })).answers[0]).toMatchObject({
      clients: `${NOWHERE}, on no network`,
      outcome: "NXDOMAIN",
    });
    expect(await refusalOf(rota.explain("db", { from: "nowhere" }))).toMatch(/^ERR_ROTA_ADDRESS: "nowhere"/);
  });
});
