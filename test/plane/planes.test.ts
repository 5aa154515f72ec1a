import { describe, expect, test } from "vitest";
import { silentLog } from "../../src/base/log.ts";
import { formatAddress, parseAddress, parseSubnet } from "../../src/model/address.ts";
import type { Frontend, PlaneKind, PlaneService, PlaneState, Report } from "../../src/plane/plane.ts";
import { createPlanes, type PlaneChoice, type Planes, type PlanesState } from "../../src/plane/planes.ts";

/** A plane that carries whatever it is given, and remembers it. */
interface Recorded {
  readonly kind: PlaneKind;
  readonly netns: string | undefined;
  readonly states: PlaneState[];
  isOpen: boolean;
}

interface Stage {
  readonly planes: Planes;
  readonly made: Recorded[];
  /** To which peers the way back was shown, and that this has ended. */
  readonly backs: readonly string[];
  /** What each plane was brought to last: `nftables 10.64.0.2:80 published:80`. */
  carried(): string[];
}

interface StageOptions {
  /** Why none of the kernel's can be had, when it is asked for. */
  readonly unusable?: string | (() => string | undefined);
  /** What becomes of each try to be the only one. */
  readonly claims?: readonly "taken"[];
  readonly report?: (kind: PlaneKind, state: PlaneState) => Report;
  /** Called when one of them is closed. */
  readonly close?: (netns: string | undefined) => void;
}

function stage(choice: PlaneChoice, { unusable, report, close, claims = [] }: StageOptions = {}): Stage {
  let claimed = 0;
  const made: Recorded[] = [];
  const backs: string[] = [];
  const planes = createPlanes(
    { choice, isCleanup: false, log: silentLog },
    {
      check: async () => (typeof unusable === "function" ? unusable() : unusable),
      claim: async () => (claims[claimed++] === "taken" ? "taken" : { async [Symbol.asyncDispose]() {} }),
      namespaces: {
        idAt: async (path) => path,
        open: async (path) => ({ path, id: path, async [Symbol.asyncDispose]() {} }),
      },
      makeReturnPath: () => ({
        async apply(peers) {
          backs.push([...peers.keys()].join(" "));
          return [];
        },
        async [Symbol.asyncDispose]() {
          backs.push("closed");
        },
      }),
      make(kind, { netns }) {
        const recorded: Recorded = { kind, netns, states: [], isOpen: true };
        made.push(recorded);
        return {
          kind,
          async apply(state) {
            recorded.states.push(state);
            return report?.(kind, state) ?? { carried: state.services.size, troubles: [] };
          },
          look: async () => ({ kind, services: [], strangers: [] }),
          async [Symbol.asyncDispose]() {
            recorded.isOpen = false;
            close?.(netns);
          },
        };
      },
    },
  );
  return {
    planes,
    made,
    backs,
    carried: () =>
      made.map(({ kind, netns, states }) => {
        const services = [...(states.at(-1)?.services.values() ?? [])];
        const places = services.flatMap(({ frontends }) => frontends.map(placeOf));
        return [kind, ...(netns === undefined ? [] : [netns]), ...places].join(" ");
      }),
  };
}

function placeOf(frontend: Frontend): string {
  return frontend.kind === "published"
    ? `published:${frontend.port}`
    : `${formatAddress(frontend.vip)}:${frontend.port}`;
}

const COMMON = {
  protocol: "tcp",
  balance: "weighted",
  affinityMs: 0,
  proxyProtocol: 0,
  backends: [],
} as const;

function vip(address: string, network = "front"): PlaneService {
  const vip = parseAddress(address);
  return { name: "web", vips: [vip], frontends: [{ ...COMMON, kind: "vip", vip, network, port: 80 }] };
}

const published = (port: number, proxyProtocol: 0 | 2 = 0): PlaneService => ({
  name: "web",
  vips: [],
  frontends: [{ ...COMMON, kind: "published", port, proxyProtocol }],
});

