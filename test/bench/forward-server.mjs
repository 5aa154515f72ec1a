// A Rota in a process of its own, which forward.mjs starts: node forward-server.mjs FORWARD ADDRESS:PORT CACHE-SIZE

import { startRota } from "../../dist/index.js";

const [forward, listen, cacheSize] = process.argv.slice(2);
const rota = await startRota({
  services: { web: { endpoint_mode: "dnsrr", tasks: ["192.0.2.80"] } },
  listen: [listen],
  forward: [forward],
  cacheSize: Number(cacheSize),
});

process.on("disconnect", () => process.exit());
process.on("message", () => {
  const { user, system } = process.cpuUsage();
  process.send({ cpuUs: user + system, ...rota.counters.forward });
});
process.send({ port: rota.addresses[0].port });
