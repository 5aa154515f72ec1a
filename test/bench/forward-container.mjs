import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const INSIDE = fileURLToPath(new URL("forward-inside.mjs", import.meta.url));
const SOURCE = fileURLToPath(new URL("forward-resolve.c", import.meta.url));
const COMPILERS = { glibc: ["gcc"], musl: ["musl-gcc", "-static"] };
const IS_ROOT = process.getuid() === 0;

/** A network and a resolv.conf of its own, as a container has. */
const ENTER = ["--net", "--mount", ...(IS_ROOT ? [] : ["--map-root-user"]), "sh", "-ec"];
const PREPARE = `
ip link set lo up
mount --bind "$1/resolv.conf" /etc/resolv.conf
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
shift
exec "$@"`;

/**
 * How long the slowest question of each client takes whose one name server is a Rota with a dead first upstream, by the
 * table of forward-inside.mjs; none where there is no such client, and nothing where no namespace can be made.
 */
export async function slowestOfClients() {
  const folder = await mkdtemp(join(tmpdir(), "rota-bench-"));
  try {
    await writeFile(join(folder, "resolv.conf"), "");
    await writeFile(join(folder, "nsswitch.conf"), "hosts: dns\n");
    for (const [libc, [program, ...flags]] of Object.entries(COMPILERS)) {
      spawnSync(program, [...flags, "-O", "-o", join(folder, libc), SOURCE]);
    }
    const words = [...ENTER, PREPARE, "sh", folder, process.execPath, INSIDE, folder];
    const { stdout } = await promisify(execFile)("unshare", words);
    return JSON.parse(stdout);
  } catch (error) {
    console.error(`no clients were measured: ${error.message}`);
    return [];
  } finally {
    await rm(folder, { recursive: true });
  }
}
