import { once } from "node:events";
import { expect, test } from "vitest";
import { silentLog } from "../../../src/base/log.ts";
import { systemTimers, type Timers } from "../../../src/base/timers.ts";
import { createMender } from "../../../src/plane/nftables/mender.ts";
import { createMonitor, readDeletion } from "../../../src/plane/nftables/monitor.ts";
import { parseFlow } from "../../../src/plane/nftables/flow.ts";
import { formatAddress } from "../../../src/model/address.ts";

const LINES: readonly (readonly [line: string, deletion: unknown])[] = [
  ["delete table inet rota", { serial: undefined }],
  ["delete rule inet rota services handle 12", { serial: undefined }],
  ["delete element inet rota vip4 { 10.64.0.1 . tcp . 80 : goto x }", { serial: undefined }],
  ["delete element inet rota serial { 0x0000002a }", { serial: 42 }],
  ["delete table inet rotaret", undefined],
  ["delete table ip rota", undefined],
  ["add table inet rota", undefined],
  ["", undefined],
];
for (const [line, deletion] of LINES) {
  test(`of the monitor's "${line}" is read ${JSON.stringify(deletion)}`, () => {
    expect(readDeletion(line)).toEqual(deletion);
  });
}

const FLOWS: readonly (readonly [line: string, flow: string | undefined])[] = [
  [
    "tcp      6 431999 ESTABLISHED src=10.0.0.9 dst=10.64.0.1 sport=40404 dport=80 src=10.61.1.11 dst=10.0.0.9 sport=8080 dport=40404 [ASSURED] mark=0 use=1",
    "tcp 10.64.0.1 80 10.61.1.11 8080 open",
  ],
  [
    "tcp      6 117 TIME_WAIT src=10.0.0.9 dst=10.64.0.1 sport=40404 dport=80 src=10.61.1.11 dst=10.0.0.9 sport=8080 dport=40404 [ASSURED] mark=0 use=1",
    "tcp 10.64.0.1 80 10.61.1.11 8080 over",
  ],
  [
    "udp      17 27 src=fd00::9 dst=fd64::1 sport=40404 dport=53 [UNREPLIED] src=fd61::11 dst=fd00::9 sport=53 dport=40404 mark=0 use=1",
    "udp fd64::1 53 fd61::11 53 open",
  ],
  [
    "tcp      6 299 ESTABLISHED src=10.0.0.9 dst=10.61.1.11 sport=40404 dport=80 src=10.61.1.11 dst=10.0.0.9 sport=80 dport=40404 [ASSURED] mark=0 use=1",
    undefined, // led nowhere else
  ],
  [
    "unknown  2 484 src=10.5.0.1 dst=224.0.0.22 [UNREPLIED] src=224.0.0.22 dst=10.5.0.1 mark=0 use=1",
    undefined,
  ],
  ["tcp 6 1 ESTABLISHED src= dst=nowhere sport=1 dport=2 src=x dst=y sport=3 dport=4 use=1", undefined],
  ["", undefined],
];
for (const [line, wanted] of FLOWS) {
  test(`of conntrack's "${line.slice(0, 60)}" is read ${wanted}`, () => {
    const flow = parseFlow(line);
    const told =
      flow &&
      `${flow.protocol} ${formatAddress(flow.to)} ${flow.port} ${formatAddress(flow.task)} ${flow.taskPort} ${flow.isOpen ? "open" : "over"}`;
    expect(told).toBe(wanted);
  });
}

test.each([
  ["ends at once waits longer each time", "exit 1", [500, 1000, 2000, 4000]],
  ["had something to tell is begun again soon", "echo delete table inet rota", [500, 500, 500, 500]],
])("a monitor that %s", async (_, script, expected) => {
  const waits: number[] = [];
  const enough = new AbortController();
  const timers: Timers = {
    ...systemTimers,
    after(ms, call) {
      waits.push(ms);
      if (waits.length === expected.length) enough.abort();
      return systemTimers.after(0, call);
    },
  };
  const wrapper = ["sh", "-c", script];
  const monitor = createMonitor({ log: silentLog, timers, wrapper, touched() {}, missed() {} });
  await monitor.run(enough.signal);
  expect(waits).toEqual(expected);
});

/** Does not wait for what it is asked to wait for. */
const hasty = {
  ...systemTimers,
  after: (_: number, call: () => void) => systemTimers.after(0, call),
};

test("of a monitor that cannot run, why is told once", async () => {
  const told: string[] = [];
  const ending = new AbortController();
  let missed = 0;
  const monitor = createMonitor({
    log: { ...silentLog, warn: (_, message) => void told.push(message) },
    timers: hasty,
    wrapper: ["nsenter", "--net=/run/netns/nope"],
    touched: () => {},
    missed: () => void (++missed === 3 && ending.abort()),
  });
  await monitor.run(ending.signal);
  expect(told).toEqual([
    "nft monitor ended (nsenter: cannot open /run/netns/nope: No such file or directory): what others take away is not noticed until it runs again",
  ]);
});

test("of what cannot be put back, why is told once, and again after it could", async () => {
  const told: string[] = [];
  const ending = new AbortController();
  const ended = once(ending.signal, "abort");
  let mends = 0;
  const mender = createMender(
    {
      log: { ...silentLog, error: (_, message) => void told.push(message) },
      timers: hasty,
      async mend() {
        mends += 1;
        if (mends === 5) ending.abort();
        if (mends !== 3) throw new Error("no right");
        setImmediate(() => mender.call());
      },
    },
    ending.signal,
  );
  mender.call();
  await ended;
  expect(told).toEqual(Array(2).fill("could not put back what others took away: no right"));
});
