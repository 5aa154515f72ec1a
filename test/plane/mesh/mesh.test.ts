import { expect } from "vitest";
import { createScope } from "../../../src/base/scope.ts";
import { shared } from "../../clients/shared.ts";
import { testNeeding } from "../../needing.ts";
import { type Behind, type Mesh, openMesh } from "./mesh.ts";
import { askRows, SERVICES, toldRows } from "./rows.ts";

const testReally = testNeeding({ root: true, programs: ["ip", "nft", "nsenter", "unshare"] });

const routed = shared(async () => openCarried("routed"));

for (const behind of ["routed", "tunnel", "bridge", "vxlan"] as const) {
  testReally(`Tasks see what the README tells, ${behind}`, async () => {
    if (behind === "routed") {
      expect(await askRows(await routed(), behind)).toEqual(await toldRows(behind));
      return;
    }
    await using mesh = await openCarried(behind);
    expect(await askRows(mesh, behind)).toEqual(await toldRows(behind));
  });
}

testReally(
  "A connection through both nodes outlives the end of either's Rota, and its next start",
  async () => {
    const mesh = await knowing(await routed());
    const services = Object.values(SERVICES);
    const say = await mesh.hold("ext", "n1", 30_081);
    expect(await say()).toMatch(/^b\d: ext$/);
    for (const node of ["n1", "n2"] as const) {
      await mesh.closePlane(node);
      expect(await say()).toMatch(/^b\d: ext$/);
      await mesh.openPlane(node, PLANE);
      await mesh.apply(node, mesh.stateOf(node, services, "known"));
      expect(await say()).toMatch(/^b\d: ext$/);
    }
  },
);

testReally(
  "A node that is no longer named is led to with this node's address, and leaves nothing behind",
  async () => {
    const mesh = await knowing(await routed());
    const question = { node: "n1", family: 4, protocol: "tcp", port: 30_081 } as const;
    const services = Object.values(SERVICES);
    expect(await mesh.ask("ext", question)).toBe("b1: ext, b2: ext");
    const { troubles } = await mesh.apply("n1", mesh.stateOf("n1", services, "unknown"));
    expect(troubles).toEqual([]);
    expect(await mesh.ask("ext", question)).toBe("b1: n1, b2: n1");
    for (const argv of [
      ["ip", "rule"],
      ["ip", "-6", "rule"],
      ["ip", "route", "show", "table", "all"],
      ["nft", "list", "tables"],
    ]) {
      const { stdout } = await mesh.run("n1", argv);
      expect(stdout).not.toBe("");
      expect(stdout).not.toMatch(/0x526f|13830\d{5}|rota-mesh/);
    }
  },
);

testReally(
  "A published port is the node's: nobody else gets it, and it leads to tasks on loopback as well",
  async () => {
    const mesh = await knowing(await routed());
    const port = SERVICES["tasks on both"]?.port ?? 0;
    for (const node of ["n1", "n2"] as const) {
      for (const protocol of ["tcp", "udp"] as const) {
        const question = { node, port, protocol } as const;
        const all = ["a1", "a2", "b1", "b2"].map((task) => `${task}: ${node}`).join(", ");
        expect(await mesh.ask(node, { ...question, family: 4, host: "127.0.0.1" })).toBe(all);
        expect(await mesh.ask(node, { ...question, family: 6, host: "::1" })).toBe(all);
      }
      for (const address of ["0.0.0.0", "127.0.0.1", "10.99.0.1", "::"]) {
        const { stdout } = await mesh.run(node, [process.execPath, "-e", BIND, String(port), address]);
        const own = address !== "10.99.0.1" || node === "n1" ? "EADDRINUSE" : "EADDRNOTAVAIL";
        expect(stdout, `${address} on ${node}`).toBe(`${own} ${own}`);
      }
    }
    // Not through that listener, which would have the node's address.
    expect(await mesh.ask("ext", { node: "n1", port, protocol: "tcp", family: 4 })).toBe(
      "a1: ext, a2: ext, b1: ext, b2: ext",
    );
    const refused = { node: "n1", port: SERVICES["tasks on n2, `local`"]?.port ?? 0, family: 4 } as const;
    expect(await mesh.ask("n1", { ...refused, protocol: "tcp", host: "127.0.0.1" })).toBe("ECONNREFUSED");
  },
);

/** Prints what comes of binding a port of an address, of TCP and of UDP. */
const BIND = `
const [, port, address] = process.argv;
const tell = (socket) => new Promise((resolve) => {
  socket.once("error", ({ code }) => resolve(code)).once("listening", () => resolve("bound"));
});
const tcp = require("node:net").createServer();
const udp = require("node:dgram").createSocket(address.includes(":") ? "udp6" : "udp4");
Promise.all([tell(tcp), tell(udp)]).then((all) => { process.stdout.write(all.join(" ")); process.exit(); });
tcp.listen({ port: Number(port), host: address, exclusive: true });
udp.bind({ port: Number(port), address, exclusive: true });
`;

const PLANE = {
  module: new URL("plane.mjs", import.meta.url).href,
  create: "createMeshPlane",
  options: { isCleanup: false },
};

/** With a plane on each node. */
async function openCarried(behind: Behind): Promise<Mesh> {
  await using opening = createScope();
  const mesh = opening.use(await openMesh(behind));
  await Promise.all((["n1", "n2"] as const).map(async (node) => mesh.openPlane(node, PLANE)));
  opening.move();
  return mesh;
}

/** The same, where each node knows of the other. */
async function knowing(mesh: Mesh): Promise<Mesh> {
  for (const node of ["n1", "n2"] as const) {
    const { troubles } = await mesh.apply(node, mesh.stateOf(node, Object.values(SERVICES), "known"));
    expect(troubles).toEqual([]);
  }
  return mesh;
}
