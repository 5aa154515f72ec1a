import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
  type YAMLMap,
} from "yaml";
import { messageOf } from "../base/error.ts";
import type { Path } from "../schema/problem.ts";
import { followAliases } from "./aliases.ts";
import type { Placed, Position } from "./report.ts";
import { type Expand, expandAll, findVariables, type Tell } from "./variables.ts";

/** A text as it was understood; `value` is only to be used if there are no problems. */
export interface ReadDocument {
  readonly value: unknown;
  readonly problems: readonly Placed[];
  readonly warnings: readonly Placed[];
  /** Where the value at a path stands, or its key; of what came in by an alias or merge, the nearest above. */
  readonly locate: (path: Path, at?: "key") => Position;
}

/**
 * Reads YAML 1.2, and so JSON, with `<<` merging, and puts variables in place.
 *
 * @param expanderOf how that is done in a file that says this, with no variable in place yet
 */
export function readDocument(text: string, expanderOf: (value: unknown) => Expand): ReadDocument {
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
  const warnings: Placed[] = document.warnings
    .filter(({ code, message }) => code !== "TAG_RESOLVE_FAILED" || !MERGE_TAG.test(message))
    .map(({ pos, message }) => ({ position: positionAt(pos[0]), message }));
  resetTagged(document);
  const tellIn =
    (placed: Placed[]): Tell =>
    (node, message) => {
      placed.push({ position: positionAt(node.range?.[0] ?? 0), message });
    };
  const tell = tellIn(problems);
  if (problems.length === 0) tellTwins(document, tell);
  const variables = problems.length === 0 ? findVariables(document, tell) : undefined;
  // From here on a node may stand in several places.
  if (problems.length === 0) followAliases(document, tell);
  let value = problems.length === 0 ? valueOf(document, problems) : undefined;
  if (problems.length === 0 && variables && variables.all.length > 0) {
    expandAll(variables, expanderOf(value), tell, tellIn(warnings));
    value = problems.length === 0 ? valueOf(document, problems) : undefined;
  }
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
    warnings,
    locate: (path, at) => positionAt(offsetOf(path, at)),
  };
}

/** What Compose puts before what an override file takes back, or says anew. */
const MERGE_TAG = /^Unresolved tag: !(?:reset|override)$/;

/** Compose specification, merge: whatever is written behind `!reset`, nothing is meant. */
function resetTagged(document: Document): void {
  visit(document, {
    Node: (_, node) => (!isAlias(node) && node.tag === "!reset" ? document.createNode(null) : undefined),
  });
}

function explain(code: string, message: string): string {
  if (code === "MULTIPLE_DOCS") return "a second document begins: write one in a file";
  return `not valid YAML: ${message}`;
}

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

function valueOf(document: Document, problems: Placed[]): unknown {
  try {
    return document.toJS();
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
