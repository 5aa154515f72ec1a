import { FAMILIES, type Family } from "../../model/address.ts";

/**
 * What kind of frontends share their maps and chains. No frontend has anything of its own in the kernel but elements: what a
 * transaction costs there grows with the square of its chains and sets, and hardly with its elements.
 */
export interface Place {
  /** `vip`: a port of a VIP. `any`: all ports of one. `pub`: a published port. */
  readonly kind: "vip" | "any" | "pub";
  readonly family: Family;
  /** Of `any`, both: tcp stands for them. */
  readonly protocol: "tcp" | "udp";
}

/** An element of a map or set of the table. */
export interface Element {
  readonly set: string;
  readonly key: string;
  /** Of a map; empty: it is a set. */
  readonly value: string;
}

/** Elements of sets, each of which is told by the set's name and the key. */
export function sharedElements(keys: Iterable<string>): readonly Element[] {
  return Array.from(keys, (text) => {
    const end = text.indexOf(" ");
    return { set: text.slice(0, end), key: text.slice(end + 1), value: "" };
  });
}

const KINDS = [
  { kind: "vip", protocol: "tcp" },
  { kind: "vip", protocol: "udp" },
  { kind: "any", protocol: "tcp" },
  { kind: "pub", protocol: "tcp" },
  { kind: "pub", protocol: "udp" },
] as const;

export const PLACES: readonly Place[] = FAMILIES.flatMap((family) =>
  KINDS.map(({ kind, protocol }) => ({ kind, family, protocol })),
);

export function nameOf({ kind, family, protocol }: Place): string {
  return kind === "any" ? `any${family}` : `${kind}${family}-${protocol}`;
}

/** Frontend and slot to the number of a task. */
export function slotsMap(place: Place): string {
  return `slots-${nameOf(place)}`;
}

/** Frontend and number of a task to where it listens. */
export function tasksMap(place: Place): string {
  return `tasks-${nameOf(place)}`;
}

/** Frontend to the chain of its class. */
export function frontendsMap({ kind, family }: Place): string {
  return `${kind}${family}`;
}

/** What of a packet tells the frontend, as nft's expression. */
export function frontendKey({ kind, family, protocol }: Place): string {
  const [vip, port] = [`${header(family)} daddr`, `${protocol} dport`];
  switch (kind) {
    case "vip":
      return `${vip} . ${port}`;
    case "any":
      return vip;
    case "pub":
      return port;
  }
}

/** What a task is reached by, as nft's expression. */
export function taskValue({ kind, family, protocol }: Place): string {
  return kind === "any" ? `${header(family)} daddr` : `${header(family)} daddr . ${protocol} dport`;
}

export function header(family: Family): string {
  return family === 4 ? "ip" : "ip6";
}
