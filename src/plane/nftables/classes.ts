import { frontendKey, header, nameOf, type Place, slotsMap, tasksMap } from "./place.ts";

/** All frontends of one place that pick among so many slots in the same way: they share a chain. */
export interface Class {
  readonly place: Place;
  readonly pick: "random" | "rotate" | "source";
  readonly slots: number;
  /** Milliseconds that a client is kept at its task; 0: it is not. */
  readonly affinityMs: number;
  /** Of `rotate`: which of {@link SHARDS} turns it takes part in; 0 of the others. */
  readonly shard: number;
}

/**
 * A turn is counted by the rule, so all frontends of a class have one: two that are asked in turn could see every other
 * task only. So the frontends are spread over as many turns.
 */
export const SHARDS = 64;

/** The map of clients to the numbers of their tasks, of all frontends with affinity. */
export const CLIENTS_MAP = "clients";

/** How many clients are remembered at a time: whoever comes when there are as many is not. */
export const MAX_CLIENTS = 262_144;

export function chainOf({ place, pick, slots, affinityMs, shard }: Class): string {
  const turn = pick === "rotate" ? `-turn-${shard}` : "";
  const keep = affinityMs > 0 ? `-keep-${affinityMs}ms` : "";
  return `${nameOf(place)}-${pick}-${slots}${turn}${keep}`;
}

/**
 * The rules of a class's chain. A slot leads to the number of a task, and the number to the task: so each task has one
 * element, which counts its flows, and stays when slots are given to others. Between the two the number is kept in the
 * packet's priority: of the packet's fields that rules can set, none but a queue on the way out reads it, and the kernel
 * sets it anew for what it forwards (`ip_forward` in net/ipv4/ip_forward.c). Only a flow's first packet comes here.
 */
export function rulesOf({ place, pick, slots, affinityMs }: Class): readonly string[] {
  const key = frontendKey(place);
  const number = `meta priority set ${key} . ${slotExpression(place, pick, slots)} map @${slotsMap(place)}`;
  // Some packets see slots from before a change and tasks from after it; slot 0 is there whatever became of theirs.
  const first = `meta priority set ${key} . numgen inc mod 1 map @${slotsMap(place)}`;
  const go = `dnat ${header(place.family)} to ${key} . meta priority map @${tasksMap(place)}`;
  const l4 = place.kind === "any" ? "" : `meta l4proto ${place.protocol} `;
  if (affinityMs === 0) return [`${l4}${number} ${go}`, `${l4}${first} ${go}`];
  const client = clientExpression(place);
  const keep = `update @${CLIENTS_MAP} { ${client} timeout ${affinityMs}ms : meta priority }`;
  return [
    "meta priority set none",
    `meta priority set ${client} map @${CLIENTS_MAP}`,
    `${l4}meta priority != none ${keep} ${go}`,
    // Still here: its task takes no new flows. `update` keeps the value that is there.
    `meta priority != none delete @${CLIENTS_MAP} { ${client} : meta priority }`,
    `${l4}${number} ${keep} ${go}`,
    // Still here: no more clients can be remembered.
    `${l4}${number} ${go}`,
    `${l4}${first} ${go}`,
  ];
}

function slotExpression({ family }: Place, pick: Class["pick"], slots: number): string {
  switch (pick) {
    case "random":
      return `numgen random mod ${slots}`;
    case "rotate":
      return `numgen inc mod ${slots}`;
    case "source":
      return `jhash ${header(family)} saddr mod ${slots} seed 0x526f7461`;
  }
}

/**
 * Client and frontend as a number: nft 1.0.6 aborts where a rule adds elements by two IPv6 addresses. Two clients of one
 * number share a task.
 */
function clientExpression(place: Place): string {
  const { kind, family } = place;
  const seed = { vip: 1, any: 2, pub: 3 }[kind] * 16 + family * 2 + (place.protocol === "udp" ? 1 : 0);
  return `jhash ${header(family)} saddr . ${frontendKey(place)} mod 4294967295 seed ${seed}`;
}
