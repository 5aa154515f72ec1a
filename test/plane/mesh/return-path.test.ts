import { expect } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { systemTimers, type Timers } from "../../../src/base/timers.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { createReturnPath, type ReturnPathOptions } from "../../../src/plane/mesh/return-path.ts";
import type { Peer, Trouble } from "../../../src/plane/plane.ts";
import { until } from "./until.ts";
import { testNeeding } from "../../needing.ts";
import { type Node, openPair } from "./pair.ts";

const testReally = testNeeding({ root: true, programs: ["ip", "nft", "nsenter", "unshare", "ping"] });

const NOBODY = new Map<string, Peer>();
const N2 = peer("n2", "10.99.0.2", "fd99::2");

testReally("What is left of an earlier run goes, what others made stays", async () => {
  await using pair = await openPair();
  const { one } = pair;
  await one.run(`
    nft 'table inet rota-mesh { chain stale { type filter hook input priority 0; }; }; table inet theirs {}'
    ip rule add fwmark 0x526fffff lookup 0x526fffff priority 21103
    ip -6 rule add fwmark 0x526fffff lookup 0x526fffff priority 21103
    ip route add 192.0.2.0/24 via 10.99.0.2 table 0x526fffff protocol 76
    ip rule add fwmark 0x1 lookup 100; ip route add 192.0.2.0/24 via 10.99.0.2 table 100 protocol 76`);
  await using path = createReturnPath({ ...options(one), isCleanup: true });

  const troubles = await path.apply(N2);
  expect(troubles).toEqual([]);
  const [mark = ""] = /0x526f[0-9a-f]{4}/.exec(await one.run("ip rule")) ?? [];
  expect(mark).not.toBe("0x526fffff");
  expect(await present(one)).toEqual([
    "fwmark 0x1 lookup 100",
    `fwmark ${mark} lookup ${Number(mark)}`,
    `-6 fwmark ${mark} lookup ${Number(mark)}`,
    "192.0.2.0/24 table 100",
    `default table ${Number(mark)}`,
    `-6 default table ${Number(mark)}`,
    "table inet rota-mesh",
    "table inet theirs",
  ]);
  expect(await one.run("nft list table inet rota-mesh")).not.toContain("stale");

  expect(await path.apply(NOBODY)).toEqual([]);
  const theirs = ["fwmark 0x1 lookup 100", "192.0.2.0/24 table 100", "table inet theirs"];
  expect(await present(one)).toEqual(theirs);

  await path.apply(N2);
  expect((await present(one)).length).toBe(8);
  await path[Symbol.asyncDispose]();
  expect(await present(one)).toEqual(theirs);
});

testReally("Without clean-up it stays, for connections that are open", async () => {
  await using pair = await openPair();
  const path = createReturnPath(options(pair.one));
  await path.apply(N2);
  const before = await present(pair.one);
  await path[Symbol.asyncDispose]();
  expect(before).toHaveLength(5);
  expect(await present(pair.one)).toEqual(before);
  await expect(path.apply(NOBODY)).rejects.toThrow("they were closed");
});

testReally("A peer that has another network card is known by that, and flows keep their mark", async () => {
  await using pair = await openPair();
  const { one, other } = pair;
  await using path = createReturnPath(options(one));
  await path.apply(N2);
  const marks = await one.run("ip rule");
  await other.run("ip link set eth0 address 02:00:00:00:00:99; ping -q -c 1 -W 5 10.99.0.1");
  await until(async () =>
    (await one.run("nft list map inet rota-mesh senders")).includes("02:00:00:00:00:99"),
  );
  expect(await one.run("ip rule")).toBe(marks);
});

testReally(
  "A peer that is silent is a trouble, until it answers, and keeps its way when it is silent again",
  async () => {
    await using pair = await openPair();
    const { one, other } = pair;
    const hand = byHand();
    const changes: (readonly Trouble[])[] = [];
    await using path = createReturnPath({
      ...options(one),
      timers: hand.timers,
      onChange: (troubles) => changes.push(troubles),
    });
    const troubles = await path.apply(peer("n7", "10.99.0.7"));
    expect(troubles.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^clients' addresses are not kept towards n7 \(10\.99\.0\.7\): it does not answer on eth0/,
      ),
    ]);
    expect(await present(one)).toEqual([]);

    await other.run("ip address add 10.99.0.7/24 dev eth0; ping -q -c 1 -W 5 -I 10.99.0.7 10.99.0.1");
    await until(async () => changes.length > 0);
    expect(changes).toEqual([[]]);
    const before = await present(one);
    expect(before).toHaveLength(3);

    await one.run("ip neigh flush dev eth0");
    await other.run("ip address del 10.99.0.7/24 dev eth0");
    hand.turn();
    await until(async () => hand.isWaiting());
    expect(await present(one)).toEqual(before);
    expect(changes).toHaveLength(1);
  },
);

testReally("What somebody takes away is there again after the next look", async () => {
  await using pair = await openPair();
  const { one } = pair;
  const hand = byHand();
  await using path = createReturnPath({ ...options(one), timers: hand.timers });
  await path.apply(N2);
  const before = await present(one);
  await one.run("nft flush ruleset; ip rule del priority 21103; ip -6 rule del priority 21103");
  hand.turn();
  await until(async () => hand.isWaiting());
  expect(await present(one)).toEqual(before);
});

