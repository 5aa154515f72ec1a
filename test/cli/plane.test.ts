import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { createFolder, type Folder } from "../sources/folder.ts";
import { rota } from "./run.ts";
import { serving } from "./serving.ts";

const scope = createScope();
let folder: Folder;
let control = "";

beforeAll(async () => {
  folder = scope.use(await createFolder());
  control = folder.at("control.sock");
});
afterAll(async () => scope[Symbol.asyncDispose]());

/** VIPs in two pools: loopback, and one that only a kernel carries. */
const fileOf = (port: number): string => `networks:
  loop: { vips: 127.70.2.0/30 }
  front: { vips: [10.64.0.0/24, "fd64::/112"] }
services:
  web:
    networks: [loop]
    ports: [{ name: http, target: 8080, port: ${port} }]
    tasks:
      - { id: a, address: 127.0.8.1, weight: 3 }
      - { id: b, address: 127.0.8.2 }
  shop:
    networks: [front]
    ports: [{ name: http, target: 8080, port: 80, published: 30080 }, "53/udp"]
    tasks: [{ id: a, address: [10.0.1.11, "fd00::11"] }]
`;

async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  server.close();
  await once(server, "close");
  return bound !== null && typeof bound === "object" ? bound.port : 0;
}

describe("of a running server, plane shows", () => {
  let port = 0;

  beforeAll(async () => {
    port = await freePort("127.70.2.2");
    const file = await folder.write("services.yaml", fileOf(port).replace(/ {2}shop:[\s\S]*/, ""));
    const server = scope.use(
      serving([file], { variables: { ROTA_CONTROL: control, ROTA_PLANE: "userspace" } }),
    );
    await server.logs(/answering for/);
  });

  test("who carries what, and who gets how much of it", async () => {
    const { stdout, code } = await rota(["plane", "--control", control]);
    expect(stdout).toBe(
      [
        "userspace: 1 service",
        "web",
        `  127.70.2.VIP:${port}/tcp  weighted, 2 of 2 tasks serving`,
        "    a  127.0.8.1:8080  weight 3  0 flows  0 open",
        "    b  127.0.8.2:8080  weight 1  0 flows  0 open",
        "",
      ]
        .join("\n")
        .replace("VIP", /127\.70\.2\.(\d)/.exec(stdout)?.[1] ?? ""),
    );
    expect(code).toBe(0);
  });

  test("the same as JSON", async () => {
    const { stdout } = await rota(["plane", "--control", control, "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({
      planes: [{ kind: "userspace", services: [{ name: "web" }], strangers: [] }],
      troubles: [],
    });
  });

  test("the ruleset of what the kernel would carry: of VIPs on loopback, nothing", async () => {
    const { stdout } = await rota(["plane", "--control", control, "--dry-run"]);
    expect(stdout).toMatch(/^table inet rota/);
    expect(stdout).not.toContain("127.70.2");
  });
});

test("of files, plane prints the ruleset that they come to, and touches nothing", async () => {
  const file = await folder.write("shop.yaml", fileOf(18_080));
  const { stdout, code } = await rota(["plane", file, "--dry-run"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/10\.64\.0\.\d+ \. 80\b/);
  expect(stdout).toMatch(/fd64::[\da-f]+ \. 80\b/);
  expect(stdout).toContain("10.0.1.11");
  expect(stdout).toContain("30080");
  expect(stdout).not.toContain("127.70.2");
});

test("the ruleset of files is that of the node that is named", async () => {
  const file = await folder.write(
    "nodes.yaml",
    `nodes: { n1: 10.99.0.1, n2: 10.99.0.2 }
services:
  web:
    endpoint_mode: dnsrr
    ports: [{ target: 8080, published: 30080 }]
    tasks: [{ id: a, address: 10.0.1.11, node: n1 }, { id: b, address: 10.0.1.12, node: n2 }]
`,
  );
  const { stdout } = await rota(["plane", file, "--dry-run", "--node", "n1"]);
  expect(stdout).toContain("add element inet rota remote4 { 10.0.1.12 }");
});

test.each<[string, () => readonly string[], string, number]>([
  ["no server", () => ["--control", folder.at("none.sock")], "no server listens there", 1],
  ["files without --dry-run", () => ["services.yaml"], "FILES need --dry-run", 2],
  ["nowhere to ask", () => ["--control", "none"], "--control none is nowhere to ask", 2],
  ["a file that is not there", () => [folder.at("nope.yaml"), "--dry-run"], "nope.yaml", 1],
])("with %s, plane says so", async (_, words, message, code) => {
  const ran = await rota(["plane", ...words()]);
  expect(ran.stdout).toBe("");
  expect(ran.stderr).toContain(message);
  expect(ran.code).toBe(code);
});

test("serve refuses a plane that there is not", async () => {
  const { stderr, code } = await rota(["serve", "--plane", "ebpf"]);
  expect(stderr).toContain('plane cannot be "ebpf", but "auto", "none", "userspace", "nftables", "ipvs"');
  expect(code).toBe(2);
});
