import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join, resolve } from "node:path";
import { compareText } from "../base/compare.ts";
import { messageOf, systemCodeOf } from "../base/error.ts";

/** Above `octets` a file is not read. */
export interface FileLimit {
  readonly octets: number;
  /** What to do about it. */
  readonly remedy: string;
}

/** More would take memory and minutes, and is none that somebody wrote. */
export const SERVICES_LIMIT: FileLimit = {
  octets: 256 * 1024 * 1024,
  remedy: "split it into several files",
};

/** What is found where a file is expected. */
export type Look =
  | { readonly kind: "octets"; readonly file: string; readonly octets: Uint8Array }
  | { readonly kind: "missing"; readonly file: string }
  | { readonly kind: "unreadable"; readonly file: string; readonly message: string };

/**
 * The services files that `paths` name, in order and each once: a file as it is, missing ones too; of a folder all
 * `*.yaml`, `*.yml` and `*.json` right in it, but none that begins with a dot, sorted by what stands before that: so
 * `compose.yaml` comes before the `compose.override.yaml` that changes what it says.
 */
export async function listFiles(paths: readonly string[]): Promise<readonly string[]> {
  const lists = await Promise.all(
    paths.map(async (path) => ((await isFolder(path)) ? listFolder(path) : [path])),
  );
  const seen = new Set<string>();
  return lists.flat().filter((file) => {
    const place = resolve(file);
    const isNew = !seen.has(place);
    seen.add(place);
    return isNew;
  });
}

/** Reads each of `files`, or finds out why not. */
export async function lookAt(files: readonly string[], limit: FileLimit): Promise<readonly Look[]> {
  return Promise.all(files.map((file) => lookAtOne(file, limit)));
}

/** A text that differs once a file has been written, replaced, taken away or put back. */
export async function signatureOf(files: readonly string[]): Promise<string> {
  return (await Promise.all(files.map(signatureOfOne))).join("\n");
}

export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false; // what is wrong with it, reading it tells
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && /^[^.].*\.(?:ya?ml|json)$/.test(entry.name))
      .map(({ name }) => name)
      .toSorted((one, other) => compareText(stemOf(one), stemOf(other)) || compareText(one, other))
      .map((name) => join(folder, name));
  } catch {
    return [folder]; // reading it tells what is wrong with it
  }
}

function stemOf(name: string): string {
  return name.slice(0, -extname(name).length);
}

async function lookAtOne(file: string, { octets, remedy }: FileLimit): Promise<Look> {
  try {
    const { size, ...kind } = await statFile(file);
    if (!kind.isFile) return { kind: "unreadable", file, message: "is not a file" };
    if (size > octets) {
      const message = `has ${size} octets, ${octets} are allowed: ${remedy}`;
      return { kind: "unreadable", file, message };
    }
    return { kind: "octets", file, octets: await readFile(file) };
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return { kind: "missing", file };
    return { kind: "unreadable", file, message: `could not be read: ${messageOf(error)}` };
  }
}

async function statFile(file: string): Promise<{ readonly size: number; readonly isFile: boolean }> {
  const found = await stat(file);
  return { size: found.size, isFile: found.isFile() };
}

async function signatureOfOne(file: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs, mode } = await stat(file, { bigint: true });
    return `${file} ${ino} ${size} ${mtimeNs} ${ctimeNs} ${mode}`;
  } catch (error) {
    return `${file} ${systemCodeOf(error)}`;
  }
}
