import { type Address, familyOf } from "../model/address.ts";
import { joinName, type Name, parsePrefix } from "../model/name.ts";
import type { Registry } from "../registry/registry.ts";
import { type A, type Aaaa, type ResourceRecord, type Soa, TYPE } from "../wire/record.ts";
import type { Rotation, Turn, Weighted } from "./rotation.ts";

/** What kind of answer a question gets, before it is octets. */
export type Answer =
  | {
      readonly kind: "records";
      readonly records: readonly ResourceRecord[];
      readonly additionals: readonly ResourceRecord[];
      /** What they were chosen from; undefined: they are always these. */
      readonly choice: Choice | undefined;
    }
  /** The name exists, with nothing of this type (RFC 2308 section 2.2). */
  | { readonly kind: "nodata"; readonly soa: Soa }
  /** Neither the name nor anything beneath it exists (RFC 8020). */
  | { readonly kind: "nxdomain"; readonly soa: Soa }
  /** The name exists, and what it leads to cannot be told just now. */
  | { readonly kind: "servfail"; readonly isNotReady: boolean }
  /** Not a name of ours. */
  | { readonly kind: "elsewhere" };

/** The groups of records that take turns at being first in an answer. */
export interface Choice {
  readonly turn: Turn;
  readonly groups: readonly RecordGroup[];
  /** How many records are shown; of a record that several groups have, one. */
  readonly most: number;
}

/** What one task, or several at the same addresses, has in an answer. */
export interface RecordGroup extends Weighted {
  readonly records: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

/** What cannot be told yet, and will be soon. */
export const NOT_READY: Answer = { kind: "servfail", isNotReady: true };

/** What answers read of the registry. */
export type Readable = Pick<
  Registry,
  "serial" | "settings" | "isWhole" | "find" | "findAddress" | "findSubnet"
>;

/** What answers are made from. */
export interface Authority {
  readonly registry: Readable;
  readonly rotation: Rotation;
  /** The addresses that this server is asked at: what its own name answers. */
  readonly nameServers: () => readonly Address[];
  /** Whether upstreams were named for a zone, not the root, that holds this name. */
  readonly isRouted: (name: Name) => boolean;
}

/** The label of the zone's name server, this one: `ns` in front of the zone. */
export const NAME_SERVER = parsePrefix("ns");
export const MAILBOX = parsePrefix("hostmaster");

/** The records, or NODATA by the SOA of `apex` where there are none. */
export function records(
  found: readonly ResourceRecord[],
  apex: Name,
  registry: Readable,
  additionals: readonly ResourceRecord[] = [],
): Answer {
  if (found.length === 0) return { kind: "nodata", soa: soaOf(apex, registry) };
  return { kind: "records", records: found, additionals, choice: undefined };
}

/** What a choice shows this time; of no groups nothing. */
export function choose(choice: Choice, rotation: Rotation): Answer {
  const arranged = rotation.arrange(choice.turn, choice.groups);
  const shown = new Set<ResourceRecord>();
  const additionals: ResourceRecord[] = [];
  for (const group of arranged) {
    const before = shown.size;
    for (const record of group.records) if (shown.size < choice.most) shown.add(record);
    if (shown.size > before) additionals.push(...group.additionals);
  }
  return { kind: "records", records: [...shown], additionals, choice };
}

/** The records of the type asked for; of ANY one set, addresses first, since who asks wants to connect (RFC 8482 section 4.1). */
export function setOf(type: number, found: readonly ResourceRecord[]): readonly ResourceRecord[] {
  if (type !== TYPE.ANY) return found.filter((record) => TYPE[record.type] === type);
  const has = (wanted: ResourceRecord["type"]): boolean => found.some((record) => record.type === wanted);
  const first = has("A") ? "A" : has("AAAA") ? "AAAA" : found[0]?.type;
  return found.filter((record) => record.type === first);
}

export function addressRecord(name: Name, ttl: number, address: Address): A | Aaaa {
  return { type: typeOf(address), name, ttl, address };
}

export function typeOf(address: Address): "A" | "AAAA" {
  return familyOf(address) === 4 ? "A" : "AAAA";
}

/**
 * RFC 1035 section 3.3.13. Its TTL and its minimum are both the negative TTL: whichever of them a cache takes,
 * "there is nothing" is kept no longer (RFC 2308 section 5).
 */
export function soaOf(apex: Name, { settings, serial }: Readable): Soa {
  return {
    type: "SOA",
    name: apex,
    ttl: settings.negativeTtl,
    primary: joinName(NAME_SERVER, settings.zone),
    mailbox: joinName(MAILBOX, settings.zone),
    serial,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: settings.negativeTtl,
  };
}
