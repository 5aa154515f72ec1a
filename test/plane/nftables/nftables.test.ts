import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { basename } from "node:path";
import { expect } from "vitest";
import type { Log } from "../../../src/base/log.ts";
import { silentLog } from "../../../src/base/log.ts";
import { checkNftables } from "../../../src/plane/nftables/check.ts";
import { createNftablesPlane } from "../../../src/plane/nftables/nftables.ts";
import type { Duty, Plane, PlaneState } from "../../../src/plane/plane.ts";
import { testNeeding } from "../../needing.ts";
import { createWaiting } from "../../waiting.ts";
import { addressOf, type Ground, type Leaf, NEEDS, openGround } from "./ground.ts";
import { backend, published, service, stateOf, vip } from "./states.ts";

const FAMILIES = [4, 6] as const;
const VIP = { 4: "10.64.0.1", 6: "fd64::1" } as const;

function planeIn(ground: Ground, more: { isCleanup?: boolean; log?: Log } = {}): Plane {
  return createNftablesPlane({ log: silentLog, isCleanup: false, netns: ground.netns, ...more });
}

/** One service of these tasks, by TCP and UDP, at a VIP of each family. */
function web(tasks: Partial<Record<Leaf, Duty>>): PlaneState {
  const frontends = FAMILIES.flatMap((family) =>
    (["tcp", "udp"] as const).map((protocol) => {
      const backends = Object.entries(tasks).map(([leaf, duty]) =>
        backend(addressOf(leaf === "a" ? "a" : "b", family), 8080, { duty }),
      );
      return vip(VIP[family], 80, backends, { protocol });
    }),
  );
  return stateOf(service("web", ...frontends));
}

async function troublesOf(plane: Plane, state: PlaneState): Promise<string[]> {
  const { troubles } = await plane.apply(state);
  return troubles.map(({ message }) => message);
}

for (const family of FAMILIES) {
  testNeeding(NEEDS)(`a UDP flow moves when its task is removed: IPv${family}`, async () => {
    const ground = await openGround(["a", "b", "c"]);
    await using plane = planeIn(ground);
    await Promise.all([ground.serve("a"), ground.serve("b")]);
    await plane.apply(web({ a: "serving" }));
    const flow = ground.ask("c", "udp", VIP[family], 80);
    expect(await flow.say()).toBe(`a ${addressOf("c", family)}`);
    await plane.apply(web({ a: "draining", b: "serving" }));
    expect(await flow.say()).toBe(`a ${addressOf("c", family)}`);
    await plane.apply(web({ b: "serving" }));
    expect(await flow.say()).toBe(`b ${addressOf("c", family)}`);
  });

  testNeeding(NEEDS)(
    `a TCP flow outlives a drain and a replacement of everything: IPv${family}`,
    async () => {
      const ground = await openGround(["a", "b", "c"]);
      const plane = planeIn(ground);
      await Promise.all([ground.serve("a"), ground.serve("b")]);
      await plane.apply(web({ a: "serving" }));
      const flow = ground.ask("c", "tcp", VIP[family], 80);
      expect(await flow.say()).toBe(`a ${addressOf("c", family)}`);
      const draining = web({ a: "draining", b: "serving" });
      await plane.apply(draining);
      await plane[Symbol.asyncDispose](); // or it would put back what it had
      await using next = planeIn(ground); // which knows of nothing, and replaces everything
      await next.apply(draining);
      expect(await flow.say()).toBe(`a ${addressOf("c", family)}`);
      expect(await ground.ask("c", "tcp", VIP[family], 80).say()).toBe(`b ${addressOf("c", family)}`);
      await next.apply(web({ b: "serving" }));
      expect(await flow.say()).toBe("ECONNRESET");
    },
  );
}

testNeeding(NEEDS)("flows that a killed process left with tasks that are gone are ended", async () => {
  const ground = await openGround(["a", "b", "c"]);
  const killed = planeIn(ground);
  await Promise.all([ground.serve("a"), ground.serve("b")]);
  await killed.apply(web({ a: "serving" }));
  const flow = ground.ask("c", "udp", VIP[4], 80);
  expect(await flow.say()).toBe(`a ${addressOf("c", 4)}`);
  await killed[Symbol.asyncDispose](); // or it would put back what it had
  await using next = planeIn(ground);
  await next.apply(web({ b: "serving" }));
  expect(await flow.say()).toBe(`b ${addressOf("c", 4)}`);
});