function stateOf(
  services: readonly PlaneService[],
  namespaces: PlanesState["namespaces"] = new Map(),
): PlanesState {
  return {
    services: new Map(services.map((service, at) => [`file:web#${at}`, service])),
    pools: [parseSubnet("127.64.0.0/16"), parseSubnet("10.64.0.0/16")],
    peers: new Map(),
    namespaces,
  };
}

describe("who carries what", () => {
  test.each<[PlaneChoice, string[]]>([
    ["none", []],
    ["userspace", ["userspace 127.64.0.2:80 10.64.0.2:80 published:80 published:81"]],
    ["nftables", ["userspace 127.64.0.2:80 published:80 published:81", "nftables 10.64.0.2:80 published:80"]],
    ["auto", ["userspace 127.64.0.2:80 published:80 published:81", "nftables 10.64.0.2:80 published:80"]],
    ["ipvs", ["userspace 127.64.0.2:80 published:80 published:81", "ipvs 10.64.0.2:80 published:80"]],
  ])("with %s", async (choice, expected) => {
    const { planes, carried } = stage(choice);
    await planes.apply(stateOf([vip("127.64.0.2"), vip("10.64.0.2"), published(80), published(81, 2)]));
    expect(carried()).toEqual(expected);
  });

  test("the kernel is left as it is while there is nothing for it", async () => {
    const { planes, carried } = stage("auto");
    await planes.apply(stateOf([vip("127.64.0.2")]));
    expect(carried()).toEqual(["userspace 127.64.0.2:80"]);
    await planes.apply(stateOf([vip("127.64.0.2"), vip("10.64.0.2")]));
    await planes.apply(stateOf([vip("127.64.0.2")]));
    expect(carried()).toEqual(["userspace 127.64.0.2:80", "nftables"]);
  });

  test("a process does where nftables cannot be had, and only who asked for it is told", async () => {
    const unusable = "nft is not installed: apt-get install nftables";
    const auto = stage("auto", { unusable });
    const report = await auto.planes.apply(stateOf([vip("10.64.0.2")]));
    expect(auto.carried()).toEqual(["userspace 10.64.0.2:80"]);
    expect(report.troubles).toEqual([]);
    const chosen = stage("nftables", { unusable });
    const { troubles } = await chosen.planes.apply(stateOf([vip("10.64.0.2")]));
    expect(troubles).toEqual([
      { service: undefined, message: `could not use the plane nftables: ${unusable}` },
    ]);
  });

  test("who asked for the kernel gets it once it can be had", async () => {
    let unusable: string | undefined = "nft is not installed: apt-get install nftables";
    const { planes, carried } = stage("nftables", { unusable: () => unusable });
    const state = stateOf([vip("10.64.0.2")]);
    await planes.apply(state);
    expect(carried()).toEqual(["userspace 10.64.0.2:80"]);
    unusable = undefined;
    expect((await planes.apply(state)).troubles).toEqual([]);
    expect(carried()).toEqual(["userspace", "nftables 10.64.0.2:80"]);
  });

  test("a published port that somebody else has is not taken from him by the kernel", async () => {
    const { planes, carried } = stage("nftables", {
      report: (kind, { services }) => {
        const taken = [...services.values()].flatMap(({ frontends }) =>
          kind === "userspace" ? frontends.filter(({ port }) => port === 80) : [],
        );
        return {
          carried: 0,
          troubles: taken.map((frontend) => ({ service: "file:web", frontend, message: "nginx has it" })),
        };
      },
    });
    const report = await planes.apply(stateOf([published(80), published(81)]));
    expect(carried()).toEqual(["userspace published:80 published:81", "nftables published:81"]);
    expect(report.troubles.map(({ message }) => message)).toEqual(["nginx has it"]);
  });

  test("what does not change stays the same object in each of them", async () => {
    const { planes, made } = stage("nftables");
    const services = [vip("127.64.0.2"), vip("10.64.0.2"), published(80)];
    await planes.apply(stateOf(services));
    await planes.apply(stateOf(services));
    for (const { kind, states } of made) {
      const [first, second] = states.map((state) => Array.from(state.services.values()));
      expect(
        second?.every((service, at) => service === first?.[at]),
        kind,
      ).toBe(true);
    }
  });
});

