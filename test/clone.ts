import { cp, symlink } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { createFolder, type Folder } from "./sources/folder.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const ABSENT = new Set(["node_modules", "dist", ".git"]);

/** What a fresh clone has after `npm install`: no build yet, so that making one disturbs no other test. */
export async function cloneProject(): Promise<Folder> {
  const clone = await createFolder();
  await cp(ROOT, clone.path, { recursive: true, filter: (path) => !ABSENT.has(basename(path)) });
  await symlink(`${ROOT}node_modules`, clone.at("node_modules"), "dir");
  return clone;
}