testNeeding(NEEDS)(
  "a table of others under our name becomes ours, and pools of before are given back",
  async () => {
    const ground = await openGround();
    ground.run("nft", "table inet rota { chain other { }; map vip4 { type ipv4_addr : ipv4_addr; }; }");
    ground.run("ip", "route", "add", "local", "10.99.0.0/16", "dev", "lo", "proto", "76");
    await using plane = planeIn(ground);
    await plane.apply(web({ a: "serving" }));
    expect(ground.run("nft", "list", "table", "inet", "rota")).not.toContain("other");
    expect(ground.run("nft", "list", "map", "inet", "rota", "vip4")).toContain(
      "10.64.0.1 . tcp . 80 : goto vip4-tcp-random-1",
    );
    expect(ground.run("ip", "route", "show", "table", "local", "proto", "76").trim()).toBe(
      "local 10.64.0.0/16 dev lo scope host",
    );
  },
);

const VANDALS: readonly (readonly [what: string, ...command: readonly string[]])[] = [
  ["all tables", "nft", "flush", "ruleset"],
  ["our table", "nft", "delete", "table", "inet", "rota"],
  ["one chain", "nft", "flush", "chain", "inet", "rota", "services"],
  ["one element", "nft", "delete", "element", "inet", "rota", "vip4", "{ 10.64.0.1 . tcp . 80 }"],
];
for (const [what, program = "", ...args] of VANDALS) {
  testNeeding(NEEDS)(`what somebody takes away is put back: ${what}`, async () => {
    const ground = await openGround();
    const waiting = createWaiting();
    const told: string[] = [];
    const tell = (_: object, message: string): void => {
      told.push(message);
      waiting.wake();
    };
    await using plane = planeIn(ground, { log: { ...silentLog, warn: tell, info: tell } });
    await plane.apply(web({ a: "serving" }));
    await plane.apply(web({ b: "serving" })); // what we take away ourselves is no vandalism
    await plane.apply(web({ a: "serving" }));
    const before = listed(ground);
    expect(told).toEqual([]);

    ground.run(program, ...args);
    await waiting.until(() => told.find((message) => message.includes("there again")));
    expect(listed(ground)).toBe(before);
    expect(told).toEqual([
      "somebody took away what Rota had in nftables: it is put back",
      "what was taken away in nftables is there again",
    ]);
  });
}

testNeeding(NEEDS)("a change to a table that is not what was left replaces it", async () => {
  const ground = await openGround();
  await using plane = planeIn(ground);
  await plane.apply(stateOf());
  const other = planeIn(ground);
  await other.apply(stateOf(service("old", vip("10.64.0.9", 80, []))));
  await other[Symbol.asyncDispose](); // or it would put back what it had
  await plane.apply(web({ b: "serving" }));
  expect(listed(ground)).toContain(`${addressOf("b", 4)} . 8080`);
  expect(listed(ground)).not.toContain("10.64.0.9");
});

testNeeding(NEEDS)("what is in the way is told, and keeps nothing else from being carried", async () => {
  const ground = await openGround(["a"]);
  const sysctl = (path: string, value: number): void => {
    ground.run("sh", "-c", `echo ${value} > /proc/sys/net/${path}`);
  };
  const state = web({ a: "serving" });
  const before = planeIn(ground);
  expect(await troublesOf(before, state)).toEqual([]);
  await before[Symbol.asyncDispose](); // it would put back what it had

  sysctl("ipv4/ip_forward", 0);
  sysctl("ipv6/conf/lo/disable_ipv6", 1);
  ground.run("ip", "route", "add", "10.64.7.0/24", "via", addressOf("a", 4));
  await using anew = planeIn(ground);
  expect(await troublesOf(anew, state)).toEqual([
    "10.64.0.0/16 is routed elsewhere (10.64.7.0/24 via 10.61.1.2 dev to-a): its VIPs are not carried; choose other vips, or take that away",
    "IPv6 is off here: nothing of it is carried; sysctl -w net.ipv6.conf.lo.disable_ipv6=0 if tasks are to be reached by it",
    "the kernel forwards nothing, so that only what this machine itself sends reaches tasks: sysctl -w net.ipv4.ip_forward=1",
  ]);
  const more = stateOf(service("web", published(80, [backend(addressOf("a", 4), 8080)])));
  expect((await anew.apply(more)).carried).toBe(1);
  expect(listed(ground)).toContain("tcp . 80 : goto pub4-tcp-random-1");
});

