import { readdirSync, readlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { testNeeding } from "../../needing.ts";
import { openLink } from "./link.ts";
import { openLab, startHub } from "./lab.ts";

const NEEDS = { root: true, programs: ["ip", "unshare", "nsenter"] };

testNeeding(NEEDS)("a lab's places reach each other, and see who asks", async () => {
  await using lab = await openLab(startHub(), { kind: "routed", tasks: 2 });
  for (const family of lab.families) {
    for (const protocol of ["tcp", "udp"] as const) {
      for (const { name, at } of lab.tasks) {
        const [from = ""] = lab.client.from[family];
        const found = await lab.ask("c1", { ...at[family], protocol, from: [from], count: 2 });
        expect(found).toMatchObject({ names: { [name]: 2 }, peers: { [name]: [from] }, errors: {} });
      }
    }
  }
});

testNeeding(NEEDS)("a task that dies resets its connections, and another's go on", async () => {
  await using lab = await openLab(startHub(), { kind: "loopback", tasks: 2 });
  const [one, two] = lab.tasks;
  if (!one || !two) throw new Error("two were asked for");
  await using lost = await lab.hold("c1", one.at[4]);
  await using kept = await lab.hold("c1", two.at[4]);
  await lab.die(one);
  expect(await lost.say()).toEqual({ error: "ECONNRESET" });
  expect(await kept.say()).toMatchObject({ name: two.name });
  expect((await lab.ask("c1", one.at[4])).errors).toEqual({ ECONNREFUSED: 1 });
  await lab.revive(one);
  expect((await lab.ask("c1", one.at[4])).names).toEqual({ [one.name]: 1 });
});

testNeeding(NEEDS)(
  "a lab leaves nothing, whatever its planes started, and though nobody says goodbye",
  async () => {
    const hub = startHub();
    const lab = await openLab(hub, { kind: "bridge", tasks: 1 });
    const { stdout } = await lab.run("node", ["readlink", "/proc/self/ns/net"]);
    await lab.run("node", ["sh", "-c", "sleep 1000 > /dev/null 2>&1 &"]);
    expect(processesIn(stdout.trim())).toBeGreaterThan(1);
    hub.input.destroy(); // as when the test is killed
    await lab[Symbol.asyncDispose]();
    expect(processesIn(stdout.trim())).toBe(0);
  },
);

testNeeding(NEEDS)("what fails in a place is told, and so is an agent that ends", async () => {
  await using lab = await openLab(startHub(), { kind: "loopback", tasks: 1 });
  await expect(lab.openPlane({ module: "nowhere.js", create: "createNothing" })).rejects.toThrow(
    "nowhere.js",
  );
  await expect(lab.ask("elsewhere", { address: "127.0.0.1", port: 1 })).rejects.toThrow(
    "there is no elsewhere here",
  );
});

test("lines of a console that are no hub's are passed over", async () => {
  await using hub = startHub();
  hub.output.unshift("[    0.000000] Linux version\n@@{not JSON}\n@@[1]\nnoise @@");
  const link = await openLink(hub);
  await expect(link.request(undefined, "fly")).rejects.toThrow('nobody here can "fly"');
});

function processesIn(namespace: string): number {
  return readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return readlinkSync(`/proc/${entry}/ns/net`) === namespace;
    } catch {
      return false; // it has ended meanwhile
    }
  }).length;
}
