import type { Declaration, NetworkAlias, TaskDeclaration } from "../../model/declaration.ts";
import { joinPrefix, type Prefix } from "../../model/name.ts";
import type { Verdict } from "../../registry/service.ts";
import type { Group, Member } from "./roster-group.ts";
import { declareGroup } from "./roster-labels.ts";
import type { Warn } from "./roster-text.ts";

/** A service, and how the engine says that its tasks are. */
export interface Declared {
  readonly declaration: Declaration;
  /** On each task, in their order; undefined: Rota checks it. */
  readonly verdicts: readonly (Verdict | undefined)[];
}

/**
 * Declares a service with its tasks.
 *
 * @param taken the tasks of services declared before, as {@link taskKey} has them: who names a task must mean
 * one
 */
export function declareService(group: Group, taken: Set<string>, warn: Warn): Declared {
  const said = declareGroup(group, warn);
  const own = joinPrefix(group.name, group.namespace);
  const networkAliases = group.aliases.filter(({ name }) => name !== own);
  const slots = new Set<number>();
  const tasks: TaskDeclaration[] = [];
  const verdicts: (Verdict | undefined)[] = [];
  for (const member of group.members) {
    const id = member.ids.find((id) => !taken.has(taskKey(group, id)));
    if (id === undefined || member.addresses.length === 0) continue;
    taken.add(taskKey(group, id));
    const { verdict, isChecked, isDown } = member.standing;
    const isRotas = said.check !== undefined;
    tasks.push({
      id,
      isNamed: member.isNamed,
      slot: freeSlot(member, group, slots, warn),
      networkAliases: taskAliases(member, own, networkAliases),
      addresses: member.addresses,
      weight: member.weight,
      ports: new Map(),
      isChecked: isChecked || isRotas,
      isDown,
    });
    verdicts.push(isRotas ? undefined : verdict); // two judges would take turns
  }
  const isVip = said.endpointMode === "vip" && group.vips.length > 0;
  const { networks } = group;
  const vips = isVip ? group.vips : undefined;
  return { declaration: { ...said, networkAliases, networks, vips, tasks }, verdicts };
}

/** What tells a task from all others by names. */
function taskKey({ name, namespace }: Group, task: Prefix): string {
  return JSON.stringify([name, namespace, task]);
}

/** Each name once: the service's own, and its aliases, lead to the task as well. */
function taskAliases(
  { places, addresses, names, aliases }: Member,
  own: Prefix,
  ofService: readonly NetworkAlias[],
): readonly NetworkAlias[] {
  const networks = new Set([
    ...places.map(({ network }) => network),
    ...addresses.map(({ network }) => network),
  ]);
  const taken = new Set(ofService.map(({ name, network }) => `${network}/${name}`));
  const everywhere = [...networks].flatMap((network) => names.map((name) => ({ name, network })));
  return [...everywhere, ...aliases].filter(({ name, network }) => {
    const key = `${network}/${name}`;
    if (name === own || taken.has(key)) return false;
    taken.add(key);
    return true;
  });
}

/** Compose gives a number twice while it puts one container in another's place. */
function freeSlot(
  { slot, title, labels }: Member,
  group: Group,
  slots: Set<number>,
  warn: Warn,
): number | undefined {
  if (slot === undefined) return undefined;
  if (!slots.has(slot)) {
    slots.add(slot);
    return slot;
  }
  if (labels.has("rota.slot")) {
    warn(
      title,
      `label rota.slot="${slot}": an older container of ${group.title} has it: give each a number of its own`,
    );
  }
  return undefined;
}