testReally("The only peer in a tunnel is known by the tunnel", async () => {
  await using pair = await openPair();
  // Without ARP, as in WireGuard's, who is meant does not stand in a frame.
  await pair.one.run(`ip link add t0 type veth peer name t0 netns ${pair.other.pid}`);
  await pair.one.run("ip link set t0 arp off up; ip address add 10.8.0.1/24 dev t0");
  await using path = createReturnPath(options(pair.one));
  const troubles = await path.apply(peer("n2", "10.8.0.2"));
  expect(troubles).toEqual([]);
  expect(await pair.one.run("nft list map inet rota-mesh tunnels")).toMatch(/"t0" : 0x526f/);
  expect(await pair.one.run("ip route show table all protocol 76")).toMatch(/^default dev t0 table /);

  const both = new Map([...peer("n2", "10.8.0.2"), ...peer("n3", "10.8.0.3")]);
  const shared = await path.apply(both);
  expect(shared.map(({ message }) => message)).toEqual([expect.stringMatching(/n2, n3.* interface t0/)]);
  expect(await present(pair.one)).toEqual([]);
});

testReally("Without IPv6 the IPv4 half stands, and the other is a trouble", async () => {
  await using pair = await openPair();
  await pair.one.run("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
  await using path = createReturnPath(options(pair.one));
  const troubles = await path.apply(N2);
  expect(await pair.one.run("nft list set inet rota-mesh hops4")).toContain('"eth0" . 10.99.0.2');
  expect(await pair.one.run("nft list set inet rota-mesh hops6")).not.toContain("fd99::2");
  expect(troubles.map(({ message }) => message)).toEqual([
    expect.stringMatching(/\(fd99::2\): no route leads there/),
  ]);
});

testReally("A strict reverse path filter is named, where clients come by another interface", async () => {
  await using pair = await openPair();
  await pair.one.run("echo 1 > /proc/sys/net/ipv4/conf/eth0/rp_filter");
  await using path = createReturnPath(options(pair.one));
  const troubles = await path.apply(N2);
  expect(troubles.map(({ message }) => message)).toEqual([
    expect.stringContaining("sysctl -w net.ipv4.conf.eth0.rp_filter=2"),
  ]);
  await pair.one.run("ip route add default via 10.99.0.2");
  expect(await path.apply(peer("n2", "10.99.0.2"))).toEqual([]);
});

testReally("An interface with a dot in its name is named as sysctl takes it", async () => {
  await using pair = await openPair();
  await pair.one.run(`ip link set eth0 down; ip link set eth0 name eth0.5; ip link set eth0.5 up
    ip address show dev eth0.5 | grep -q fd99::1 || ip address add fd99::1/64 dev eth0.5
    echo 1 > /proc/sys/net/ipv4/conf/eth0.5/rp_filter`);
  await using path = createReturnPath(options(pair.one));
  const troubles = await path.apply(peer("n2", "10.99.0.2"));
  const [, command = ""] = /: (sysctl -w \S+)$/.exec(troubles[0]?.message ?? "") ?? [];
  await pair.one.run(command);
  expect(await pair.one.run("cat /proc/sys/net/ipv4/conf/eth0.5/rp_filter")).toBe("2\n");
});

testReally("An interface whose name could be read as a command is left out", async () => {
  await using pair = await openPair();
  await pair.one.run(`ip link set eth0 name 'e";$(reboot)'`);
  await using path = createReturnPath(options(pair.one));
  const troubles = await path.apply(peer("n2", "10.99.0.2"));
  expect(troubles.map(({ message }) => message)).toEqual([
    expect.stringContaining(`its interface "e";$(reboot)" cannot be used`),
  ]);
  expect(await present(pair.one)).toEqual([]);
});

testReally("Redirects are told of once a link", async () => {
  await using pair = await openPair();
  const told: string[] = [];
  const log = { ...silentLog, info: (_fields: object, message: string) => void told.push(message) };
  await using path = createReturnPath({ ...options(pair.one), log });
  await path.apply(N2);
  await path.apply(NOBODY);
  await path.apply(N2);
  expect(told).toEqual([expect.stringContaining("sysctl -w net.ipv4.conf.eth0.send_redirects=0")]);
});

function options({ netns }: Node): ReturnPathOptions {
  return { log: silentLog, isCleanup: false, netns };
}

function peer(name: string, ...addresses: readonly string[]): Map<string, Peer> {
  return new Map([[name, { addresses: addresses.map(parseAddress) }]]);
}

/** Rules, routes and tables besides those that each namespace has, in few words. */
async function present(node: Node): Promise<string[]> {
  const rules = async (family: string): Promise<string[]> =>
    found(await node.run(`ip ${family} rule`), /fwmark \S+ lookup \S+/g);
  const routes = async (family: string): Promise<string[]> =>
    [
      ...(await node.run(`ip ${family} route show table all protocol 76`)).matchAll(/^(\S+) .*(table \S+)/gm),
    ].map(([, to, table]) => `${to} ${table}`);
  const six = (lines: readonly string[]): string[] => lines.map((line) => `-6 ${line}`);
  return [
    ...(await rules("-4")).toSorted(),
    ...six(await rules("-6")),
    ...(await routes("-4")).toSorted(),
    ...six(await routes("-6")),
    ...found(await node.run("nft list tables"), /^table .*$/gm).toSorted(),
  ];
}

function found(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([whole]) => whole);
}

/** Timers of which the long ones wait until the test turns them. */
function byHand(): { timers: Timers; turn: () => void; isWaiting: () => boolean } {
  let waiting: (() => void) | undefined;
  return {
    timers: {
      ...systemTimers,
      after(ms, call) {
        if (ms < 10_000) return systemTimers.after(ms, call);
        waiting = call;
        return () => {
          waiting = undefined;
        };
      },
    },
    turn() {
      const call = waiting;
      waiting = undefined;
      call?.();
    },
    isWaiting: () => waiting !== undefined,
  };
}
