import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseAddress } from "../../../src/model/address.ts";
import { turnedByHand } from "../../by-hand.ts";
import { testNeeding } from "../../needing.ts";
import { outputOf } from "../../run.ts";
import {
  ask,
  frontendOf,
  join,
  newPort,
  newVip,
  openPlane,
  openTask,
  stateOf,
  talk,
  told,
  untilOpen,
} from "./carried.ts";

const us = `${readFileSync("/proc/self/comm", "utf8").trim()} (pid ${process.pid})`;
const web = () => ({ vip: newVip(), port: newPort() });

test("a port that is taken is told with its holder, and had as soon as it is free", async () => {
  const hand = turnedByHand();
  await using a = await openTask("a");
  const at = web();
  const holder = createServer().listen({ host: at.vip, port: at.port });
  await once(holder, "listening");
  const plane = openPlane(hand);
  const report = await plane.apply(stateOf({ web: [at, [a]], other: [web(), [a]] }));
  expect(report.carried).toBe(1);
  expect(told(report)).toEqual([
    `web: web: could not listen on tcp ${at.vip}:${at.port}: it is taken by ${us}: stop that, or give it another port, as with port: 8080`,
  ]);
  holder.close();
  await once(holder, "close");
  await hand.pass(4999);
  expect(await talk(at)).toBe("ECONNREFUSED");
  await hand.pass(1);
  while ((await talk(at)) !== "a ") await new Promise(setImmediate);
  expect(told(await plane.apply(stateOf({ web: [at, [a]] })))).toEqual([]);
  await plane[Symbol.asyncDispose]();
  expect(hand.pending).toBe(0);
});

test("one that another service has is told with its name, and goes over to it with one state", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  const at = web();
  await using plane = openPlane();
  const both = stateOf({ web: [at, [a]], shop: [at, [b]] });
  const [trouble = ""] = told(await plane.apply(both));
  expect(trouble).toContain(`shop: could not listen on tcp ${at.vip}:${at.port}: it is taken by web:`);
  expect(told(await plane.apply(stateOf({ shop: [at, [b]] })))).toEqual([]);
  expect(await talk(at)).toBe("b ");
});

test("an address that is none of this machine's is told, and how to have it", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const [trouble = ""] = told(await plane.apply(stateOf({ web: [{ vip: "192.0.2.77", port: 8080 }, [a]] })));
  expect(trouble).toBe(
    "web: web: could not listen on tcp 192.0.2.77:8080: the address is none of this machine's: take VIPs from 127.0.0.0/8, " +
      'which always are, give it to an interface ("ip address add 192.0.2.77 dev lo"), or run as root with --plane nftables',
  );
});

test("a service without ports is told, and its other VIPs are carried", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const vip = parseAddress("127.64.0.7");
  const { backends } = frontendOf({ port: 1 }, []);
  const any = {
    kind: "vip",
    vip,
    network: "default",
    protocol: "any",
    port: undefined,
    balance: "weighted",
    affinityMs: 0,
    proxyProtocol: 0,
    backends,
  } as const;
  const state = stateOf({ web: [web(), [a]] });
  const services = new Map([
    ...state.services,
    ["db", { name: "db", vips: [vip], frontends: [any] }] as const,
  ]);
  const report = await plane.apply({ ...state, services });
  expect(report.carried).toBe(1);
  expect(told(report)).toEqual([
    "db: db declares no ports: the userspace plane listens on each port by itself and cannot carry all of 127.64.0.7; " +
      "give it ports, as ports: [8080]",
  ]);
});

test("a published port is at all addresses of both families, beside a VIP and a task on the same port", async () => {
  await using a = await openTask("a");
  await using near = await openTask("near", undefined, "127.0.0.2");
  await using plane = openPlane();
  const published = { published: true, port: near.port };
  const at = { vip: newVip(), port: near.port };
  const report = await plane.apply(stateOf({ web: [published, [a]], vip: [at, [near]] }));
  expect(report).toEqual({ carried: 2, troubles: [] });
  const own = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ address }) => !address.startsWith("fe80:"));
  for (const { address } of own) expect(await talk({ vip: address, port: near.port })).toBe("a ");
  expect(await talk(at)).toBe("near ");
  await plane.apply(stateOf({ vip: [at, [near]] }));
  expect(await talk({ vip: "127.0.0.1", port: near.port })).toBe("ECONNREFUSED");
});

test("where a task listens itself, its published port is left to it", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const report = await plane.apply(stateOf({ web: [{ published: true, port: a.port }, [a]] }));
  expect(report).toEqual({ carried: 1, troubles: [] });
  expect(await talk({ vip: "127.0.0.1", port: a.port })).toBe("a ");
  expect(plane.counters.connections.total).toBe(0);
});

