import { type Alias, type Document, isAlias, isCollection, isNode, isPair, isSeq, type Node } from "yaml";
import type { Tell } from "./variables.ts";

/**
 * How many values aliases may add to those that are written: ten thousand services may share an anchor of a hundred.
 * A file of 200 KB can come to billions.
 */
const MAX_ADDED = 1_000_000;

/** What an anchor stands for, and how many values that is with aliases followed; not known while it is being counted. */
interface Anchored {
  readonly node: Node;
  count: number | undefined;
}

/**
 * Puts in place of each alias what it stands for. yaml follows them too, but looks through all aliases for each: 8 s
 * for 30,000. Whatever cannot be followed, or would come to too much, is told, once, and the rest left as it is.
 */
export function followAliases(document: Document, tell: Tell): void {
  const anchors = new Map<string, Anchored>();
  let added = 0;
  let isOver = false;

  count(document.contents);

  function count(node: unknown): number {
    if (!isNode(node) || isOver) return 1;
    const anchored: Anchored = { node, count: undefined };
    // YAML 1.2.2 section 7.1: an alias means the last node before it that has the anchor.
    if (!isAlias(node) && node.anchor !== undefined) anchors.set(node.anchor, anchored);
    anchored.count = isCollection(node) ? countWithin(node.items, isSeq(node)) : 1;
    return anchored.count;
  }

  function countWithin(items: unknown[], isList: boolean): number {
    let sum = 1;
    for (const [at, item] of items.entries()) {
      if (isPair(item)) {
        sum += place(item.key, (target) => (item.key = target));
        sum += place(item.value, (target) => (item.value = target));
      } else if (isList) {
        sum += place(item, (target) => (items[at] = target));
      }
    }
    return sum;
  }

  function place(node: unknown, put: (target: Node) => void): number {
    if (!isAlias(node) || isOver) return count(node);
    const target = anchors.get(node.source);
    const values = target && countOf(node, target);
    if (target === undefined || values === undefined) return 1;
    put(target.node);
    return values;
  }

  function countOf(alias: Alias, { count: values }: Anchored): number | undefined {
    isOver = values === undefined || added + values > MAX_ADDED;
    if (values === undefined) {
      tell(alias, `*${alias.source} stands within &${alias.source}, and would never end: write it out`);
      return undefined;
    }
    added += values;
    if (!isOver) return values;
    tell(alias, `its anchors come to ${added} values: ${MAX_ADDED} are allowed`);
    return undefined;
  }
}
