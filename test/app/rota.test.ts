import { setImmediate } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { type Rota, type RotaOptions, type ServicesChange, startRota } from "../../src/index.ts";
import { createScope } from "../../src/base/scope.ts";
import { asking } from "./asking.ts";
import { refusalOf } from "./refusal.ts";

let scope = createScope();
afterEach(async () => {
  await scope[Symbol.asyncDispose]();
  scope = createScope();
});

/** Started for one test. */
async function started(options?: RotaOptions): Promise<Rota> {
  return scope.use(await startRota(options));
}

describe("what is declared from code", () => {
  test("is there in the very next query", async () => {
    const rota = await started();
    const ask = asking(rota);
    expect(await ask.addresses("web")).toBe("ENOTFOUND");
    for (let count = 1; count <= 50; count++) {
      const tasks = Array.from({ length: count }, (_, at) => `10.0.0.${at + 1}`);
      await rota.declare("web", { endpoint_mode: "dnsrr", tasks });
      expect(await ask.addresses("web")).toEqual(tasks.toSorted());
    }
  });

  test("has a VIP, which the declaration tells, and keeps it", async () => {
    const rota = await started();
    const ask = asking(rota);
    const { vips } = await rota.declare("web", { tasks: ["127.0.1.1"] });
    expect(await ask.addresses("web")).toEqual(vips.map(({ address }) => address));
    expect(await ask.addresses("tasks.web")).toEqual(["127.0.1.1"]);

    await rota.declare("web", { endpoint_mode: "dnsrr", tasks: ["127.0.1.2"] });
    expect(await ask.addresses("web")).toEqual(["127.0.1.2"]);

    expect((await rota.declare("web", { tasks: [] })).vips).toEqual(vips);
    expect(await ask.addresses("tasks.web")).toBe("ENODATA");
  });

  test("is gone from the very next query once it is withdrawn", async () => {
    const rota = await started();
    const ask = asking(rota);
    await rota.declare("cart", { namespace: "shop", endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] });
    expect(await ask.addresses("cart.shop")).toEqual(["10.0.0.1"]);
    expect(await rota.withdraw("cart")).toBe(false);
    expect(await rota.withdraw("cart.shop")).toBe(true);
    expect(await ask.addresses("cart.shop.rota.internal")).toBe("ENOTFOUND");
    expect(await rota.withdraw("cart.shop")).toBe(false);
  });

  test("is told whole: names, ports, tasks", async () => {
    const rota = await started();
    const state = await rota.declare("web", {
      namespace: "shop",
      aliases: ["www"],
      endpoint_mode: "dnsrr",
      ttl: "1m",
      ports: ["80:8080"],
      labels: { team: "shop" },
      tasks: ["10.0.0.1", { id: "b", slot: 2, address: "10.0.0.2:9090", weight: 3 }],
    });
    expect(state).toMatchObject({
      name: "web.shop",
      origin: "rota.declare",
      aliases: ["www"],
      endpointMode: "dnsrr",
      vips: [],
      vipProblem: undefined,
      ttl: 60,
      ports: [{ name: "8080", protocol: "tcp", target: 8080, port: 8080, published: 80 }],
      labels: ["team=shop"],
      tasks: [
        { id: "10-0-0-1", slot: undefined, weight: 1, verdict: "unchecked", isServing: true },
        { id: "b", slot: 2, weight: 3, addresses: [{ network: "default", address: "10.0.0.2" }] },
      ],
    });
    expect(rota.services()).toEqual([state]);
    expect(await asking(rota).ports("_8080._tcp.web.shop")).toEqual([
      "10-0-0-1.web.shop.rota.internal:8080",
      "b.web.shop.rota.internal:9090",
    ]);
  });
});

