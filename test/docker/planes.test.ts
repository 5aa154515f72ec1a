import { afterAll, beforeAll, describe, expect } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { MAIN } from "../cli/run.ts";
import { type Serving, serving } from "../cli/serving.ts";
import { missingOf, type Needs, testNeeding } from "../needing.ts";
import { outputOf } from "../run.ts";
import { createFolder } from "../sources/folder.ts";
import { DOCKER, startEngine, type TestEngine } from "./engine.ts";

const NEEDS: Needs = {
  ...DOCKER,
  programs: [...(DOCKER.programs ?? []), "nft", "conntrack", "curl", "dig"],
};

const COMPOSE = `\
name: shop
services:
  web:
    image: busybox
    networks: [front]
    x-rota:
      endpoint_mode: vip
      ports: [{ name: http, target: 8080, port: 80 }]
networks:
  front:
    ipam: { config: [{ subnet: 10.90.0.0/24 }] }
    x-rota: { vips: 10.64.0.0/24 }
`;

/** Where Rota listens: the machine's own address on the network. */
const GATEWAY = "10.90.0.1";
/** Says who it is, and who asked. */
const TASK = `mkdir -p /www/cgi-bin
printf '#!/bin/sh\\nprintf "\\\\n%%s sees %%s\\\\n" $(hostname) $REMOTE_ADDR\\n' > /www/cgi-bin/who
chmod +x /www/cgi-bin/who
exec httpd -f -p 8080 -h /www`;

describe("inside of containers' own namespaces", () => {
  const scope = createScope();
  let engine: TestEngine;
  let rota: Serving;
  let control = "";

  beforeAll(async () => {
    if (missingOf(NEEDS).length > 0) return;
    engine = scope.use(await startEngine());
    await engine.docker("network", "create", "--subnet", "10.90.0.0/24", "--gateway", GATEWAY, "shop_front");
    for (const [at, name] of ["one", "two"].entries()) await up(name, 11 + at, "web", TASK);
    await up("client", 50, "shell", "sleep 1000");
    const folder = scope.use(await createFolder());
    const file = await folder.write("compose.yaml", COMPOSE);
    // All of its namespaces but that of processes: its signals are sent from out here.
    const enter = engine.enter.filter((word) => !word.startsWith("--pid"));
    control = folder.at("control.sock");
    const words = ["--docker", `unix://${engine.socket}`, "--listen", `${GATEWAY}:53`];
    const planes = ["--plane", "nftables", "--plane-netns", "tasks"];
    rota = scope.use(serving([file, ...words, ...planes], { enter, variables: { ROTA_CONTROL: control } }));
    await rota.logs(/answering for/);
  }, 60_000);
  afterAll(async () => scope[Symbol.asyncDispose](), 60_000);

  /** Starts a container as Compose would. */
  async function up(name: string, last: number, service: string, script: string): Promise<void> {
    const labels = { project: "shop", service, oneoff: "False" };
    const labelling = Object.entries(labels).flatMap(([key, value]) => [
      "-l",
      `com.docker.compose.${key}=${value}`,
    ]);
    const place = [
      "--network",
      "shop_front",
      "--ip",
      `10.90.0.${last}`,
      "--dns",
      GATEWAY,
      "--hostname",
      name,
    ];
    await engine.docker("run", "-d", "--name", name, ...labelling, ...place, "busybox", "sh", "-c", script);
  }

  /** What who is in the container's network is told by the VIP behind the name, in so many requests. */
  async function heard(from: string, times: number): Promise<readonly string[]> {
    // The image's static programs cannot resolve, so it is the machine's own that are run in there.
    const pid = (await engine.docker("inspect", "--format", "{{.State.Pid}}", from)).trim();
    const [program, ...rest] = [...engine.enter, "nsenter", `--net=/proc/${pid}/ns/net`, "sh", "-c"];
    const script = `vip=$(dig +short @127.0.0.11 web.rota.internal)
for i in $(seq ${times}); do curl -sS --max-time 3 "http://$vip/cgi-bin/who" 2>&1; done`;
    const said = await outputOf(program, [...rest, script]);
    // Its tasks listen on both families at once.
    const plain = said.trim().replaceAll(/\[::ffff:(\S+)\]/g, "$1");
    return [...new Set(plain.split("\n"))].toSorted();
  }

  testNeeding(NEEDS)(
    "a container reaches the tasks by a VIP's name, in turn, and they see its address",
    async () => {
      await expect
        .poll(() => heard("client", 16), { timeout: 10_000 })
        .toEqual(["one sees 10.90.0.50", "two sees 10.90.0.50"]);
    },
  );

  testNeeding(NEEDS)("rota plane tells the namespaces apart", async () => {
    const shown = async (): Promise<string> =>
      outputOf(process.execPath, [MAIN, "plane", "--control", control]);
    const pid = (await engine.docker("inspect", "--format", "{{.State.Pid}}", "client")).trim();
    const [, there = ""] = (await shown()).split(`nftables in /proc/${pid}/ns/net: `);
    expect(there).toMatch(/^1 service\nweb\.shop\n {2}10\.64\.0\.\d+:80\/tcp .*\n {4}one .* [1-9]\d* flows /);
    await engine.docker("rm", "--force", "client");
    await expect.poll(shown).not.toContain(`/proc/${pid}/`);
    expect(await shown()).not.toContain("trouble");
  });
});