testNeeding(NEEDS)("tasks on a bridge whose traffic goes past the tables are a trouble", async () => {
  const ground = await openGround();
  ground.run("ip", "link", "add", "br0", "type", "bridge");
  ground.run("ip", "address", "add", "10.62.0.1/24", "dev", "br0");
  ground.run("sh", "-c", "for file in /proc/sys/net/bridge/bridge-nf-call-*tables; do echo 0 > $file; done");
  await using plane = planeIn(ground);
  expect(await troublesOf(plane, stateOf(service("web", published(80, [backend("10.62.0.9", 80)]))))).toEqual(
    [
      "what tasks on the bridge br0 (10.62.0.1) answer each other goes past VIPs: modprobe br_netfilter, and sysctl -w net.bridge.bridge-nf-call-iptables=1",
    ],
  );
});

testNeeding(NEEDS)("what is programmed is left, unless it is to be cleaned up", async () => {
  const ground = await openGround();
  for (const isCleanup of [false, true]) {
    const plane = planeIn(ground, { isCleanup });
    await plane.apply(web({ a: "serving" }));
    await plane[Symbol.asyncDispose]();
    await expect(plane.apply(stateOf())).rejects.toMatchObject({ code: "ERR_ROTA_CLOSED" });
    const left =
      ground.run("nft", "list", "tables") +
      ground.run("ip", "route", "show", "table", "local", "proto", "76");
    expect(left).toBe(isCleanup ? "" : "table inet rota\nlocal 10.64.0.0/16 dev lo scope host \n");
  }
});

testNeeding(NEEDS)("of a process that is killed nothing runs on", async () => {
  const ground = await openGround();
  const script = `
    const { createNftablesPlane } = await import(${JSON.stringify(new URL("../../../dist/plane/nftables/nftables.js", import.meta.url).href)});
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const plane = createNftablesPlane({ log, isCleanup: false, netns: ${JSON.stringify(ground.netns)} });
    await plane.apply({ services: new Map(), pools: [], peers: new Map() });
    console.log("applied");`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const pids = (): string =>
    execFileSync("ip", ["netns", "pids", basename(ground.netns)], { encoding: "utf8" });
  expect(pids()).not.toBe("");
  child.kill("SIGKILL");
  await once(child, "exit");
  while (pids() !== "") await new Promise(setImmediate);
});

testNeeding(NEEDS)("what was carried is seen, and who is a stranger to it", async () => {
  const ground = await openGround(["a", "c"]);
  await using plane = planeIn(ground);
  await ground.serve("a");
  await plane.apply(web({ a: "serving" }));
  for (const family of FAMILIES) {
    const flow = ground.ask("c", "tcp", VIP[family], 80);
    await flow.say();
    await flow.say();
  }
  ground.run("nft", "add", "element", "inet", "rota", "vip4", "{ 10.64.0.9 . tcp . 80 : accept }");
  const { services, strangers } = await plane.look();
  const seen = services.flatMap(({ frontends }) =>
    frontends.flatMap(({ frontend, backends }) =>
      backends.map(({ flows, active }) => `${frontend.protocol} ${flows} ${active}`),
    ),
  );
  expect(seen).toEqual(["tcp 1 1", "udp 0 0", "tcp 1 1", "udp 0 0"]);
  expect(strangers).toEqual(["vip4 10.64.0.9 . tcp . 80"]);
});

testNeeding(NEEDS)("where it can be used nothing speaks against it, and nothing is changed", async () => {
  const ground = await openGround();
  expect(await checkNftables({ netns: ground.netns })).toBeUndefined();
  expect(ground.run("nft", "list", "ruleset")).toBe("");
  expect(await checkNftables({ netns: `${ground.netns}-none` })).toMatch(
    /^nft failed: nsenter: cannot open .*-none/,
  );
});

function listed(ground: Ground): string {
  // Serials and handles differ, and so does what has been counted.
  return ground
    .run("nft", "list", "ruleset")
    .replaceAll(/elements = \{ 0x\w+,\s+0x\w+ \}|packets \d+ bytes \d+/g, "");
}