describe("a verdict on a task", () => {
  test.each([
    [["failing"], "ENODATA"],
    [["starting"], "ENODATA"],
    [["failing", "passing"], ["10.0.0.1"]],
    [["starting", "passing"], ["10.0.0.1"]],
  ] as const)("%j: its service answers %j", async (verdicts, expected) => {
    const rota = await started();
    const ask = asking(rota);
    await rota.declare("web", { endpoint_mode: "dnsrr", tasks: [{ id: "a", address: "10.0.0.1" }] });
    for (const verdict of verdicts) await rota.report("web", "a", verdict);
    expect(await ask.addresses("web")).toEqual(expected);
    // Its own name leads to it all the same: peers find each other while they start.
    expect(await ask.addresses("a.web")).toEqual(["10.0.0.1"]);
  });

  test("outlives a declaration that leaves the task where it is", async () => {
    const rota = await started();
    const declare = async (address: string): Promise<string | undefined> => {
      const { tasks } = await rota.declare("web", { tasks: [{ id: "a", address }] });
      return tasks[0]?.verdict;
    };
    await declare("10.0.0.1");
    await rota.report("web", "a", "failing");
    expect(await declare("10.0.0.1")).toBe("failing");
    expect(await declare("10.0.0.2")).toBe("unchecked");
  });

  test.each([
    ["web", "b", "could not report on task b of service web: there is no such task; its tasks are a"],
    ["shop", "a", "could not report on task a of service shop: there is no such service"],
  ])("on %s's task %s is refused", async (service, task, message) => {
    const rota = await started({ services: { web: { tasks: [{ id: "a", address: "10.0.0.1" }] } } });
    expect(await refusalOf(rota.report(service, task, "passing"))).toBe(`ERR_ROTA_DECLARATION: ${message}`);
  });
});

describe("who follows", () => {
  test("hears of each change, with before and after, before it is awaited", async () => {
    const rota = await started();
    const heard = follow(rota);
    const first = await rota.declare("web", { tasks: ["10.0.0.1"] });
    const second = await rota.declare("web", { tasks: ["10.0.0.2"] });
    await rota.declare("api", { tasks: ["10.0.0.3"] });
    await rota.withdraw("web");
    expect(heard.map(({ services }) => services.map(named))).toEqual([
      [[undefined, "web"]],
      [["web", "web"]],
      [[undefined, "api"]],
      [["web", undefined]],
    ]);
    expect(heard[1]?.services).toEqual([{ before: first, after: second }]);
    const serials = heard.map(({ serial }) => serial);
    expect(serials).toEqual(serials.map((_, at) => (serials[0] ?? 0) + at));
  });

  test("hears nothing of what changes nothing, and nothing after the signal", async () => {
    const rota = await started();
    await rota.declare("web", { tasks: [{ id: "a", address: "10.0.0.1" }] });
    await rota.report("web", "a", "passing");
    const ends = new AbortController();
    const heard = follow(rota, ends.signal);
    await rota.report("web", "a", "passing");
    await rota.withdraw("api");
    expect(heard).toEqual([]);
    ends.abort();
    await rota.withdraw("web");
    expect(heard).toEqual([]);
  });

  test("and throws keeps no change from the others, and is told in the log", async () => {
    const told: string[] = [];
    const tell = (_: object, message: string): void => void told.push(message);
    const rota = await started({ log: { debug: tell, info: tell, warn: tell, error: tell } });
    rota.follow(() => {
      throw new Error("no paper");
    });
    rota.follow(async () => {
      throw new Error("no ink");
    });
    const heard = follow(rota);
    const state = await rota.declare("web", { endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] });
    expect(heard).toHaveLength(1);
    expect(rota.services()).toEqual([state]);
    expect(await asking(rota).addresses("web")).toEqual(["10.0.0.1"]);
    expect(told).toContain("a follower of changes failed: no paper");
    expect(told).toContain("a follower of changes failed: no ink");
  });
});

