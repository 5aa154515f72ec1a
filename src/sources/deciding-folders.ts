import { lstat, readlink } from "node:fs/promises";
import { isAbsolute, join, parse, resolve, sep } from "node:path";

/** More links than Linux follows (path_resolution(7): 40). */
const MAX_LINKS = 40;

/**
 * The folders in which it is decided what stands at `path`: the one that it is in or is, the one of each link on
 * the way, and of what does not exist the last that does. A change in none of them is none of `path`.
 */
export async function decidingFolders(path: string): Promise<readonly string[]> {
  const folders = new Set<string>();
  const whole = resolve(path);
  const { root } = parse(whole);
  const steps = stepsOf(whole);
  let at = root;
  let links = 0;
  for (let step = steps.shift(); step !== undefined; step = steps.shift()) {
    const next = join(at, step);
    const kind = await kindOf(next);
    if (kind === "folder") {
      at = next;
      continue;
    }
    folders.add(at);
    if (kind !== "link" || links === MAX_LINKS) return [...folders];
    links += 1;
    const target = await readlink(next);
    steps.unshift(...stepsOf(target));
    if (isAbsolute(target)) at = root;
  }
  return [...folders.add(at)];
}

function stepsOf(path: string): string[] {
  return path.split(sep).filter((step) => step !== "" && step !== ".");
}

async function kindOf(path: string): Promise<"folder" | "link" | "file" | "nothing"> {
  try {
    const found = await lstat(path);
    if (found.isSymbolicLink()) return "link";
    return found.isDirectory() ? "folder" : "file";
  } catch {
    return "nothing";
  }
}
