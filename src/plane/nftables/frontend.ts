import { type Address, familyOf, formatAddress, formatEndpoint } from "../../model/address.ts";
import { hashOf } from "../hash.ts";
import type { Backend, Frontend } from "../plane.ts";
import { chainOf, type Class, SHARDS } from "./classes.ts";
import { type Element, frontendsMap, type Place, slotsMap, tasksMap } from "./place.ts";
import { MAX_BACKENDS, type Share, slotsByHash, slotsByWeight, slotsInTurn } from "./slots.ts";

/** What one frontend is in one of its places. */
export interface FrontendRules {
  readonly elements: readonly Element[];
  /** Undefined: none of its tasks is given new flows. */
  readonly class: Class | undefined;
}

/** The places that a frontend has rules in. Those of a VIP are of its family. */
export function placesOf(frontend: Frontend): readonly Place[] {
  const protocols = frontend.protocol === "any" ? (["tcp", "udp"] as const) : [frontend.protocol];
  switch (frontend.kind) {
    case "vip": {
      const family = familyOf(frontend.vip);
      if (frontend.port === undefined) return [{ kind: "any", family, protocol: "tcp" }];
      return protocols.map((protocol) => ({ kind: "vip", family, protocol }));
    }
    case "published":
      return protocols.flatMap((protocol) => [
        { kind: "pub", family: 4, protocol },
        { kind: "pub", family: 6, protocol },
      ]);
  }
}

export function frontendRules(frontend: Frontend, place: Place): FrontendRules {
  const key = packetKey(frontend, place);
  const tasks = numberedTasks(frontend, place);
  const given = tasks.filter(({ weight }) => weight > 0);
  // Clients that are kept at a task go there by its number: one that takes no new flows must not be found by it.
  const known = frontend.affinityMs > 0 ? given : tasks;
  const elements = known.map(({ number, target }) => ({
    set: tasksMap(place),
    key: `${key} . ${number}`,
    value: target,
  }));
  if (given.length === 0) return { elements, class: undefined };

  const slots = slotsOf(frontend, given);
  const numbers = new Map(given.map((task) => [task.key, task.number]));
  for (const [slot, { key: task }] of slots.entries()) {
    elements.push({ set: slotsMap(place), key: `${key} . ${slot}`, value: numbers.get(task) ?? "" });
  }
  const kind = classOf(frontend, place, slots.length);
  elements.push({
    set: frontendsMap(place),
    key: verdictKey(frontend, place),
    value: `goto ${chainOf(kind)}`,
  });
  return { elements, class: kind };
}

/** What tells a frontend from all others of its place: two of one key cannot both be carried. */
export function verdictKey(frontend: Frontend, place: Place): string {
  switch (frontend.kind) {
    case "vip": {
      const vip = formatAddress(frontend.vip);
      return frontend.port === undefined ? vip : `${vip} . ${place.protocol} . ${frontend.port}`;
    }
    case "published":
      return `${place.protocol} . ${frontend.port}`;
  }
}

/** As people write it. */
export function formatFrontend(frontend: Frontend): string {
  switch (frontend.kind) {
    case "vip": {
      const vip = formatAddress(frontend.vip);
      if (frontend.port === undefined) return vip;
      return `${formatEndpoint(vip, frontend.port)}/${frontend.protocol}`;
    }
    case "published":
      return `port ${frontend.port}/${frontend.protocol}`;
  }
}

/** Whether it is reached from elsewhere, and by this place's family. */
export function isReached(backend: Backend, { family }: Place): boolean {
  return familyOf(backend.address) === family && !isLooped(backend.address);
}

/** Whether it is on loopback, as the model's `isLoopback` says: asked several times a task, which it is too slow for. */
export function isLooped(address: Address): boolean {
  return address.length === 4 ? address.charCodeAt(0) === 127 : address === LOOPBACK6;
}

/** ::1 */
const LOOPBACK6: string = "\0".repeat(15) + "\x01";

export function isGiven({ duty, weight }: Backend): boolean {
  return duty === "serving" && weight > 0;
}

interface NumberedTask extends Share {
  readonly number: string;
  readonly target: string;
}

/**
 * The tasks that may have flows, each with a number that tells it from the others, and does not change with them: as long as
 * no two of them have the same hash.
 */
export function numberedTasks(frontend: Frontend, place: Place): readonly NumberedTask[] {
  const tasks = new Map<string, { target: string; weight: number }>();
  for (const backend of frontend.backends) {
    if (!isReached(backend, place) || backend.duty === "down") continue;
    const target = targetOf(backend, frontend, place);
    const weight = isGiven(backend) ? backend.weight : 0;
    // Two tasks may be at one place: it gets the share of both.
    tasks.set(target, { target, weight: (tasks.get(target)?.weight ?? 0) + weight });
  }
  const taken = new Set<number>();
  return [...tasks.values()].map(({ target, weight }) => {
    // Neither "none" nor "root", as nft calls 0 and 4,294,967,295.
    let number = (hashOf(target) | 0x8000_0000) >>> 0;
    while (taken.has(number) || number === 0xffff_ffff) number = ((number + 1) | 0x8000_0000) >>> 0;
    taken.add(number);
    return { key: target, number: formatNumber(number), target, weight };
  });
}

/** As nft writes it, where a task listens; of a frontend of all ports, its address. */
export function targetOf(backend: Backend, frontend: Frontend, { kind }: Place): string {
  const address = formatAddress(backend.address);
  return kind === "any" ? address : `${address} . ${backend.port ?? frontend.port}`;
}

/** What of a packet tells the frontend, in slots and tasks. */
export function packetKey(frontend: Frontend, place: Place): string {
  switch (frontend.kind) {
    case "vip": {
      const vip = formatAddress(frontend.vip);
      return place.kind === "any" ? vip : `${vip} . ${frontend.port}`;
    }
    case "published":
      return `${frontend.port}`;
  }
}

function slotsOf({ balance }: Frontend, shares: readonly Share[]): readonly Share[] {
  switch (balance) {
    case "random":
    case "rotate":
      return slotsInTurn(shares);
    case "weighted":
    case "leastconn":
      return slotsByWeight(shares).slice(0, MAX_BACKENDS);
    case "source":
      return slotsByHash(shares);
  }
}

function classOf(frontend: Frontend, place: Place, slots: number): Class {
  const { balance, affinityMs } = frontend;
  const common = { place, slots, affinityMs, shard: 0 };
  switch (balance) {
    case "random":
    case "weighted":
    case "leastconn":
      return { ...common, pick: "random" };
    case "rotate":
      return { ...common, pick: "rotate", shard: hashOf(verdictKey(frontend, place)) % SHARDS };
    case "source":
      return { ...common, pick: "source" };
  }
}

/** As nft writes a packet's priority: two halves. */
function formatNumber(number: number): string {
  return `${(number >>> 16).toString(16)}:${(number & 0xffff).toString(16)}`;
}