test("any number may follow, and nobody warns of it", async () => {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on("warning", note);
  const rota = await started();
  const heard: number[] = [];
  for (let follower = 0; follower < 30; follower++) rota.follow(() => heard.push(follower));
  await rota.declare("web", { tasks: ["10.0.0.1"] });
  await setImmediate();
  process.off("warning", note);
  expect(heard).toEqual(Array.from({ length: 30 }, (_, follower) => follower));
  expect(warnings).toEqual([]);
});

describe("options", () => {
  test("services and networks: there from the start", async () => {
    const rota = await started({
      networks: { frontend: { subnets: ["10.0.1.0/24"], vips: "10.0.1.128/25" } },
      services: {
        web: { networks: ["frontend"], tasks: ["10.0.1.11"] },
        api: { endpoint_mode: "dnsrr", tasks: ["10.0.2.1", "fd00::1"] },
      },
    });
    const ask = asking(rota);
    expect(await ask.addresses("web")).toEqual([expect.stringMatching(/^10\.0\.1\.(?:129|1[3-9]\d|2\d\d)$/)]);
    expect(await ask.addresses("api", "AAAA")).toEqual(["fd00::1"]);
    // Declarations from code may name the same networks.
    await rota.declare("blog", { networks: ["frontend"], tasks: ["10.0.1.12"] });
    expect(await ask.addresses("blog")).toEqual([expect.stringMatching(/^10\.0\.1\./)]);
  });

  test("zone: what stands above all names", async () => {
    const rota = await started({ zone: "Svc.Example", services: { web: { tasks: ["10.0.0.1"] } } });
    expect(rota.zone).toBe("svc.example.");
    const ask = asking(rota);
    expect(await ask.addresses("tasks.web.svc.example")).toEqual(["10.0.0.1"]);
    expect(await ask.addresses("tasks.web.rota.internal")).toBe("EREFUSED");
  });

  test.each([
    [undefined, "EREFUSED"],
    ["refused", "EREFUSED"],
    ["nxdomain", "ENOTFOUND"],
    ["servfail", "ESERVFAIL"],
  ] as const)("outside: %s answers %s for what is not ours", async (outside, code) => {
    expect(await asking(await started({ outside })).addresses("example.org")).toBe(code);
  });

  test("listen: each address, over each transport that it names", async () => {
    const rota = await started({ listen: ["udp://127.0.0.1:0", "tcp://127.0.0.2:0", "127.0.0.3:0"] });
    const told = rota.addresses.map(({ transport, address }) => `${transport} ${address}`);
    expect(told).toEqual(["udp 127.0.0.1", "tcp 127.0.0.2", "udp 127.0.0.3", "tcp 127.0.0.3"]);
    const [, , udp, tcp] = rota.addresses;
    expect(udp?.port).toBe(tcp?.port);
  });

  test("listen: its own name does not lead to where only proxies are heard", async () => {
    const rota = await started({ listen: ["127.0.0.1:0", "proxy://127.0.0.2:0", "127.0.0.3:0"] });
    expect(await asking(rota).addresses("ns.rota.internal")).toEqual(["127.0.0.1", "127.0.0.3"]);
  });

  test("two Rotas in one process know nothing of each other", async () => {
    const one = await started({ services: { web: { endpoint_mode: "dnsrr", tasks: ["10.0.0.1"] } } });
    const other = await started({ services: { web: { endpoint_mode: "dnsrr", tasks: ["10.0.0.2"] } } });
    await other.declare("api", { endpoint_mode: "dnsrr", tasks: ["10.0.0.3"] });
    await one.close();
    expect(await asking(other).addresses("web")).toEqual(["10.0.0.2"]);
    expect(await asking(other).addresses("api")).toEqual(["10.0.0.3"]);
  });
});

function follow(rota: Rota, signal?: AbortSignal): ServicesChange[] {
  const heard: ServicesChange[] = [];
  rota.follow((change) => heard.push(change), signal);
  return heard;
}

function named({ before, after }: ServicesChange["services"][number]): (string | undefined)[] {
  return [before?.name, after?.name];
}
