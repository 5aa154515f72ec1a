import { afterAll, beforeAll, expect, vi } from "vitest";
import { missingOf, testNeeding } from "../../needing.ts";
import { backendsOf, publishedService, type Service, stateOf, vipService } from "../contract/services.ts";
import { GUEST_PACE, type Lab, type LabPlane, openLab } from "../lab/lab.ts";
import { bootGuest } from "../uml/guest.ts";
import { IPVS_NEEDS } from "./needs.ts";

/** A guest has one CPU, which others may want as well. */
const LIMIT_MS = 90_000;
vi.setConfig({ testTimeout: LIMIT_MS, hookTimeout: LIMIT_MS });

let lab: Lab;
beforeAll(async () => {
  if (missingOf(IPVS_NEEDS).length > 0) return;
  lab = await openLab(await bootGuest(), { kind: "routed", tasks: 2 }, GUEST_PACE);
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

/** What others have in IPVS, before anything of ours is there: by no mark, and in no pool. */
const FOREIGN = "-A -t 10.61.0.1:7000 -s rr\n-a -t 10.61.0.1:7000 -r 10.61.1.12:7000 -m -w 3";

/** Tells a story of a plane on a node where IPVS holds nothing but what is foreign. */
function story(
  name: string,
  tell: (plane: LabPlane) => Promise<void>,
  options: object = { isCleanup: false, netns: "/proc/self/ns/net" },
): void {
  testNeeding(IPVS_NEEDS)(name, async () => {
    await onNode("ipvsadm", "--clear");
    await lab.run("node", ["ipvsadm", "--restore"], `${FOREIGN}\n`);
    await using plane = await lab.openPlane({ module: "ipvs/ipvs.js", create: "createIpvsPlane", options });
    await tell(plane);
  });
}

async function onNode(...argv: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await lab.run("node", argv);
  expect(code, stderr).toBe(0);
  return stdout.trim();
}

async function programmed(): Promise<string> {
  return onNode("ipvsadm", "--save", "--numeric");
}

async function web(): Promise<Service> {
  return vipService(await lab.vip(4), backendsOf(lab.tasks, 4));
}

async function troublesOf(plane: LabPlane, ...services: readonly Service[]): Promise<string[]> {
  const [report] = await plane.apply(stateOf(lab, services));
  return report?.troubles.map(({ message }) => message) ?? [];
}

story(
  "what belongs to others is left alone, seen as strange, and said where it stands in the way",
  async (plane) => {
    expect(await troublesOf(plane, await web(), publishedService(7000, backendsOf(lab.tasks, 4)))).toEqual([
      expect.stringMatching(/^10\.61\.0\.1:7000\/tcp is another program's in IPVS/),
    ]);
    expect((await plane.look()).strangers).toEqual([]);
    expect(await troublesOf(plane)).toEqual([]);
    expect(await programmed()).toBe(FOREIGN);
    expect((await plane.look()).strangers).toEqual(["-t 10.61.0.1:7000"]);
  },
);

story("leftovers of pools and of published ports are known by what they are", async (plane) => {
  const all = [await web(), publishedService(30_080, backendsOf(lab.tasks, 4))];
  await plane.apply(stateOf(lab, all));
  const there = await programmed();
  for (const kind of ["-A -t 10.64.", "-A -u 10.64.", "-A -t 10.61.0.1:30080", "-A -u 10.61.0.1:30080"]) {
    expect(there).toContain(kind);
  }
  await plane.kill();
  await using next = await lab.openPlane({
    module: "ipvs/ipvs.js",
    create: "createIpvsPlane",
    options: { isCleanup: false, netns: "/proc/self/ns/net" },
  });
  await next.apply(stateOf(lab, []));
  expect(await programmed()).toBe(FOREIGN);
});

story("what somebody flushes is there again", async (plane) => {
  await plane.apply(stateOf(lab, [await web()]));
  const before = await programmed();
  await onNode("ipvsadm", "--clear");
  await expect.poll(programmed, { timeout: LIMIT_MS / 2 }).toBe(before.replace(`${FOREIGN}\n`, ""));
});

story(
  "with cleanup nothing of it stays, and what others have does",
  async (plane) => {
    await plane.apply(stateOf(lab, [await web(), publishedService(30_080, backendsOf(lab.tasks, 4))]));
    expect(await onNode("ip", "route", "show", "table", "local", "proto", "76")).toMatch(
      /^local 10\.64\.0\.0\/16/,
    );
    await plane[Symbol.asyncDispose]();
    expect(await programmed()).toBe(FOREIGN);
    expect(await onNode("ip", "route", "show", "table", "local", "proto", "76")).toBe("");
  },
  { isCleanup: true, netns: "/proc/self/ns/net" },
);

story(
  "the machine's own settings are not changed, and what should be is said",
  async (plane) => {
    const names = [
      "net.ipv4.vs.expire_nodest_conn",
      "net.ipv4.vs.expire_quiescent_template",
      "net.ipv4.ip_forward",
    ];
    await onNode("sysctl", "-q", "-w", ...names.map((name) => `${name}=0`));
    const troubles = await troublesOf(plane, await web());
    expect(troubles).toEqual(names.map((name) => expect.stringMatching(`: sysctl -w ${name}=1$`)));
    expect(await onNode("sysctl", "-n", ...names)).toBe("0\n0\n0");
    await onNode("sysctl", "-q", "-w", ...names.map((name) => `${name}=1`));
  },
  { isCleanup: false },
);

story("a kernel without ip_vs_mh keeps clients by ip_vs_sh, and it is said", async (plane) => {
  await onNode("rmmod", "ip_vs_mh");
  const front = await lab.vip(4);
  const service = vipService(front, backendsOf(lab.tasks, 4), { balance: "source" });
  expect(await troublesOf(plane, service)).toEqual([
    expect.stringMatching(/^the kernel has no ip_vs_mh.*modprobe/),
  ]);
  expect(await programmed()).toContain(`-A -t ${front.address}:${front.port} -s sh -b sh-fallback`);
  // And so it stays.
  expect(await troublesOf(plane, service, await web())).toHaveLength(1);
});

story(
  "a scheduler that the kernel lacks is said of its service, and keeps no other from being carried",
  async (plane) => {
    await onNode("rmmod", "ip_vs_wlc");
    const front = await lab.vip(4);
    const [id, service] = vipService(front, backendsOf(lab.tasks, 4), { balance: "leastconn" });
    const other = await web();
    const [report] = await plane.apply(stateOf(lab, [[id, service], other]));
    expect(report?.troubles).toContainEqual({
      service: id,
      message: expect.stringMatching(/^IPVS could not be told of 10\..*\/tcp: Scheduler/),
    });
    expect(new Set(report?.troubles.map((trouble) => trouble.service))).toEqual(new Set([id]));
    expect(await programmed()).toContain("-s rr -b flag-3");
  },
);

story("whether there is IPVS is seen without changing anything", async (plane) => {
  await plane.kill();
  const module = new URL("../../../dist/plane/ipvs/check.js", import.meta.url).href;
  const script = `console.log(await (await import("${module}")).checkIpvs())`;
  const check = async (): Promise<string> =>
    onNode(process.execPath, "--input-type=module", "--eval", script);
  expect(await check()).toBe("undefined");
  expect(await programmed()).toBe(FOREIGN);
  await onNode("ipvsadm", "--clear");
  await onNode("sh", "-c", "cd /sys/module && rmmod ip_vs_* && rmmod ip_vs");
  expect(await check()).toBe("the kernel has no ip_vs: modprobe ip_vs, or choose another plane");
});
