import { createServer, type Socket } from "node:net";
import { expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import { startRota } from "../../src/index.ts";
import { createFolder } from "../sources/folder.ts";
import { holding, inspected, json, openFakeEngine } from "../sources/docker/fake-engine.ts";
import { asking } from "./asking.ts";
import { explanationOf } from "./explained.ts";
import { untilService } from "./until.ts";

const NETWORK = "e1".repeat(32);
const NETWORKS = [{ Id: NETWORK, Name: "shop_default", IPAM: { Config: [{ Subnet: "172.18.0.0/16" }] } }];
const OUTLINE = "name: shop\nservices:\n  web: { image: a, x-rota: { ttl: 7s } }\n";

/** A container of `web` in the project `shop`, as its HEALTHCHECK has it. */
function container(slot: number, status: string): object {
  return inspected(
    {
      Name: `/shop-web-${slot}`,
      State: { Status: "running", StartedAt: "1", Health: { Status: status } },
      Config: {
        Labels: {
          "com.docker.compose.project": "shop",
          "com.docker.compose.service": "web",
          "com.docker.compose.container-number": `${slot}`,
        },
      },
      NetworkSettings: {
        Networks: { shop_default: { NetworkID: NETWORK, IPAddress: `172.18.0.${slot + 1}` } },
      },
    },
    `a${slot}`.repeat(32),
  );
}

function shop(...status: readonly string[]) {
  const containers = status.map((text, at) => container(at + 1, text));
  return { ...holding(...containers), "/networks": json(200, NETWORKS) };
}

/** What is said, but for what DNS servers and files say of themselves. */
function listening(): { readonly log: Log; told(): string[] } {
  const lines: string[] = [];
  const say = (_: object, message: string): void => void lines.push(message);
  return {
    log: { debug: () => {}, info: say, warn: say, error: say },
    told: () => lines.splice(0),
  };
}

test("a Compose file that comes and goes changes no verdict, and is no conflict", async () => {
  await using engine = await openFakeEngine(shop("healthy", "unhealthy"));
  await using folder = await createFolder();
  const file = await folder.write("compose.yaml", "services: {}\n");
  const { log, told } = listening();
  await using rota = await startRota({ files: [file], docker: `unix://${engine.socket}`, log });
  const ask = asking(rota);
  expect(await ask.addresses("web.shop")).toEqual(["172.18.0.2"]);
  told();

  await folder.write("compose.yaml", OUTLINE);
  await untilService(rota, "web.shop", ({ ttl }) => ttl === 7);
  expect(await ask.addresses("web.shop")).toEqual(["172.18.0.2"]);
  expect(told().filter((line) => !line.includes("read:"))).toEqual([
    "service web.shop has 2 tasks, 1 serving",
  ]);

  await folder.write("compose.yaml", "services: {}\n");
  await untilService(rota, "web.shop", ({ ttl }) => ttl === undefined);
  expect(await ask.addresses("web.shop")).toEqual(["172.18.0.2"]);
  expect(told().filter((line) => !line.includes("read:"))).toEqual([
    "service web.shop has 2 tasks, 1 serving",
  ]);
});

test("that an engine takes out one of several tasks is told, and explained", async () => {
  await using engine = await openFakeEngine(shop("healthy", "healthy"));
  const { log, told } = listening();
  await using rota = await startRota({ docker: `unix://${engine.socket}`, log });
  told();
  for (const [path, route] of Object.entries(shop("healthy", "unhealthy"))) engine.route(path, route);
  await rota.reload();
  expect(told()).toEqual(["task shop-web-2 of web.shop is reported as failing"]);
  expect((await explanationOf(rota, "web.shop")).split("\n").slice(-4)).toEqual([
    "1 of 2 tasks serving; checked by the engine",
    "  shop-web-2  172.18.0.3  failing  unhealthy, paused or about to stop, as the engine has it",
    "  shop-web-1  172.18.0.2  passing  up and healthy, as the engine has it",
    "",
  ]);
  for (const [path, route] of Object.entries(shop())) engine.route(path, route);
  await rota.reload();
  expect(told()).toEqual(["service web.shop is gone"]);
});

test("until an engine was asked for the first time, nobody is told that an outline has no tasks", async () => {
  await using folder = await createFolder();
  const file = await folder.write("compose.yaml", OUTLINE);
  await using rota = await startRota({ files: [file], docker: `unix://${folder.at("nobody.sock")}` });
  const ask = asking(rota);
  expect(await ask.addresses("web.shop")).toBe("ESERVFAIL");
  expect(await explanationOf(rota, "web.shop")).toContain(
    "its tasks come from an engine that could not be asked yet",
  );
  await using alone = await startRota({ files: [file] });
  expect(await asking(alone).addresses("web.shop")).toBe("ENODATA");
});

test("an engine that hangs holds up nobody else's names for long", { timeout: 9000 }, async () => {
  await using folder = await createFolder();
  const sockets = new Set<Socket>();
  const mute = createServer((socket) => sockets.add(socket));
  await new Promise<void>((resolve) => {
    mute.listen(folder.at("engine.sock"), resolve);
  });
  {
    await using rota = await startRota({
      docker: `unix://${folder.at("engine.sock")}`,
      listen: ["127.0.0.1:0"],
    });
    expect(rota.addresses).not.toHaveLength(0);
    const { answers } = await rota.explain("web");
    expect(answers[0]?.outcome, "nothing is denied while nobody knows").toBe("SERVFAIL");
  }
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => {
    mute.close(resolve);
  });
});