describe("in a namespace", () => {
  const BLUE = "/run/netns/blue";
  const services = [vip("10.64.0.2", "front"), vip("10.65.0.2", "back"), vip("127.64.0.2"), published(80)];

  test("VIPs are carried, of the networks that are seen there", async () => {
    const { planes, carried } = stage("nftables");
    await planes.apply(stateOf(services, new Map([[BLUE, new Set(["front"])]])));
    expect(carried().slice(2)).toEqual([`nftables ${BLUE} 10.64.0.2:80`]);
  });

  test("all of them, where nobody says which", async () => {
    const { planes, carried } = stage("nftables");
    await planes.apply(stateOf(services, new Map([[BLUE, undefined]])));
    expect(carried().slice(2)).toEqual([`nftables ${BLUE} 10.64.0.2:80 10.65.0.2:80`]);
  });

  test("until it is gone", async () => {
    const { planes, made } = stage("nftables");
    await planes.apply(stateOf(services, new Map([[BLUE, undefined]])));
    await planes.apply(stateOf(services));
    expect(made.map(({ netns, isOpen }) => [netns, isOpen])).toEqual([
      [undefined, true],
      [undefined, true],
      [BLUE, false],
    ]);
  });

  test("one that cannot be cleaned up is a trouble, and keeps no other from being closed", async () => {
    const { planes, made } = stage("nftables", {
      close(netns) {
        if (netns === BLUE) throw new Error("there is no such namespace any more");
      },
    });
    const RED = "/run/netns/red";
    const both = new Map([BLUE, RED].map((netns) => [netns, undefined]));
    await planes.apply(stateOf(services, both));
    const { troubles } = await planes.apply(stateOf(services));
    expect(troubles.map(({ message }) => message)).toEqual([
      `in the namespace ${BLUE}: there is no such namespace any more`,
    ]);
    await planes.apply(stateOf(services, both));
    await expect(planes[Symbol.asyncDispose]()).rejects.toThrow("there is no such namespace any more");
    expect(made.filter(({ isOpen }) => isOpen)).toEqual([]);
  });

  test("what goes wrong says where", async () => {
    const { planes } = stage("userspace", {
      report: (kind) => {
        if (kind === "nftables") throw new Error("no such namespace");
        return { carried: 0, troubles: [] };
      },
    });
    const { troubles } = await planes.apply(stateOf(services, new Map([[BLUE, undefined]])));
    expect(troubles).toEqual([
      { service: undefined, message: `in the namespace ${BLUE}: no such namespace` },
    ]);
  });
});

test("other nodes are shown the way back where the kernel carries, and only there", async () => {
  const alone = stateOf([vip("10.64.0.2")]);
  const state = { ...alone, peers: new Map([["n2", { addresses: [] }]]) };
  for (const [choice, expected] of [
    ["nftables", ["", "n2", "", "closed"]],
    ["ipvs", ["n2", "", "closed"]], // by nft, which it can do without as long as there is nobody
    ["userspace", []],
  ] as const) {
    const { planes, backs } = stage(choice);
    await planes.apply(alone);
    await planes.apply(state);
    await planes.apply(alone);
    await planes[Symbol.asyncDispose]();
    expect(backs, choice).toEqual(expected);
  }
});

test("that another Rota programs the kernel is told until it ends", async () => {
  const { planes } = stage("nftables", { claims: ["taken"] });
  const state = stateOf([vip("10.64.0.2")]);
  const told = async (): Promise<string[]> =>
    (await planes.apply(state)).troubles.map(({ message }) => message);
  expect(await told()).toEqual([expect.stringMatching(/^another Rota programs the kernel here, too/)]);
  expect(await told()).toEqual([]);
});

test("all are closed at the end", async () => {
  const { planes, made } = stage("nftables");
  await planes.apply(stateOf([vip("10.64.0.2")], new Map([["/run/netns/blue", undefined]])));
  await planes[Symbol.asyncDispose]();
  expect(made.map(({ isOpen }) => isOpen)).toEqual([false, false, false]);
});
