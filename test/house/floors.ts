import { builtinModules } from "node:module";
import { posix } from "node:path";

/** The rooms of `src` by floor, from the ground up. A file right in `src` is the door, above all of them. */
const FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["model"],
  ["registry", "wire", "ask", "schema"],
  ["sources", "dns", "health", "plane", "api"],
  ["app"],
  ["cli"],
];
const DOOR = "index.ts";

export interface SourceFile {
  /** From `src`, as `dns/answer.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Every import that breaks a rule of the house, a line each. */
export function trespasses(files: readonly SourceFile[]): string[] {
  const imports = files.flatMap((file) =>
    importsOf(file).map((specifier) => ({ path: file.path, specifier })),
  );
  return [
    ...files
      .map(({ path }) => path)
      .filter((path) => path !== DOOR && floorOf(path) < 0)
      .map((path) => `${path}: is in no room`),
    ...imports.filter(({ specifier }) => specifier.startsWith(".")).flatMap(trespassOf),
    ...sharedPackages(imports),
  ];
}

function trespassOf({ path, specifier }: { path: string; specifier: string }): string[] {
  const target = posix.join(posix.dirname(path), specifier);
  const told = `${path} imports ${target}`;
  if (!specifier.endsWith(".ts")) return [`${told}: not a .ts file`];
  if (target.startsWith("..")) return [`${told}: outside of src`];
  if (roomOf(path) === roomOf(target)) return [];
  const [from, to] = [floorOf(path), floorOf(target)];
  if (to > from) return [`${told}: up`];
  return to === from ? [`${told}: sideways`] : [];
}

function sharedPackages(imports: readonly { path: string; specifier: string }[]): string[] {
  const rooms = new Map<string, Set<string>>();
  for (const { path, specifier } of imports) {
    if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
    const name = specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
    const note = builtinModules.includes(name) ? `${name} (write node:${name})` : name;
    rooms.set(note, (rooms.get(note) ?? new Set()).add(roomOf(path)));
  }
  return [...rooms]
    .filter(([name, of]) => of.size > 1 || name.includes("node:"))
    .map(([name, of]) => `${name} is imported in ${[...of].toSorted().join(" and ")}`);
}

/** What a file imports or exports from, statically, dynamically, for its types, or as a thread of its own. */
function importsOf({ text }: SourceFile): string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const imports = code.matchAll(
    /(?:\b(?:import|export)\b[^"';]*?\bfrom\s*|\bimport\s*\(?\s*)["']([^"']+)["']/g,
  );
  // A thread is loaded by URL, which the compiler does not rewrite: it names what it will be built to.
  const threads = code.matchAll(/new URL\(\s*["']([^"']+)\.js["']/g);
  return [
    ...[...imports].map(([, specifier = ""]) => specifier),
    ...[...threads].map(([, specifier = ""]) => `${specifier}.ts`),
  ];
}

function roomOf(path: string): string {
  return path.includes("/") ? (path.split("/")[0] ?? path) : path;
}

function floorOf(path: string): number {
  if (path === DOOR) return FLOORS.length;
  return FLOORS.findIndex((rooms) => rooms.includes(roomOf(path)));
}
