import { hostname } from "node:os";
import { systemClock } from "../base/clock.ts";
import type { Declaration } from "../model/declaration.ts";
import { renderText } from "../plane/nftables/text.ts";
import type { PlaneState } from "../plane/plane.ts";
import { createSplit } from "../plane/split.ts";
import { createRegistry } from "../registry/registry.ts";
import { forgetfulStore } from "../registry/vips.ts";
import { formatFinding } from "../sources/report.ts";
import { readServices } from "../sources/services.ts";
import { planeStateOf } from "./carrying.ts";

/** The ruleset that the plane nftables would have of a state, as `nft -f` reads it. */
export function rulesetOf(state: PlaneState): string {
  return renderText(createSplit().kernel(state));
}

/** The ruleset that services files come to, or what is wrong with them, a line each. */
export type FilesRuleset =
  | { readonly kind: "rendered"; readonly text: string }
  | { readonly kind: "refused"; readonly problems: readonly string[] };

function asReady(declaration: Declaration): Declaration {
  return { ...declaration, publishNotReady: true };
}

/**
 * What a server of these services files would program, without one, and without touching anything: all tasks pass.
 *
 * @param node the name of this machine among `nodes`
 */
export async function rulesetOfFiles(
  files: readonly string[],
  node: string = hostname(),
): Promise<FilesRuleset> {
  const { roster, problems } = await readServices(files, process.env, { allowExec: true });
  if (!roster) return { kind: "refused", problems: problems.map(formatFinding) };
  const registry = createRegistry({ clock: systemClock, store: forgetfulStore });
  registry.open("file").publish({ ...roster, services: roster.services.map(asReady) });
  return { kind: "rendered", text: rulesetOf(planeStateOf(registry, node)) };
}