test("a listener stays open through every change of its backends", async () => {
  await using a = await openTask("a");
  await using b = await openTask("b");
  await using plane = openPlane();
  const at = web();
  await plane.apply(stateOf({ web: [at, [a]] }));
  const before = inodeOf(at.port);
  await plane.apply(stateOf({ web: [at, [b]] }));
  await plane.apply(stateOf({ web: [{ ...at, balance: "source", affinityMs: 1000 }, [a, b]] }));
  await plane.apply(
    stateOf({
      web: [
        at,
        [
          { ...a, duty: "draining" },
          { ...b, weight: 3 },
        ],
      ],
    }),
  );
  expect(before).toMatch(/^\d+$/);
  expect(inodeOf(at.port)).toBe(before);
});

test("a task that does not answer is given up after so long, and another has the flow", async () => {
  const hand = turnedByHand();
  const mute = await openMute();
  try {
    await using a = await openTask("a");
    await using plane = openPlane({ ...hand, limits: { connectMs: 3000 } });
    const at = web();
    const state = stateOf({ web: [at, [{ task: "mute", port: mute.port, weight: 2 }, a]] });
    await plane.apply(state);
    const heard = talk(at, "hello");
    await untilOpen(plane, 1);
    await hand.pass(2999);
    expect(plane.counters.failures).toBe(0);
    await hand.pass(1);
    expect(await heard).toBe("a hello");
    expect(plane.counters).toMatchObject({ failures: 1, retries: 1 });
  } finally {
    mute.end();
  }
});

testNeeding({ root: true, programs: ["setpriv"] })(
  "without the right to a port, it is said how to get it",
  async () => {
    const words = [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "--inh-caps=-all",
      "--bounding-set=-all",
    ];
    const built = (path: string): string =>
      JSON.stringify(fileURLToPath(new URL(`../../../dist/${path}`, import.meta.url)));
    const script = `
    import { createUserspacePlane } from ${built("plane/userspace/userspace.js")};
    import { parseAddress } from ${built("model/address.js")};
    import { silentLog } from ${built("base/log.js")};
    const address = parseAddress("127.0.0.1");
    const backends = [{ task: "a", address, port: 8080, weight: 1, duty: "serving", node: undefined }];
    const base = { protocol: "tcp", port: 1, balance: "rotate", affinityMs: 0, proxyProtocol: 0, backends };
    const frontends = [{ ...base, kind: "vip", vip: parseAddress("127.64.0.9"), network: "default" }];
    const services = new Map([["web", { name: "web", vips: [], frontends }]]);
    const plane = createUserspacePlane({ log: silentLog });
    const { troubles } = await plane.apply({ services, pools: [], peers: new Map() });
    console.log(JSON.stringify(troubles));
    await plane[Symbol.asyncDispose]();`;
    const printed = await outputOf("setpriv", [
      ...words,
      process.execPath,
      "--input-type=module",
      "--eval",
      script,
    ]);
    expect(JSON.parse(printed)).toEqual([
      {
        service: "web",
        message:
          "web: could not listen on tcp 127.64.0.9:1: ports below 1024 need a right: run " +
          '"setcap cap_net_bind_service=+ep $(readlink -f $(which node))" or "sysctl net.ipv4.ip_unprivileged_port_start=1" ' +
          "as root, or give it another port, as with port: 8080",
      },
    ]);
  },
);

test("calls that overlap all get the report of the last state", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const ats = Array.from({ length: 20 }, web);
  const reports = await Promise.all(ats.map((at) => plane.apply(stateOf({ web: [at, [a]] }))));
  expect(reports.every(({ carried }) => carried === 1)).toBe(true);
  expect(reports.slice(1).every((report) => report === reports[19])).toBe(true);
  const open = await Promise.all(ats.map((at) => talk(at)));
  expect(open).toEqual([...Array.from({ length: 19 }, () => "ECONNREFUSED"), "a "]);
});

test("a flow that stands outlives a change of everything else", async () => {
  await using a = await openTask("a");
  await using plane = openPlane();
  const at = web();
  await plane.apply(stateOf({ web: [at, [a]] }));
  const { client } = await join(at);
  await plane.apply(stateOf({ web: [{ ...at, balance: "leastconn" }, [{ ...a, weight: 0 }]] }));
  expect(await ask(client, "hello")).toBe("hello");
  client.destroy();
});

/** The socket that listens on the port. */
function inodeOf(port: number): string {
  const text = port.toString(16).toUpperCase().padStart(4, "0");
  const line = readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .find((line) => line.includes(`:${text} 00000000:0000 0A`));
  return line?.trim().split(/\s+/)[9] ?? "";
}

interface Mute {
  readonly port: number;
  end(): void;
}

/** A port whose queue of connections is full, in a process that takes none: what calls it hears nothing. */
async function openMute(): Promise<Mute> {
  const script = `
    const server = require("node:net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
      require("node:fs").writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ["--eval", script], { stdio: ["ignore", "pipe", "inherit"] });
  const [said] = await once(child.stdout, "data");
  const port = Number(String(said));
  const callers = [1, 2].map(() => connect({ port, host: "127.0.0.1" }).on("error", () => {}));
  await Promise.all(callers.map((caller) => once(caller, "connect")));
  return {
    port,
    end() {
      for (const caller of callers) caller.destroy();
      child.kill("SIGKILL");
    },
  };
}
