import type { Declaration, NetworkAlias, TaskDeclaration } from "../../model/declaration.ts";
import { joinPrefix, type Prefix } from "../../model/name.ts";
import type { Verdict } from "../../registry/service.ts";
import type { Group, Member } from "./roster-group.ts";
import { declareGroup } from "./roster-labels.ts";
import { remember } from "./roster-remember.ts";
import type { Warn } from "./roster-text.ts";

/** A service, and how the engine says that its tasks are. */
export interface Declared {
  readonly declaration: Declaration;
  /** On each task, in their order; undefined: Rota checks it. */
  readonly verdicts: readonly (Verdict | undefined)[];
}

/** Declares services with their tasks, one after another: of several of one name, the first names its tasks first. */
export function createDeclaring(warn: Warn): (group: Group) => Declared {
  const takenOf = new Map<string, Set<Prefix>>();
  return (group) => {
    const name = `${group.name}\0${group.namespace}`;
    const known = takenOf.get(name);
    const taken = known ?? new Set<Prefix>();
    if (!known) takenOf.set(name, taken);
    const others = group.members.flatMap(({ ids }) => ids.filter((id) => taken.has(id)));
    const declared = declareService([group, ...others], warn);
    for (const { id } of declared.declaration.tasks) taken.add(id);
    return declared;
  };
}

/** The ids are those that tasks of other services have already: who names a task must mean one. */
const declareService = remember(([group, ...others]: readonly [Group, ...Prefix[]], warn): Declared => {
  const said = declareGroup(group, warn);
  const own = joinPrefix(group.name, group.namespace);
  const networkAliases = group.aliases.filter(({ name }) => name !== own);
  const taken = new Set(others);
  const slots = new Set<number>();
  const tasks: TaskDeclaration[] = [];
  const verdicts: (Verdict | undefined)[] = [];
  for (const member of group.members) {
    const id = member.ids.find((id) => !taken.has(id));
    if (id === undefined || member.addresses.length === 0) continue;
    taken.add(id);
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
      node: undefined,
      netns: member.netns,
    });
    verdicts.push(isRotas ? undefined : verdict); // two judges would take turns
  }
  const isVip = said.endpointMode === "vip" && group.vips.length > 0;
  const { networks } = group;
  const vips = isVip ? group.vips : undefined;
  return { declaration: { ...said, networkAliases, networks, vips, tasks }, verdicts };
});

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
