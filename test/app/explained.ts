import type { Rota } from "../../src/index.ts";
import { formatExplanation } from "../../src/app/format-explanation.ts";

/** What a person reads who asks this Rota to explain a name. */
export async function explanationOf(rota: Rota, name: string): Promise<string> {
  return formatExplanation(await rota.explain(name));
}
