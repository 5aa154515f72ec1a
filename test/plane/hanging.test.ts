import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { expect } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { serving } from "../cli/serving.ts";
import { openNamespace, testInNamespace } from "../clients/namespace.ts";
import { outputOf } from "../run.ts";
import { createFolder } from "../sources/folder.ts";

const FILE = `networks:
  front: { subnets: [10.61.0.0/16], vips: 10.64.0.0/24 }
services:
  web: { networks: [front], ports: ["80:8080"], tasks: [10.61.1.11] }
`;
/** Can be had, and then says nothing more for as long as it is asked to do anything. */
const HANGING = `#!/bin/sh
case "$1" in -c) exit 0;; esac
exec sleep 300
`;

async function openMachine() {
  const scope = createScope();
  const { enter } = scope.use(await openNamespace());
  const folder = scope.use(await createFolder());
  const file = await folder.write("services.yaml", FILE);
  await chmod(await folder.write("nft", HANGING), 0o755);
  const variables = { PATH: `${folder.path}:${process.env["PATH"] ?? ""}` };
  const server = scope.use(
    serving([file, "--plane", "nftables", "--listen", "127.0.0.1:5300"], { enter, variables }),
  );
  return { scope, server, enter };
}

testInNamespace({ root: true, programs: ["nft", "ip"] })(
  "SIGTERM ends a start that waits for an nft that hangs",
  async () => {
    const { scope, server } = await openMachine();
    await using _ = scope;
    await server.logs(/services.yaml: read/);
    await setTimeout(1_500); // it is under way
    server.child.kill("SIGTERM");
    await Promise.race([once(server.child, "close"), setTimeout(5_000)]);
    expect(server.child.exitCode).toBe(0);
  },
);

testInNamespace({ root: true, programs: ["nft", "ip", "dig"] })(
  "names are answered though nft hangs, and that is told",
  async () => {
    const { scope, server, enter } = await openMachine();
    await using _ = scope;
    await server.logs(/after 10 s the traffic to VIPs and published ports is not carried yet/);
    await server.logs(/answering for/);
    const asked = ["dig", "@127.0.0.1", "-p", "5300", "+short", "tasks.web"];
    expect(await outputOf(enter[0] ?? "", [...enter.slice(1), ...asked])).toBe("10.61.1.11\n");
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
  },
);
