import { type Document, isAlias, isScalar, type Node, type Scalar, visit } from "yaml";
import { RotaError } from "../base/error.ts";
import type { Expanded } from "./expand-compose.ts";

/** Puts variables in place. @throws RotaError with what is wrong */
export type Expand = (text: string) => Expanded;

/** Says something of what stands at a node. */
export type Tell = (node: Node, message: string) => void;

/** All values with a dollar sign in them, keys left alone; and tells of aliases to nothing. */
export function findVariables(document: Document, tell: Tell): readonly Scalar[] {
  const anchors = new Set<string>();
  const found: Scalar[] = [];
  visit(document, {
    Node: (key, node) => {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) tell(node, `nothing before it has the anchor &${node.source}`);
        return;
      }
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (key === "key" || !isScalar(node) || typeof node.value !== "string") return;
      if (node.value.includes("$")) found.push(node);
    },
  });
  return found;
}

/** Puts variables in place, tells what could not be, and warns once of each that is not set. */
export function expandAll(nodes: readonly Scalar[], expand: Expand, tell: Tell, warn: Tell): void {
  const warned = new Set<string>();
  for (const node of nodes) {
    try {
      const { text, missing } = expand(String(node.value));
      node.value = node.type === "PLAIN" ? plainValue(text) : text;
      for (const [name, said] of missing) {
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
