import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { openSockets } from "../../../src/dns/lanes/sockets.ts";
import { run } from "../../run.ts";
import { served } from "../served.ts";
import { listen } from "../sockets.ts";
import { laned, thisSystem } from "./laned.ts";

const system = await thisSystem();

describe("a port that lanes have is theirs alone", () => {
  test.each([1, 3])("of %i: another group is refused", (count) => {
    using sockets = openSockets(system, "127.0.0.1", 0, count);
    expect(new Set(sockets.fds).size).toBe(count);
    expect(() => openSockets(system, "127.0.0.1", sockets.port, count)).toThrow(
      expect.objectContaining({ code: "EADDRINUSE" }),
    );
  });

  test("also to another process", async () => {
    using sockets = openSockets(system, "127.0.0.1", 0, 2);
    const script =
      `import { openSystem } from "${dist("system")}"; import { openSockets } from "${dist("sockets")}";` +
      `const { system } = await openSystem(); openSockets(system, "127.0.0.1", ${sockets.port}, 2);`;
    const { code, stderr } = await run(process.execPath, ["--input-type=module", "--eval", script]);
    expect(stderr).toContain("EADDRINUSE");
    expect(code).toBe(1);
  });

  test("and is not taken from who has it, though it shares it", async () => {
    const udp = createSocket({ type: "udp4", reuseAddr: true }).bind(0, "127.0.0.1");
    await once(udp, "listening");
    expect(() => openSockets(system, "127.0.0.1", udp.address().port, 2)).toThrow("bind EADDRINUSE");
    udp.close();
  });

  test("and is given back when not all can be had", () => {
    expect(() => openSockets(system, "192.0.2.77", 0, 2)).toThrow(
      expect.objectContaining({ code: "EADDRNOTAVAIL" }),
    );
    let binds = 0;
    const bind: typeof system.bind = (...named) => (++binds === 2 ? -1 : system.bind(...named));
    const flawed = { ...system, bind };
    using held = openSockets(system, "127.0.0.1", 0, 1);
    held[Symbol.dispose]();
    expect(() => openSockets(flawed, "127.0.0.1", held.port, 2)).toThrow("bind");
    using again = openSockets(system, "127.0.0.1", held.port, 1);
    expect(again.fds).toHaveLength(1);
  });
});

test("a free port is the same one for all lanes, and for TCP", async () => {
  await using listeners = await listen(served({}), ["127.0.0.1:0"], {}, "lanes");
  const ports = new Set(listeners.addresses.map(({ port }) => port));
  expect(ports.size).toBe(1);
  expect(ports).not.toContain(0);
});

test.each([
  ["process.exit(3)", 3],
  ['setImmediate(() => { throw new Error("of somebody else") })', 1],
])("a process whose lanes wait for queries ends by %s", async (end, expected) => {
  const script =
    `import { startRota } from "${new URL("../../../dist/index.js", import.meta.url).href}";` +
    `const rota = await startRota({ lanes: 2 }); if (rota.counters.lanes.count === 2) ${end};`;
  const options = { limitMs: 20_000 };
  const { code } = await run(process.execPath, ["--input-type=module", "--eval", script], options);
  expect(code).toBe(expected);
});

test("lanes that cannot be started are told, and leave nothing", async () => {
  const program = new URL("./no-such-file.mjs", import.meta.url);
  await expect(laned({ program })).rejects.toThrow(/^lane 0 died: .*no-such-file.*; start with lanes 0$/);
});

function dist(module: string): string {
  return new URL(`../../../dist/dns/lanes/${module}.js`, import.meta.url).href;
}
