// A plane in a process of its own: node planes-plane.mjs KIND. Publishes what the lab's tasks listen at, says when it
// does, and what CPU it has used whenever it is told anything.

import { silentLog } from "../../dist/base/log.js";
import { parseAddress } from "../../dist/model/address.js";
import { createNftablesPlane } from "../../dist/plane/nftables/nftables.js";
import { createUserspacePlane } from "../../dist/plane/userspace/userspace.js";
import { TASKS } from "./planes-lab.mjs";

const [kind] = process.argv.slice(2);
const plane = { userspace: createUserspacePlane, nftables: createNftablesPlane }[kind]({
  log: silentLog,
  isCleanup: true,
});

const published = (port, target, tasks) => ({
  kind: "published",
  port,
  protocol: "tcp",
  balance: "weighted",
  affinityMs: 0,
  proxyProtocol: 0,
  backends: tasks.map((address) => ({
    task: address,
    address: parseAddress(address),
    port: target,
    weight: 1,
    duty: "serving",
    node: undefined,
  })),
});

const frontends = [published(30_080, 8080, TASKS), published(30_201, 5201, TASKS.slice(0, 1))];
const services = new Map([["web", { name: "web", vips: [], frontends }]]);
const { carried, troubles } = await plane.apply({ services, pools: [], peers: new Map() });
process.send({ carried, troubles });
process.on("message", async (message) => {
  if (message === "cpu") {
    const { user, system } = process.cpuUsage();
    process.send({ cpuUs: user + system });
    return;
  }
  await plane[Symbol.asyncDispose]();
  process.send("closed");
});
process.on("disconnect", () => process.exit());
