import { expect, vi } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { systemTimers } from "../../../src/base/timers.ts";
import { runnerIn } from "../../../src/plane/command.ts";
import { createKernel, type Kernel } from "../../../src/plane/nftables/kernel.ts";
import { createMonitor } from "../../../src/plane/nftables/monitor.ts";
import { render, type Ruleset } from "../../../src/plane/nftables/ruleset.ts";
import { OPEN_TERRAIN } from "../../../src/plane/nftables/terrain.ts";
import { testNeeding } from "../../needing.ts";
import { addressOf, type Ground, type Leaf, NEEDS, openGround } from "./ground.ts";
import { backend, service, stateOf, vip } from "./states.ts";

// Each commit takes some 30 ms beside a flood, and CI has others to do.
vi.setConfig({ testTimeout: 120_000 });

const VIP = "10.64.0.1";

/** A port of a VIP that leads to leaf `a` as so many tasks: another number is another class. */
function led(tasks: number): Ruleset {
  const backends = Array.from({ length: tasks }, (_, at) => backend(addressOf("a", 4), 8080 + at));
  const frontends = (["tcp", "udp"] as const).map((protocol) => vip(VIP, 80, backends, { protocol }));
  return render(stateOf(service("web", ...frontends)), OPEN_TERRAIN);
}

/** The table of a process that has just begun, and knows of none before. */
function openKernel(ground: Ground): Kernel {
  const wrapper = ["nsenter", `--net=${ground.netns}`];
  const ignore = (): void => {};
  const monitor = createMonitor({
    log: silentLog,
    timers: systemTimers,
    wrapper,
    touched: ignore,
    missed: ignore,
  });
  return createKernel(runnerIn(wrapper), monitor);
}

const HOOKS: readonly (readonly [hook: string, from: Leaf | "r", saw: string])[] = [
  ["prerouting", "c", addressOf("c", 4)],
  ["output", "r", "10.61.1.1"],
  // Else it would have come from the VIP.
  ["postrouting", "r", "10.61.1.1"],
];
for (const [hook, from, saw] of HOOKS) {
  testNeeding(NEEDS)(`who finds nothing in the chain ${hook} is led by the one behind it`, async () => {
    const ground = await openGround(["a", "c"]);
    await ground.serve("a");
    await openKernel(ground).replace(led(1));
    ground.run("ip", "route", "add", "local", "10.64.0.0/16", "dev", "lo");
    ground.run("nft", "flush", "chain", "inet", "rota", hook);
    for (const protocol of ["tcp", "udp"] as const) {
      expect(await ground.ask(from, protocol, VIP, 80).say()).toBe(`a ${saw}`);
    }
  });
}

/** Sees each datagram once it is led, or is not, and drops it: so the next is the first of a flow again. */
const PROBE = `table inet probe {
  counter led { }
  counter lost { }
  chain input {
    type filter hook input priority -300
    ip daddr 10.64.0.0/16 udp dport 80 counter name lost drop
  }
  chain postrouting {
    type filter hook postrouting priority 300
    ip daddr 10.61.1.2 ip saddr 10.64.0.0/16 counter name lost drop
    ip daddr 10.61.1.2 counter name led drop
  }
}`;

const COMMITS: readonly (readonly [
  what: string,
  from: "c" | "r",
  commit: (ground: Ground) => (turn: number) => Promise<void>,
])[] = [
  [
    "a client's, while the table is replaced",
    "c",
    (ground) => async () => openKernel(ground).replace(led(4)),
  ],
  [
    "this node's own, while the table is replaced",
    "r",
    (ground) => async () => openKernel(ground).replace(led(4)),
  ],
  [
    "a client's, while its service is led to another class, which is new",
    "c",
    (ground) => {
      const kernel = openKernel(ground);
      let now = led(1);
      return async (turn) => {
        if (turn === 0) return kernel.replace(now);
        // None is there any more when its turn comes again: only so many are kept without use.
        const next = led(1 + (turn % 130));
        await kernel.change(now, next);
        now = next;
      };
    },
  ],
];
const TURNS = 200;
for (const [what, from, commit] of COMMITS) {
  // With one chain a hook, some are lost in a hundred turns.
  testNeeding(NEEDS)(`of a flood no datagram is led nowhere: ${what}`, async () => {
    const ground = await openGround(["a", "c"]);
    ground.run("ip", "route", "add", "local", "10.64.0.0/16", "dev", "lo");
    const bring = commit(ground);
    await bring(0);
    await runnerIn(["nsenter", `--net=${ground.netns}`])("nft", ["-f", "-"], { input: PROBE });
    await ground.flood(from, VIP, 80);
    for (let turn = 1; turn <= TURNS; turn++) await bring(turn);
    const counted = (name: string): number =>
      Number(/packets (\d+)/.exec(ground.run("nft", "list", "counter", "inet", "probe", name))?.[1]);
    expect(counted("led")).toBeGreaterThan(TURNS);
    expect(counted("lost"), `of ${counted("led")}`).toBe(0);
  });
}
