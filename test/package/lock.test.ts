import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

/** What npm writes of a package, as far as it matters here. */
interface Locked {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const TEXT = readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8");
const LOCK: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(TEXT);
const MANIFEST: Locked = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));

describe("the lock file", () => {
  test("names no registry: whoever installs has their own", () => {
    expect(TEXT).not.toMatch(/"resolved"/);
  });

  test("is of this package.json", () => {
    expect(LOCK.packages[""]).toMatchObject({
      dependencies: MANIFEST.dependencies,
      devDependencies: MANIFEST.devDependencies,
    });
  });

  // `npm ci` refuses one that is not, and it comes to be so when a platform's package cannot be had.
  test("has all that is depended on, for every platform", () => {
    const missing = Object.entries(LOCK.packages).flatMap(([path, locked]) =>
      Object.keys({ ...locked.dependencies, ...locked.optionalDependencies })
        .filter((name) => !isLocked(path, name))
        .map((name) => `${name}, for ${path}`),
    );
    expect(missing).toEqual([]);
  });
});

/** Whether what is installed at `path` would find `name`, as Node looks for it: there and in each folder above. */
function isLocked(path: string, name: string): boolean {
  const place = path === "" ? `node_modules/${name}` : `${path}/node_modules/${name}`;
  if (place in LOCK.packages) return true;
  if (path === "") return false;
  const end = path.lastIndexOf("/node_modules/");
  return isLocked(end < 0 ? "" : path.slice(0, end), name);
}
