import { compareText } from "../../base/compare.ts";
import type { Declaration, Port } from "../../model/declaration.ts";
import type { Labelled, LabelProblem } from "../../schema/label-words.ts";
import { declareLabelled, serviceLabels, type UnlabelledService } from "../../schema/service-labels.ts";
import { portAt } from "../../schema/words.ts";
import { isPort } from "./port.ts";
import type { Group } from "./roster-group.ts";
import { plain, type Warn } from "./roster-text.ts";
import type { EnginePort } from "./snapshot.ts";

/** Each is a name for each alias; an image may expose tens of thousands. */
const MAX_PORTS = 64;

/** A service as the labels of its oldest container have it, without tasks and networks. */
export function declareGroup(group: Group, warn: Warn): Declaration {
  const { name, namespace, endpointMode, origin, labels, title } = group;
  const ports = portsOf(group, warn);
  const declared = declareOnce(labels, { name, namespace, endpointMode, origin, ports });
  const [oldest] = group.members;
  const about = oldest?.labels === labels ? oldest.title : title;
  warnOfLabels(about, declared.problems, warn);
  if (oldest && about === oldest.title) {
    const said = JSON.stringify(serviceLabels(labels));
    for (const member of group.members) {
      if (member.labels === labels || JSON.stringify(serviceLabels(member.labels)) === said) continue;
      const wrong = `its rota labels are not those of ${plain(oldest.title)}, which count for all of ${plain(title)}`;
      warn(member.title, `${wrong}: give all the same, and start the oldest anew`);
    }
  }
  return declared.said;
}

/**
 * What labels said last. Those of a container that did not change are the same object in the next snapshot, and to check
 * them anew costs a quarter of a millisecond a container, and 5 ms where all are wrong, for each change of any other.
 */
const declaredBefore = new WeakMap<
  ReadonlyMap<string, string>,
  { readonly text: string; readonly declared: Labelled<Declaration> }
>();

function declareOnce(labels: ReadonlyMap<string, string>, service: UnlabelledService): Labelled<Declaration> {
  const text = JSON.stringify(service);
  const before = declaredBefore.get(labels);
  if (before?.text === text) return before.declared;
  const declared = declareLabelled(labels, service);
  declaredBefore.set(labels, { text, declared });
  return declared;
}

export function warnOfLabels(about: string, problems: readonly LabelProblem[], warn: Warn): void {
  for (const { label, value, message, isLeftOut } of problems) {
    const told = `label ${plain(label)}="${plain(value)}": ${plain(message, 200)}`;
    warn(about, isLeftOut ? `${told}; the label is left out` : told);
  }
}

/** Its ports by their numbers, each once; published as the oldest has it that publishes it. */
function portsOf({ ports, title }: Group, warn: Warn): readonly Port[] {
  const found = new Map<string, EnginePort>();
  for (const port of ports) {
    if (!isPort(port.target)) continue;
    const key = `${port.target}/${port.protocol}`;
    const known = found.get(key);
    if (!known || (known.published === undefined && isPort(port.published))) found.set(key, port);
  }
  const sorted = [...found.values()].toSorted(comparePorts);
  if (sorted.length > MAX_PORTS)
    warn(title, `it has ${sorted.length} ports: the first ${MAX_PORTS} have names`);
  return sorted
    .slice(0, MAX_PORTS)
    .map(({ target, protocol, published }) =>
      portAt(target, { protocol, published: isPort(published) ? published : undefined }),
    );
}

/** Those that somebody meant to be reached first. */
function comparePorts(one: EnginePort, other: EnginePort): number {
  return (
    Number(other.published !== undefined) - Number(one.published !== undefined) ||
    one.target - other.target ||
    compareText(one.protocol, other.protocol)
  );
}
