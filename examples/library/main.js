// Rota inside another program: see README.md beside this file.

import { Resolver } from "node:dns/promises";
import { RotaError, startRota } from "rota";

const rota = await startRota({
  services: {
    web: { ports: [{ name: "http", target: 8080 }], tasks: ["127.0.1.1", "127.0.1.2"] },
  },
});

try {
  rota.follow(({ services }) => {
    for (const { before, after } of services) {
      if (!before) console.log(`  (${after.name} is new)`);
      if (!after) console.log(`  (${before.name} is gone)`);
      if (before && after) console.log(`  (${after.name} has changed)`);
    }
  });

  console.log("web has one address of its own:", await addresses("web"));
  console.log("behind it are its tasks:", await addresses("tasks.web"));

  console.log("declare api:");
  await rota.declare("api", {
    endpoint_mode: "dnsrr",
    ports: [{ name: "grpc", target: 9000 }],
    tasks: [
      { id: "one", address: "127.0.2.1" },
      { id: "two", address: "127.0.2.2" },
    ],
  });
  console.log("  api is at:", await addresses("api"));
  console.log("  its ports:", await ports("_grpc._tcp.api"));

  console.log("one of its tasks fails:");
  await rota.report("api", "one", "failing");
  console.log("  api is at:", await addresses("api"));

  console.log("withdraw api:");
  await rota.withdraw("api");
  console.log("  api is at:", await addresses("api"));

  console.log("what is wrong is said, and changes nothing:");
  await rota.declare("web", { tasks: ["127.0.1.300"] });
} catch (error) {
  if (!(error instanceof RotaError)) throw error;
  console.log(`  ${error.code}: ${error.message}`);
} finally {
  // Or `await using rota = …`, in TypeScript and from Node 24 on.
  await rota.close();
}

/** Sorted: which of them comes first is another one each time. */
async function addresses(name) {
  try {
    return (await resolver().resolve4(name)).toSorted();
  } catch (error) {
    return error.code;
  }
}

async function ports(name) {
  const targets = await resolver().resolveSrv(name);
  return targets.map(({ name, port }) => `${name}:${port}`).toSorted();
}

/** Node's own; any DNS client will do. A new one each time: some keep an answer for its TTL, here 5 seconds. */
function resolver() {
  const [{ address, port }] = rota.addresses;
  const resolver = new Resolver();
  resolver.setServers([`${address}:${port}`]);
  return resolver;
}
