import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatTraffic } from "../../src/app/format-traffic.ts";
import { createScope } from "../../src/base/scope.ts";
import { type Rota, type RotaOptions, startRota } from "../../src/index.ts";

const scope = createScope();
/** Each says its letter and hangs up, at one port of addresses of their own. */
const tasks = new Map<string, string>();
let port = 0;

beforeAll(async () => {
  for (const [at, id] of ["a", "b", "c"].entries()) {
    const server = createServer((socket) => socket.on("error", () => {}).end(id));
    const address = `127.0.7.${at + 1}`;
    await listen(server, port, address);
    port = portOf(server);
    tasks.set(id, address);
    scope.defer(() => void server.close());
  }
});
afterAll(async () => scope[Symbol.asyncDispose]());

async function listen(server: Server, port: number, address: string): Promise<void> {
  server.listen(port, address);
  await once(server, "listening");
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A Rota that carries, with VIPs that no other test has. */
async function start(options: RotaOptions = {}): Promise<Rota> {
  const networks = { front: { vips: "127.70.1.0/24" } };
  return startRota({ plane: "userspace", networks, ...options });
}

const web = (ids: string, more: object = {}) => ({
  networks: ["front"],
  ports: [{ name: "http", target: port, ...more }],
  tasks: Array.from(ids, (id) => ({ id, address: tasks.get(id) ?? "" })),
});

/** Who answers there, one connection after the other. */
async function asked(host: string, at: number, times: number): Promise<string> {
  let answered = "";
  for (let time = 0; time < times; time++) answered += await text(connect(at, host));
  return answered;
}

function sorted(text: string): string {
  return Array.from(text).toSorted().join("");
}

/** Resolves when what has been declared is carried: so many tasks of `web` serve. */
async function carried(rota: Rota, serving: number): Promise<void> {
  await expect
    .poll(async () => {
      const { planes } = await rota.traffic();
      const [first] = planes[0]?.services ?? [];
      return first?.ports[0]?.tasks.filter(({ duty }) => duty === "serving").length;
    })
    .toBe(serving);
}

function vipOf(rota: Rota): string {
  return rota.services()[0]?.vips[0]?.address ?? "";
}

describe("a VIP leads to the tasks", () => {
  test("from the start on, in turn", async () => {
    await using rota = await start({ services: { web: web("ab") } });
    expect(await asked(vipOf(rota), port, 4)).toBe("abab");
  });

  test("that are declared, drained, and declared no more", async () => {
    await using rota = await start({ services: { web: web("ab") } });
    await rota.declare("web", web("abc"));
    await carried(rota, 3);
    expect(sorted(await asked(vipOf(rota), port, 6))).toBe("aabbcc");
    await rota.drain("web", "a");
    await carried(rota, 2);
    expect(sorted(await asked(vipOf(rota), port, 4))).toBe("bbcc");
    await rota.declare("web", web(""));
    await carried(rota, 0);
    await expect(asked(vipOf(rota), port, 1)).rejects.toThrow("ECONNREFUSED");
  });

  test("and to nobody once Rota is closed", async () => {
    const rota = await start({ services: { web: web("ab") } });
    const vip = vipOf(rota);
    await rota.close();
    await expect(asked(vip, port, 1)).rejects.toThrow("ECONNREFUSED");
  });

  test("only where a plane is asked for", async () => {
    await using rota = await start({ plane: "none", services: { web: web("ab") } });
    await expect(asked(vipOf(rota), port, 1)).rejects.toThrow("ECONNREFUSED");
    expect(await rota.traffic()).toEqual({ planes: [], troubles: [] });
  });
});

test("a published port leads to the tasks at every address of the machine", async () => {
  const server = createServer();
  await listen(server, 0, "127.0.0.1");
  const published = portOf(server);
  server.close();
  await once(server, "close");
  await using rota = await start({
    services: { web: { ...web("ab", { published }), endpoint_mode: "dnsrr" } },
  });
  expect(await asked("127.0.0.1", published, 4)).toBe("abab");
  const { planes } = await rota.traffic();
  expect(planes.map(({ services }) => services.map(({ ports }) => ports.map(({ at }) => at)))).toEqual([
    [[`every address:${published}/tcp`]],
  ]);
});

test("what userspace has counted is shown, to people where it is anything", async () => {
  await using rota = await start({ services: { web: web("ab") } });
  expect(await asked(vipOf(rota), port, 3)).toHaveLength(3);
  const traffic = await rota.traffic();
  expect(traffic.planes[0]?.counts).toMatchObject({
    connections: 3,
    "octets to clients": 3,
    "connections over the limit": 0,
  });
  expect(formatTraffic(traffic)).toMatch(
    /^userspace: 1 service\n {2}connections: 3,.* octets to clients: 3\n/,
  );
});

test("what cannot be carried is told, and DNS answers all the same", async () => {
  const server = createServer();
  await listen(server, 0, "0.0.0.0");
  const published = portOf(server);
  const messages: string[] = [];
  const heard: string[] = [];
  const log = {
    debug: () => {},
    info: (_: object, message: string) => heard.push(message),
    warn: (_: object, message: string) => messages.push(message),
    error: (_: object, message: string) => messages.push(message),
  };
  await using rota = await start({
    log,
    services: { web: { ...web("a", { published }), endpoint_mode: "dnsrr" } },
  });
  const { troubles } = await rota.traffic();
  expect(troubles).toEqual([expect.stringContaining(`(pid ${process.pid})`)]);
  expect(messages).toEqual(troubles);
  const { answers, notes } = await rota.explain("web");
  expect(answers[0]?.records).toEqual([tasks.get("a")]);
  expect(notes).toEqual(troubles);
  await rota.reload();
  expect(messages.splice(1)).toEqual([`still so: ${troubles[0]}`]);
  server.close();
  await once(server, "close");
  await rota.reload();
  expect(await asked("127.0.0.1", published, 2)).toBe("aa");
  expect(heard).toContain(`no longer so: ${troubles[0]}`);
  expect(messages).toHaveLength(1);
});

test("where nothing is carried, no node is missed", async () => {
  const elsewhere = {
    ...web("a"),
    tasks: [{ id: "a", address: tasks.get("a") ?? "", node: "n7" }],
  };
  await using rota = await start({ plane: "none", services: { web: elsewhere } });
  expect((await rota.traffic()).troubles).toEqual([]);
});

test("a node that has others beside it must be among them", async () => {
  await using rota = await start({ node: "n7", nodes: { n1: "10.99.0.1" } });
  expect((await rota.traffic()).troubles).toEqual([
    "this node is n7, which is not among nodes: declare it there, or say which it is by --node",
  ]);
});

test.each([
  ["declared, by whoever starts Rota", { n1: "10.99.0.1", n2: "10.99.0.2" }, []],
  [
    "not declared, and that is told",
    {},
    ["tasks of web are on node n2, which is not declared: give its address under nodes"],
  ],
])("a node that tasks are on is %s", async (_, nodes, troubles) => {
  const task = { id: "a", address: tasks.get("a") ?? "", node: "n2" };
  await using rota = await start({ node: "n1", nodes, services: { web: { ...web(""), tasks: [task] } } });
  const traffic = await rota.traffic();
  expect(traffic.troubles).toEqual(troubles);
  expect(traffic.planes[0]?.services[0]?.ports[0]?.tasks.map(({ node }) => node)).toEqual(["n2"]);
});

test("a node that no task is on any more is missed no more", async () => {
  await using rota = await start({ node: "n1" });
  await rota.declare("web", { ...web(""), tasks: [{ id: "a", address: "127.0.7.1", node: "n2" }] });
  await expect.poll(async () => (await rota.traffic()).troubles).toHaveLength(1);
  await rota.declare("web", web("a"));
  await expect.poll(async () => (await rota.traffic()).troubles).toEqual([]);
});
