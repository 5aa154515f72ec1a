import { type Document, isAlias, isPair, isScalar, type Node, type Scalar, visit } from "yaml";
import { RotaError } from "../base/error.ts";
import type { Expanded } from "./expand-compose.ts";

/** Puts variables in place. @throws RotaError with what is wrong */
export type Expand = (text: string) => Expanded;

/** Says something of what stands at a node. */
export type Tell = (node: Node, message: string) => void;

/** Values with a dollar sign in them. */
export interface Variables {
  readonly all: readonly Scalar[];
  /** Those of which nothing comes here: nobody misses what is not set there. */
  readonly unread: ReadonlySet<Scalar>;
}

/** Of a Compose file, what is nothing to Rota: there stand passwords, tags and paths, out of a `.env` mostly. */
const UNREAD_TOP = new Set(["volumes", "configs", "secrets"]);
const UNREAD_OF_SERVICE = new Set([
  "image",
  "build",
  "environment",
  "env_file",
  "command",
  "entrypoint",
  "volumes",
]);

/** All values with a dollar sign in them, keys left alone; and tells of aliases to nothing. */
export function findVariables(document: Document, tell: Tell): Variables {
  const anchors = new Set<string>();
  const found: Scalar[] = [];
  const unread = new Set<Scalar>();
  visit(document, {
    Node: (key, node, path) => {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) tell(node, `nothing before it has the anchor &${node.source}`);
        return;
      }
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (key === "key" || !isScalar(node) || typeof node.value !== "string") return;
      if (!node.value.includes("$")) return;
      found.push(node);
      if (isUnread(path)) unread.add(node);
    },
  });
  return { all: found, unread };
}

function isUnread(path: readonly unknown[]): boolean {
  const keys = path.flatMap((node) => (isPair(node) && isScalar(node.key) ? [String(node.key.value)] : []));
  const [top = "", , word = ""] = keys;
  return UNREAD_TOP.has(top) || (top === "services" && UNREAD_OF_SERVICE.has(word));
}

/** Puts variables in place, tells what could not be, and warns once of each that is not set and would be read. */
export function expandAll({ all, unread }: Variables, expand: Expand, tell: Tell, warn: Tell): void {
  const warned = new Set<string>();
  for (const node of all) {
    try {
      const { text, missing } = expand(String(node.value));
      node.value = node.type === "PLAIN" ? plainValue(text) : text;
      for (const [name, said] of unread.has(node) ? [] : missing) {
        if (!warned.has(name)) warn(node, messageOfMissing(name, said));
        warned.add(name);
      }
    } catch (error) {
      if (!(error instanceof RotaError)) throw error;
      tell(node, error.message);
    }
  }
}

function messageOfMissing(name: string, said: string): string {
  // A file's own words may have many lines, which a message has not.
  const words = said.replaceAll(/\s+/g, " ").slice(0, 100);
  const why = words === "" ? "" : ` (${words})`;
  return `variable ${name} is not set${why} and counts as empty: set it, also if it stands in a .env, which is not read`;
}

/** A number or truth value that came from a variable is one, unless it stands in quotes. */
function plainValue(expanded: string): string | number | boolean {
  if (expanded === "true" || expanded === "false") return expanded === "true";
  return /^-?\d+(?:\.\d+)?$/.test(expanded) ? Number(expanded) : expanded;
}
