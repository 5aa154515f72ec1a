import { execFileSync } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect } from "vitest";
import { parseEngine } from "../../../src/sources/docker/endpoint.ts";
import { openAuthority } from "../../health/certificates.ts";
import { testNeeding } from "../../needing.ts";
import { createFolder, type Folder } from "../folder.ts";
import { holding, inspected, openFakeEngine } from "./fake-engine.ts";
import { watching } from "./watched.ts";

/** A program `ssh` that is the real one, but reaches a real sshd of the test's own, whatever the host: through a pipe. */
async function withSsh(folder: Folder, engine: string, run: () => Promise<void>): Promise<void> {
  const found = (program: string): string =>
    execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
  for (const name of ["host", "user"])
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", folder.at(name)]);
  await folder.write(
    "sshd_config",
    [
      `HostKey ${folder.at("host")}`,
      `AuthorizedKeysFile ${folder.at("user.pub")}`,
      "StrictModes no",
      "UsePAM no",
      "PidFile none",
      // The docker command is there, and asks the engine that is told.
      `SetEnv DOCKER_HOST=unix://${engine} PATH=${process.env["PATH"] ?? ""} DOCKER_CONFIG=${folder.at("none")}`,
    ].join("\n"),
  );
  // sshd wants its folder in /run, which is the machine's: it gets another /run.
  const sshd = `unshare --mount sh -c 'mount -t tmpfs none /run && mkdir /run/sshd && exec ${found("sshd")} -i -f ${folder.at("sshd_config")}'`;
  const options = `-F none -i ${folder.at("user")} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR`;
  await writeFile(
    await folder.write("bin/ssh", ""),
    `#!/bin/sh\nexec ${found("ssh")} ${options} -o ProxyCommand="${sshd}" "$@"\n`,
  );
  await chmod(folder.at("bin/ssh"), 0o755);
  const path = process.env["PATH"];
  process.env["PATH"] = `${folder.at("bin")}:${path}`;
  try {
    await run();
  } finally {
    process.env["PATH"] = path;
  }
}

const SSH = { root: true, programs: ["ssh", "sshd", "ssh-keygen", "docker", "unshare", "mount"] };

testNeeding(SSH)("an engine is watched over SSH, by the docker command at its end", async () => {
  await using folder = await createFolder();
  await using engine = await openFakeEngine(holding(inspected()));
  await withSsh(folder, engine.socket, async () => {
    await using watched = watching(parseEngine("ssh://root@engine.example", {}));
    await watched.watch.ready;
    expect(watched.reports).toEqual([
      "read the engine at ssh://root@engine.example is watched by its API 1.41: 1 container on 0 networks",
    ]);
    await watched.container("web");
  });
});

testNeeding(SSH)("why an engine cannot be reached over SSH is said in the words of ssh", async () => {
  await using folder = await createFolder();
  await using engine = await openFakeEngine();
  await withSsh(folder, engine.socket, async () => {
    await folder.write("user.pub", "");
    await using watched = watching(parseEngine("ssh://root@engine.example", {}));
    await watched.watch.ready;
    expect(watched.reports).toEqual([
      expect.stringMatching(
        /^problem the engine at ssh:\/\/root@engine\.example cannot be reached: ssh: root@engine\.example: Permission denied \(.*\)\.; nothing is known from it yet; trying again$/,
      ),
    ]);
  });
});

testNeeding({ programs: ["openssl"] })("an engine is watched over TLS, and shown a certificate", async () => {
  await using authority = await openAuthority();
  await using folder = await createFolder();
  const { cert, key } = await authority.issue("IP:127.0.0.1");
  const ca = execFileSync("cat", [authority.ca], { encoding: "utf8" });
  for (const [name, text] of Object.entries({ "ca.pem": ca, "cert.pem": cert, "key.pem": key }))
    await folder.write(name, text);
  const options = { cert, key, ca, requestCert: true, rejectUnauthorized: true };
  const server = createServer(options, (request, response) => {
    response.setHeader("api-version", "1.41");
    if (request.url?.endsWith("/events") === true) return response.flushHeaders();
    response.end(request.url?.endsWith("/info") === true ? "{}" : "[]");
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  try {
    const { port }: Pick<AddressInfo, "port"> = Object.assign({ port: 0 }, server.address());
    const env = { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder.path };
    const text = `tcp://127.0.0.1:${port}`;
    await using watched = watching(parseEngine(text, env));
    await watched.watch.ready;
    expect(watched.reports).toEqual([
      `read the engine at ${text} is watched by its API 1.41: 0 containers on 0 networks`,
    ]);
    // One that nobody who is trusted signed is not asked.
    await folder.remove("ca.pem");
    await using wary = watching(parseEngine(text, env));
    await wary.watch.ready;
    expect(wary.reports).toEqual([
      expect.stringMatching(/^problem the engine at tcp:\S+ cannot be reached: .*certificate/),
    ]);
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
