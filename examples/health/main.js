// Membership by health: see README.md beside this file.

import { once } from "node:events";
import { createServer } from "node:http";
import { Resolver } from "node:dns/promises";
import { startRota } from "rota";

const blue = await openTask("blue");
const green = await openTask("green");
const rota = await startRota();

try {
  await rota.declare("web", {
    endpoint_mode: "dnsrr",
    ports: [{ name: "http", target: 80 }],
    healthcheck: { http: "/healthz", interval: "100ms", timeout: "1s", rise: 2, fall: 3 },
    tasks: [blue, green].map(({ id, port }) => ({ id, address: "127.0.0.1", ports: { http: port } })),
  });
  await servingIs("blue green");
  await show("both are well");

  blue.status = 503;
  await servingIs("green");
  await show("blue has failed three times in a row");

  blue.status = 200;
  await servingIs("blue green");
  await show("blue has passed twice in a row");

  await rota.drain("web", "green");
  await show("green is drained by the operator");
  await rota.activate("web", "green");
  await show("green is active again");
} finally {
  await rota.close();
  blue.server.close();
  green.server.close();
}

/** Resolves once exactly these tasks serve. */
async function servingIs(wanted) {
  if (serving() === wanted) return;
  const heard = new AbortController();
  await new Promise((resolve) => {
    rota.follow(() => serving() === wanted && resolve(), heard.signal);
  });
  heard.abort();
}

function serving() {
  const [web] = rota.services();
  const ids = web.tasks.filter((task) => task.isServing).map(({ id }) => id);
  return ids.join(" ");
}

/** What a client is told: the ports of web, by any DNS client; here by Node's own. */
async function show(what) {
  const [{ address, port }] = rota.addresses;
  const resolver = new Resolver();
  resolver.setServers([`${address}:${port}`]);
  const targets = await resolver.resolveSrv("_http._tcp.web");
  console.log(
    `${what}: ${targets
      .map(({ name }) => name)
      .toSorted()
      .join(", ")}`,
  );
}

/** A web server that is well until its `status` says otherwise. */
async function openTask(id) {
  const task = { id, status: 200, port: 0, server: undefined };
  task.server = createServer((_, response) => response.writeHead(task.status).end()).listen(0, "127.0.0.1");
  await once(task.server, "listening");
  task.port = task.server.address().port;
  return task;
}
