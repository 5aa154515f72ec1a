import { afterAll, beforeAll, describe, expect } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { type Rota, startRota } from "../../src/index.ts";
import { type Asking, asking } from "../app/asking.ts";
import { missingOf } from "../needing.ts";
import { createFolder } from "../sources/folder.ts";
import { DOCKER, startEngine, type TestEngine, testWithDocker } from "./engine.ts";

const testDocker = testWithDocker();

/** As its users write it; of the labels that `docker compose up` gives containers, those that count are given by hand. */
const COMPOSE = `\
name: shop
services:
  web:
    image: busybox
    ports: ["8080:80"]
    networks: { front: { aliases: [www] } }
    x-rota:
      ttl: 7s
      ports: [{ name: http, target: 80 }]
  db:
    image: busybox
    networks: [front]
  cache:
    image: busybox
    networks: [front]
networks:
  front:
`;

interface Played {
  readonly engine: TestEngine;
  readonly rota: Rota;
  readonly ask: Asking;
}

describe("a Compose file and an engine", () => {
  const scope = createScope();
  let played: Played | undefined;

  beforeAll(async () => {
    if (missingOf(DOCKER).length > 0) return;
    const engine = scope.use(await startEngine());
    await engine.docker("network", "create", "shop_front");
    const folder = scope.use(await createFolder());
    const file = await folder.write("compose.yaml", COMPOSE);
    const rota = scope.use(await startRota({ files: [file], docker: `unix://${engine.socket}` }));
    played = { engine, rota, ask: asking(rota) };
  }, 60_000);
  afterAll(async () => scope[Symbol.asyncDispose](), 60_000);

  /** Starts a container as Compose would, and gives its address. */
  async function up(service: string, number: number, ...words: readonly string[]): Promise<string> {
    const { docker } = ours().engine;
    const name = `shop-${service}-${number}`;
    const labels = { project: "shop", service, "container-number": `${number}`, oneoff: "False" };
    const labelling = Object.entries(labels).flatMap(([key, value]) => [
      "-l",
      `com.docker.compose.${key}=${value}`,
    ]);
    const networks = ["--network", "shop_front", "--network-alias", service];
    await docker(
      "run",
      "-d",
      "--name",
      name,
      ...labelling,
      ...networks,
      ...words,
      "busybox",
      "sleep",
      "1000",
    );
    const address = "{{(index .NetworkSettings.Networks `shop_front`).IPAddress}}";
    return (await docker("inspect", "--format", address, name)).trim();
  }

  function ours(): Played {
    if (!played) throw new Error("there is no engine");
    return played;
  }

  /** Waits for the change by which it is so, and for nothing if it is. */
  async function shows(name: string, expected: readonly string[] | string): Promise<void> {
    const { rota, ask } = ours();
    for (;;) {
      const heard = new AbortController();
      const changed = new Promise<void>((resolve) => {
        rota.follow(() => resolve(), heard.signal);
      });
      const isSo = String(await ask.addresses(name)) === String(expected);
      if (!isSo) await changed;
      heard.abort();
      if (isSo) return;
    }
  }

  testDocker("the file says what there is, the engine who stands behind it", async () => {
    const { rota, ask, engine } = ours();
    expect(await ask.addresses("web.shop"), "it is there, and nobody stands behind it").toBe("ENODATA");
    expect(await ask.addresses("nosuch.rota.internal")).toBe("ENOTFOUND");

    const one = await up("web", 1);
    const two = await up("web", 2);
    const both = [one, two].toSorted();
    for (const name of ["web.shop", "web", "www", "web.shop_front", "tasks.www"]) await shows(name, both);
    await shows("2.web.shop", [two]);
    await shows("shop-web-1", [one]);
    const web = rota.services().find(({ name }) => name === "web.shop");
    expect(web).toMatchObject({ origin: expect.stringMatching(/compose.yaml:3:3$/), ttl: 7 });
    expect(await ask.ports("_http._tcp.web.shop")).toEqual([
      "shop-web-1.web.shop.rota.internal:80",
      "shop-web-2.web.shop.rota.internal:80",
    ]);

    await engine.docker("pause", "shop-web-1");
    await shows("web.shop", [two]);
    await engine.docker("unpause", "shop-web-1");
    await shows("web.shop", both);
    await engine.docker("rm", "--force", "shop-web-1", "shop-web-2");
    await shows("web.shop", "ENODATA");
  });

  testDocker("a HEALTHCHECK's word decides", async () => {
    const { engine } = ours();
    const check = ["--health-cmd", "test -e /well", "--health-interval", "100ms", "--health-retries", "1"];
    const db = await up("db", 1, ...check);
    await shows("shop-db-1", [db]);
    await shows("db.shop", "ENODATA");
    await engine.docker("exec", "shop-db-1", "touch", "/well");
    await shows("db.shop", [db]);
    await engine.docker("exec", "shop-db-1", "rm", "/well");
    await shows("db.shop", "ENODATA");
  });

  testDocker("an engine that is gone takes nothing with it", async () => {
    const { engine, ask, rota } = ours();
    const one = await up("cache", 1);
    await shows("cache.shop", [one]);
    await engine.stop("KILL");
    await rota.reload();
    expect(await ask.addresses("cache.shop")).toEqual([one]);
    await engine.start();
    await engine.docker("rm", "--force", "shop-cache-1");
    await shows("cache.shop", "ENODATA");
  });
});
