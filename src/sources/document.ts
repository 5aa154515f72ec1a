import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  visit,
  type YAMLMap,
} from "yaml";
import { messageOf, RotaError } from "../base/error.ts";
import type { Path } from "../schema/problem.ts";
import { type Environment, expand } from "./expand.ts";
import type { Placed, Position } from "./report.ts";

/** A text as it was understood; `value` is only to be used if there are no problems. */
export interface ReadDocument {
  readonly value: unknown;
  readonly problems: readonly Placed[];
  readonly warnings: readonly Placed[];
  /** Where the value at a path stands, or its key; of what came in by an alias or merge, the nearest above. */
  readonly locate: (path: Path, at?: "key") => Position;
}

/**
 * How often anchors may be expanded, nested ones multiplied. yaml's own 100 is too low for ten thousand
 * services that share an anchor; nesting that grows without bound still ends here.
 */
const MAX_ALIASES = 100_000;

/** Reads YAML 1.2, and so JSON, with `<<` merging, and puts variables in place. */
export function readDocument(text: string, env: Environment): ReadDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    merge: true,
    prettyErrors: false, // they are many lines
    stringKeys: true,
    uniqueKeys: false, // yaml compares each with each: 50 million times for 10,000 services
  });
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  // What follows a slip of syntax is mostly its echo.
  const problems: Placed[] = document.errors.slice(0, 1).map(({ code, message, pos }) => ({
    position: positionAt(pos[0]),
    message: explain(code, message),
  }));
  const tell = (node: Node, message: string): void => {
    problems.push({ position: positionAt(node.range?.[0] ?? 0), message });
  };
  if (problems.length === 0) tellTwins(document, tell);
  if (problems.length === 0) expandAll(document, env, tell);
  const value = problems.length === 0 ? valueOf(document, problems) : undefined;
  if (problems.length === 0 && value === null) {
    problems.push({
      position: undefined,
      message: "is empty: write `services: {}` into it to declare nothing",
    });
  }
  const offsetOf = createOffsets(document);
  return {
    value,
    problems,
    warnings: document.warnings.map(({ pos, message }) => ({ position: positionAt(pos[0]), message })),
    locate: (path, at) => positionAt(offsetOf(path, at)),
  };
}

function explain(code: string, message: string): string {
  if (code === "MULTIPLE_DOCS") return "a second document begins: write one in a file";
  return `not valid YAML: ${message}`;
}

type Tell = (node: Node, message: string) => void;

/** Tells of keys that stand twice in one mapping: the later would silently count. */
function tellTwins(document: Document, tell: Tell): void {
  visit(document, {
    Map: (_, map) => {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const written = String(key.value);
        if (seen.has(written)) tell(key, `key "${written}" stands twice in one mapping: remove one`);
        seen.add(written);
      }
    },
  });
}

/** Expands variables in all values, keys left alone, and tells what could not be, and of aliases to nothing. */
function expandAll(document: Document, env: Environment, tell: Tell): void {
  const anchors = new Set<string>();
  visit(document, {
    Node: (key, node) => {
      if (isAlias(node)) {
        if (!anchors.has(node.source)) tell(node, `nothing before it has the anchor &${node.source}`);
        return;
      }
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (key === "key" || !isScalar(node) || typeof node.value !== "string") return;
      if (!node.value.includes("$")) return;
      try {
        node.value = expandScalar(node, node.value, env);
      } catch (error) {
        if (!(error instanceof RotaError)) throw error;
        tell(node, error.message);
      }
    },
  });
}

/** A number or truth value that came from a variable is one, unless it stands in quotes. */
function expandScalar(node: Scalar, text: string, env: Environment): string | number | boolean {
  const expanded = expand(text, env);
  if (node.type !== "PLAIN") return expanded;
  if (expanded === "true" || expanded === "false") return expanded === "true";
  return /^-?\d+(?:\.\d+)?$/.test(expanded) ? Number(expanded) : expanded;
}

function valueOf(document: Document, problems: Placed[]): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    problems.push({ position: undefined, message: `could not be expanded: ${messageOf(error)}` });
    return undefined;
  }
}

/** Finds where a path stands; each mapping's keys are put in an index once, since ten thousand are asked for. */
function createOffsets(document: Document): (path: Path, at?: "key") => number {
  const indexes = new WeakMap<YAMLMap, ReadonlyMap<unknown, Pair>>();
  const pairOf = (map: YAMLMap, key: string | number): Pair | undefined => {
    const index =
      indexes.get(map) ??
      new Map(map.items.map((pair) => [isScalar(pair.key) ? pair.key.value : pair.key, pair]));
    indexes.set(map, index);
    return index.get(String(key));
  };

  return (path, at) => {
    let node: unknown = document.contents;
    let offset = startOf(node) ?? 0;
    for (const [nth, step] of path.entries()) {
      if (isAlias(node)) node = node.resolve(document);
      if (isSeq(node)) {
        node = node.items[Number(step)];
      } else {
        const pair = isMap(node) ? pairOf(node, step) : undefined;
        if (at === "key" && nth === path.length - 1) return startOf(pair?.key) ?? offset;
        node = pair?.value;
      }
      if (node === undefined) return offset;
      offset = startOf(node) ?? offset;
    }
    return offset;
  };
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
