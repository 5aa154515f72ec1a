import { renameSync, writeFileSync } from "node:fs";
import { mkdtemp, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder of real files, that is gone with the test. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
  at(name: string): string;
  /** Writes into the file where it is. */
  write(name: string, text: string | Uint8Array): Promise<string>;
  /** Puts another file in its place, as editors do. */
  replace(name: string, text: string): Promise<void>;
  remove(name: string): Promise<void>;
  move(from: string, to: string): Promise<void>;
  /** Puts `other` in its place, before anybody may look in between. */
  exchange(name: string, other: string): void;
  /** Puts a link in place, of another one too, in one step, as Kubernetes does with `..data`. */
  link(name: string, target: string): Promise<void>;
}

export async function createFolder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), "rota-sources-"));
  const at = (name: string): string => join(path, name);
  let count = 0;
  const aside = (): string => at(`.aside-${(count += 1)}`);

  return {
    path,
    at,
    async write(name, text) {
      await mkdir(dirname(at(name)), { recursive: true });
      // At once: a machine that is slow in between is not what is tested.
      writeFileSync(at(name), text);
      return at(name);
    },
    async replace(name, text) {
      const other = aside();
      await writeFile(other, text);
      await rename(other, at(name));
    },
    remove: (name) => rm(at(name), { recursive: true }),
    move: (from, to) => rename(at(from), at(to)),
    exchange(name, other) {
      renameSync(at(name), aside());
      renameSync(at(other), at(name));
    },
    async link(name, target) {
      const other = aside();
      await symlink(target, other);
      await rename(other, at(name));
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
