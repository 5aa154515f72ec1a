import { formatPrefix, labelsOf, type Name, prefixOf, wholePrefix } from "../model/name.ts";
import { namesOf, ownName } from "../registry/names.ts";
import type { Registry } from "../registry/registry.ts";
import { listOf, suggest } from "../schema/problem.ts";
import type { Stands } from "./stands.ts";

/** What one may have meant who asks for a name that stands for nothing; in a sentence, or none. */
export function nearby(asked: Name, { kind }: Stands, registry: Registry): string[] {
  if (kind === "zone" || kind === "server") return [];
  const { known, own } = namesIn(registry);
  const prefix = prefixOf(asked, registry.settings.zone) ?? wholePrefix(asked);
  const short = formatPrefix(prefix);
  const beneath = own.filter((name) => name.endsWith(`.${short}`));
  if (kind === "below" && beneath.length > 0) return [`beneath it ${listed(beneath)}`];
  const inNamespace = labelsOf(prefix).length === 1 ? own.filter((name) => name.startsWith(`${short}.`)) : [];
  if (inNamespace.length > 0) return [`with its namespace ${listed(inNamespace)}`];
  const swapped = swapsOf(short).find((name) => known.has(name));
  if (swapped !== undefined) return [`did you mean ${swapped}?`];
  const fallback = own.length > 0 && own.length <= MAX_LISTED ? `the services are ${listOf(own, "and")}` : "";
  const found = suggest(short, known, fallback);
  return found === "" ? [] : [found];
}

/** The text with two neighbours swapped, each in turn: one slip of the hand, where counting letters sees two. */
function swapsOf(text: string): string[] {
  return Array.from(
    { length: Math.max(0, text.length - 1) },
    (_, at) => text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2),
  );
}

/** Their names, and those of the services alone. */
function namesIn(registry: Registry): {
  readonly known: ReadonlySet<string>;
  readonly own: readonly string[];
} {
  const known = new Set<string>();
  const own: string[] = [];
  for (const { declaration } of registry.services()) {
    own.push(formatPrefix(ownName(declaration)));
    if (known.size > MAX_KNOWN) continue;
    for (const name of namesOf(declaration).keys()) known.add(formatPrefix(name));
  }
  return { known, own };
}

function listed(names: readonly string[]): string {
  const rest = names.length - MAX_LISTED;
  const shown = names.slice(0, MAX_LISTED);
  const all = rest > 0 ? `${shown.join(", ")} and ${rest} more` : listOf(shown, "and");
  return `there ${names.length === 1 ? "is" : "are"} ${all}`;
}

/** So many services are all named to who asks for none of them. */
const MAX_LISTED = 10;

/** Enough to find a slip in, and quick. */
const MAX_KNOWN = 100_000;
