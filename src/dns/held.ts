import type { TaskDeclaration } from "../model/declaration.ts";
import { joinName, joinPrefix, MAX_PREFIX_OCTETS, type Name, type Prefix } from "../model/name.ts";
import type { View } from "../model/view.ts";
import { type Meaning, serviceNames, taskNames } from "../registry/names.ts";
import type { Service } from "../registry/service.ts";
import type { Readable } from "./kinds.ts";

// What is told as the target of a SRV or PTR record is asked for next, and must lead where it said (RFC 2782). So it
// is a name that really means this service or task to who asks, whatever other services, slots and aliases are called.

/** Who is told a name. */
export interface Told {
  readonly view: View;
  /** The network whose name stood behind the one that was asked for; empty: none. What is told leads there as well. */
  readonly suffix: Prefix;
}

/** A name in the zone that means this task; undefined: others hold all of them. */
export function nameOfTask(
  service: Service,
  task: TaskDeclaration,
  registry: Readable,
  told: Told,
): Name | undefined {
  const means = (meaning: Meaning): boolean => meaning.kind === "task" && meaning.task === task;
  return heldName(taskNames(service.declaration, task), service, means, registry, told);
}

/** A name in the zone that means this service; undefined: others hold all of them. */
export function nameOfService(service: Service, registry: Readable, told: Told): Name | undefined {
  return heldName(serviceNames(service.declaration), service, isService, registry, told);
}

function isService({ kind }: Meaning): boolean {
  return kind === "service";
}

function heldName(
  names: Iterable<Prefix>,
  service: Service,
  means: (meaning: Meaning) => boolean,
  registry: Readable,
  { view, suffix }: Told,
): Name | undefined {
  for (const front of names) {
    const name = joinPrefix(front, suffix);
    const found = name.length > MAX_PREFIX_OCTETS ? undefined : registry.find(name, view);
    if (found === undefined || found === "below" || found.service !== service) continue;
    if (means(found.meaning)) return joinName(name, registry.settings.zone);
  }
  return undefined;
}
