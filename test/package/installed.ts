import { cp, readdir, symlink } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { cloneProject } from "../clone.ts";
import { outputOf, type Ran, run } from "../run.ts";
import { createFolder, type Folder } from "../sources/folder.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const TSC = `${ROOT}node_modules/typescript/bin/tsc`;

/** The package as `npm publish` would send it. */
export interface Packed extends AsyncDisposable {
  readonly tarball: string;
}

/** Packs a fresh clone, which builds it anew. */
export async function pack(): Promise<Packed> {
  const clone = await cloneProject();
  await clone.write("dist/gone.js", "// Built from what is no more.\n");
  await outputOf("npm", ["pack"], { cwd: clone.path });
  const tarball = (await readdir(clone.path)).find((name) => name.endsWith(".tgz"));
  return { ...clone, tarball: clone.at(tarball ?? "none.tgz") };
}

/** Somebody's project, in which the package is installed and programs use it. */
export interface Project extends Folder {
  /** What `npm install` said. */
  readonly installing: Ran;
  /** What the TypeScript compiler said of `program.ts`. */
  readonly compiling: Ran;
}

export async function install({ tarball }: Packed): Promise<Project> {
  const project = await createFolder();
  const cwd = project.path;
  await project.write("package.json", `{ "name": "consumer", "private": true, "type": "module" }`);
  const options = ["--prefer-offline", "--no-audit", "--no-fund"];
  const installing = await run("npm", ["install", ...options, tarball], { cwd });

  // What else such a project has, from where it is already.
  await symlink(`${ROOT}node_modules/@types`, project.at("node_modules/@types"), "dir");
  await cp(`${ROOT}test/package/consumer`, cwd, { recursive: true });
  await cp(`${ROOT}examples/library/main.js`, project.at("example.js"));
  await project.write("required.cjs", `console.log(typeof require("rota").startRota);\n`);
  const compiling = await run(process.execPath, [TSC, "-p", cwd], { cwd });
  return { ...project, installing, compiling };
}
