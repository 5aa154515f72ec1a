import { chmod, cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { TestEngine } from "../docker/engine.ts";
import { outputOf } from "../run.ts";
import { createFolder } from "../sources/folder.ts";

/**
 * Stands in for what a registry has under `tag`, of the Node, npm and libraries that are installed here. Where it is,
 * nothing else can be reached: npm has beforehand what a clone's lock file names.
 *
 * @param clone the folder of package.json and package-lock.json
 */
export async function importNodeImage(engine: TestEngine, tag: string, clone: string): Promise<void> {
  await using folder = await createFolder();
  const root = folder.at("root");
  for (const path of [
    "bin",
    "etc",
    "home/node",
    "tmp",
    "usr/bin",
    "usr/local/bin",
    "usr/local/lib/node_modules",
  ])
    await mkdir(join(root, path), { recursive: true });
  await chmod(join(root, "tmp"), 0o1777);

  await copyProgram("busybox", root, "bin/busybox");
  await outputOf("chroot", [root, "/bin/busybox", "--install", "-s", "/bin"]);
  await symlink("/bin/busybox", join(root, "usr/bin/env")).catch(() => {});
  await copyProgram("setcap", root, "usr/bin/setcap");
  await copyProgram("node", root, "usr/local/bin/node");
  const modules = (await outputOf("npm", ["root", "--global"])).trim();
  await cp(join(modules, "npm"), join(root, "usr/local/lib/node_modules/npm"), {
    recursive: true,
    dereference: true,
  });
  await symlink("../lib/node_modules/npm/bin/npm-cli.js", join(root, "usr/local/bin/npm"));
  await writeFile(join(root, "bin/apk"), APK, { mode: 0o755 });
  await writeFile(
    join(root, "etc/passwd"),
    "root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
  );
  await writeFile(join(root, "etc/group"), "root:x:0:\nnode:x:1000:\n");
  await fillCache(clone, folder.at("filling"), join(root, "npm"));

  const variables = ["NPM_CONFIG_CACHE=/npm", "NPM_CONFIG_OFFLINE=true", "NPM_CONFIG_UPDATE_NOTIFIER=false"];
  const changes = variables.map((variable) => `--change 'ENV ${variable}'`).join(" ");
  await outputOf("sh", ["-c", `tar -C "$0" -c . | docker import ${changes} - "$1"`, root, tag], {
    env: { DOCKER_HOST: `unix://${engine.socket}` },
  });
}

/** What it would install is there already. */
const APK = '#!/bin/sh\n[ "$*" = "add --no-cache libcap-setcap" ]\n';

async function copyProgram(name: string, root: string, place: string): Promise<void> {
  const path = (await outputOf("sh", ["-c", 'readlink -f "$(command -v "$0")"', name])).trim();
  await cp(path, join(root, place));
  // A program that needs no libraries makes ldd fail.
  const listed = await outputOf("sh", ["-c", 'ldd "$0" || true', path]);
  for (const [library] of listed.matchAll(/\/\S+/g)) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await cp(library, join(root, library), { dereference: true });
  }
}

async function fillCache(clone: string, folder: string, cache: string): Promise<void> {
  await mkdir(folder);
  for (const name of ["package.json", "package-lock.json"]) await cp(join(clone, name), join(folder, name));
  await outputOf("npm", ["ci", "--ignore-scripts", "--cache", cache], { cwd: folder });
}
