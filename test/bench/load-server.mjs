// A Rota in a process of its own, which load.mjs starts: node --expose-gc load-server.mjs FILE SERVICE

import { startRota } from "../../dist/index.js";
import { addressesOf } from "./addresses.mjs";
import { memory } from "./memory.mjs";

const [file, service] = process.argv.slice(2);
const before = memory();
const started = performance.now();
const rota = await startRota({ files: [file], listen: ["127.0.0.1:0"] });
const [{ port }] = rota.addresses;
await addressesOf(service, port);
const startMs = performance.now() - started;
const after = memory();
process.send({
  port,
  startMs,
  residentOctets: after.rss - before.rss,
  heapOctets: after.heapUsed - before.heapUsed,
});

process.on("message", ({ declare, tasks }) => void timeDeclare(declare, tasks));
process.on("disconnect", () => void rota.close());

async function timeDeclare(change, count) {
  const addresses = Array.from({ length: count }, (_, task) => `10.254.${change}.${task}`);
  const declared = performance.now();
  await rota.declare("declared", { endpoint_mode: "dnsrr", ports: ["80:8080"], tasks: addresses });
  const answered = await addressesOf("declared", port);
  const elapsedMs = performance.now() - declared;
  if (!answered.includes(addresses[0]))
    throw new Error("a declaration that was awaited is not in the answer");
  process.send({ elapsedMs });
}
