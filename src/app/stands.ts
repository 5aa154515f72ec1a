import { attempt } from "../base/error.ts";
import { NAME_SERVER } from "../dns/kinds.ts";
import { type Address, parseAddress } from "../model/address.ts";
import { EMPTY_PREFIX, formatPrefix, type Name, parseName, prefixOf, wholePrefix } from "../model/name.ts";
import { parseReverse, reverseName } from "../model/reverse.ts";
import { type View, WHOLE_VIEW } from "../model/view.ts";
import { type Meaning, ownName } from "../registry/names.ts";
import type { FoundAddress, Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import type { TYPE } from "../wire/record.ts";

/** What a name that was asked for stands for. */
export type Stands =
  | StandsFor
  | { readonly service: undefined; readonly kind: "zone" | "server" | "below" | "nothing" };

/** Of a name that a service, or something of it, stands behind. */
export type StandsFor = { readonly service: Service } & (Meaning | { readonly kind: "vip" });

/** What somebody asked for, as the name that is asked for then, by these types. */
export interface Resolved {
  readonly name: Name;
  readonly types: readonly (keyof typeof TYPE)[];
  readonly stands: Stands;
}

/** @param view by default everything. @throws RotaError `ERR_ROTA_NAME` */
export function resolve(asked: string, registry: Registry, view: View = WHOLE_VIEW): Resolved {
  const address = addressOf(asked);
  if (address !== undefined) {
    const found = registry.findAddress(address, view);
    return { name: reverseName(address), types: ["PTR"], stands: standsAt(found) };
  }
  const name = parseName(asked);
  const inZone = prefixOf(name, registry.settings.zone);
  if (inZone === EMPTY_PREFIX) return { name, types: ["A"], stands: { kind: "zone", service: undefined } };
  const found = (inZone && registry.find(inZone, view)) ?? registry.find(wholePrefix(name), view);
  if (found && found !== "below") {
    const { service, meaning } = found;
    const isPort = meaning.kind === "port" || meaning.kind === "taskPort";
    return { name, types: isPort ? ["SRV"] : ["A", "AAAA"], stands: { service, ...meaning } };
  }
  const kind = inZone === NAME_SERVER ? "server" : (found ?? "nothing");
  return { name, types: ["A"], stands: { kind, service: undefined } };
}

function standsAt(found: FoundAddress | undefined): Stands {
  if (!found) return { kind: "nothing", service: undefined };
  const { service, task } = found;
  return task ? { kind: "task", service, task } : { kind: "vip", service };
}

/** Whether those of its tasks are answered that serve: neither a VIP, nor one task by its own name. */
export function leadsToTasks({ kind, service }: StandsFor): boolean {
  if (kind === "task" || kind === "vip") return false;
  return kind === "tasks" || kind === "taskPort" || service.declaration.endpointMode === "dnsrr";
}

/** Of an address, and of its reverse name. */
function addressOf(text: string): Address | undefined {
  const address = attempt(() => parseAddress(text));
  if (address !== undefined) return address;
  const reverse = parseReverse(parseName(text));
  return reverse?.isExact && reverse.length === reverse.address.length * 8 ? reverse.address : undefined;
}

/** As `the service web` or `nothing here`. */
export function formatMeaning(stands: Stands): string {
  if (!stands.service) {
    return {
      zone: "the zone itself",
      server: "the name of this server",
      below: "nothing itself: only names beneath it exist",
      nothing: "nothing here",
    }[stands.kind];
  }
  const own = formatPrefix(ownName(stands.service.declaration));
  switch (stands.kind) {
    case "service":
      return `the service ${own}`;
    case "tasks":
      return `the tasks of ${own}`;
    case "task":
      return `the task ${formatPrefix(stands.task.id)} of ${own}`;
    case "port":
      return `port ${stands.port.name} of the service ${own}`;
    case "taskPort":
      return `port ${stands.port.name} of the tasks of ${own}`;
    case "vip":
      return `the VIP of the service ${own}`;
  }
}
