import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { decidingFolders } from "./deciding-folders.ts";

/** With `poll`: how often each file is looked at, in milliseconds. */
const POLL_MS = 500;

/** Rings when something may have changed at the paths that it was last told to watch. */
export interface PathWatch {
  /** Watches `files`, and the folders that decide on them and on `paths`; says whether that is news. */
  follow(paths: readonly string[], files: readonly string[]): Promise<boolean>;
  close(): Promise<void>;
}

export interface PathWatchOptions {
  /** Ask again and again, where the system tells of no changes: network volumes, some containers. */
  readonly poll: boolean;
  readonly ring: () => void;
  /** The system refused to watch, as for lack of watches. */
  readonly fail: (error: unknown) => void;
}

export function createPathWatch({ poll, ring, fail }: PathWatchOptions): PathWatch {
  let watcher: FSWatcher | undefined;
  let watched = "";

  return {
    async follow(paths, files) {
      const folders = new Set((await Promise.all([...paths, ...files].map(decidingFolders))).flat());
      // What is missing is seen to come by its folder. chokidar would count it twice, and be ready too early.
      const present = await presentOf(files);
      // A folder put in place of another has its name, and is another one to watch.
      const wanted = [...(await Promise.all([...folders].map(identityOf))), ...present].join("\n");
      if (wanted === watched) return false;
      // First closed: two watchers of one process share what they watch, a folder that is no more as well.
      await watcher?.close();
      watcher = await open([...folders, ...present.map((file) => resolve(file))]);
      watched = wanted;
      return true;
    },
    async close() {
      await watcher?.close();
    },
  };

  async function open(targets: readonly string[]): Promise<FSWatcher> {
    const wanted = new Set(targets);
    const opened = watch([...targets], {
      depth: 0,
      ignored: (path) => !wanted.has(path),
      ignoreInitial: true,
      interval: POLL_MS,
      usePolling: poll,
    });
    opened.on("error", fail);
    opened.on("all", ring);
    // What chokidar takes for no change may be one: a link that is put in place of another, for one.
    opened.on("raw", ring);
    // Not by `once`, which an error ends: what cannot be watched is told, and the rest is watched all the same.
    await new Promise<void>((resolve) => {
      opened.once("ready", resolve);
    });
    return opened;
  }
}

async function presentOf(files: readonly string[]): Promise<readonly string[]> {
  const isThere = await Promise.all(files.map(async (file) => (await identityOf(file)) !== file));
  return files.filter((_, at) => isThere[at]);
}

/** What differs once another is put in its place; of what is missing, the path alone. */
async function identityOf(path: string): Promise<string> {
  try {
    return `${path} ${(await stat(path)).ino}`;
  } catch {
    return path;
  }
}
