import { constants } from "node:fs";
import { type FileHandle, open, stat, statfs } from "node:fs/promises";
import { messageOf, RotaError } from "../base/error.ts";

/** A network namespace that is held open: it stays the same, whatever comes to be at the path that it was found at. */
export interface Namespace extends AsyncDisposable {
  /** A path that leads to it for as long as it is open; the number of a process may meanwhile be another's. */
  readonly path: string;
  /** Tells it from all others. */
  readonly id: string;
}

/** Where namespaces are found. */
export interface Namespaces {
  /** The {@link Namespace.id} of what is at a path now; undefined: nothing is. */
  idAt(path: string): Promise<string | undefined>;
  /** @throws RotaError `ERR_ROTA_PLANE`: it is none */
  open(path: string): Promise<Namespace>;
}

/** What namespaces are files of (linux/magic.h). */
const NSFS_MAGIC = 0x6e736673;

/** That of this process. */
export const OWN_NAMESPACE = "/proc/self/ns/net";

export const systemNamespaces: Namespaces = {
  async idAt(path) {
    try {
      return idOf(await stat(path, { bigint: true }));
    } catch {
      return undefined;
    }
  },
  async open(path) {
    try {
      // A pipe would have it wait for a writer.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      const held = await heldPath(file, path);
      // Of another kind than the network's: `nsenter` says so.
      if ((await statfs(held)).type !== NSFS_MAGIC) {
        await file.close();
        throw new RotaError("ERR_ROTA_PLANE", "it is no network namespace");
      }
      const id = idOf(await file.stat({ bigint: true }));
      return { path: held, id, [Symbol.asyncDispose]: async () => file.close() };
    } catch (error) {
      if (error instanceof RotaError) throw error;
      throw new RotaError("ERR_ROTA_PLANE", `could not open it: ${messageOf(error)}`, { cause: error });
    }
  },
};

/** Where /proc shows other processes than this one is among, as in a container with a /proc of the machine's, the path must do. */
async function heldPath({ fd }: FileHandle, path: string): Promise<string> {
  const held = `/proc/${process.pid}/fd/${fd}`;
  return stat(held).then(
    () => held,
    () => path,
  );
}

function idOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`;
}
