import { familyOf, formatAddress, isInside, type Subnet } from "../../model/address.ts";
import type { Frontend, PlaneService, Trouble } from "../plane.ts";
import { chainOf, type Class } from "./classes.ts";
import {
  formatFrontend,
  frontendRules,
  isGiven,
  isLooped,
  isReached,
  placesOf,
  verdictKey,
} from "./frontend.ts";
import { type Element, frontendsMap, type Place } from "./place.ts";
import { MAX_BACKENDS } from "./slots.ts";
import type { Terrain } from "./terrain.ts";

/** What one service comes to in the kernel. */
export interface ServiceRules {
  readonly service: PlaneService;
  /** Which of its frontends' places are held by other services; empty: none. */
  readonly lost: string;
  /** What is its alone. */
  readonly elements: readonly Element[];
  /** What others may have as well: elements of sets, each as the set's name and the key. */
  readonly shared: readonly string[];
  /** By the names of their chains. */
  readonly classes: ReadonlyMap<string, Class>;
  /** What it holds, and no other service may: a frontend a place. */
  readonly claims: readonly string[];
  readonly carried: number;
  readonly troubles: readonly Trouble[];
}

/** @param lost claims that other services hold. */
export function serviceRules(
  id: string,
  service: PlaneService,
  terrain: Terrain,
  lost: readonly string[] = [],
): ServiceRules {
  const elements: Element[] = [];
  const shared = new Set<string>();
  const classes = new Map<string, Class>();
  const claims: string[] = [];
  const messages = new Set<string>();
  let carried = 0;

  for (const vip of service.vips) {
    if (isCarriedVip(vip, terrain)) shared.add(`vips${familyOf(vip)} ${formatAddress(vip)}`);
  }
  for (const frontend of service.frontends) {
    const obstacle = obstacleTo(frontend);
    if (obstacle !== undefined) messages.add(obstacle);
    if (obstacle !== undefined || (frontend.kind === "vip" && !isCarriedVip(frontend.vip, terrain))) continue;
    carried += 1;
    for (const message of reservationsOf(frontend)) messages.add(message);
    for (const place of placesOf(frontend)) {
      if (place.family === 6 && !terrain.hasIpv6) continue;
      const claim = claimOf(frontend, place);
      const isTwice = claims.includes(claim);
      if (!isTwice) claims.push(claim);
      if (isTwice || lost.includes(claim)) {
        const holder = isTwice ? "the same service" : "another service";
        messages.add(
          `${formatFrontend(frontend)} is not carried: ${holder} has it already; give one of them another port`,
        );
        continue;
      }
      const rules = frontendRules(frontend, place);
      elements.push(...rules.elements);
      if (rules.class !== undefined) classes.set(chainOf(rules.class), rules.class);
      if (isClosed(frontend)) {
        elements.push({ set: `closed${place.family}`, key: verdictKey(frontend, place), value: "" });
      }
      for (const backend of frontend.backends) {
        if (!isReached(backend, place)) continue;
        const task = formatAddress(backend.address);
        if (backend.node === undefined) shared.add(`local${place.family} ${task} . ${task}`);
        else shared.add(`remote${place.family} ${task}`);
      }
    }
  }
  return {
    service,
    lost: lost.join(),
    elements,
    shared: [...shared],
    classes,
    claims,
    carried,
    troubles: [...messages].map((message) => ({ service: id, message: `${service.name}: ${message}` })),
  };
}

function claimOf(frontend: Frontend, place: Place): string {
  return `${frontendsMap(place)} ${verdictKey(frontend, place)}`;
}

function isCarriedVip(vip: Subnet["base"], terrain: Terrain): boolean {
  if (familyOf(vip) === 6 && !terrain.hasIpv6) return false;
  return !terrain.elsewhere.some((pool) => isInside(pool, vip));
}

/** A published port that leads to nobody in any family: one that leads to somebody in the other is that family's alone. */
function isClosed(frontend: Frontend): boolean {
  return (
    frontend.kind === "published" &&
    !frontend.backends.some((backend) => isGiven(backend) && !isLooped(backend.address))
  );
}

/** Why it cannot be carried, wherever it is. */
function obstacleTo(frontend: Frontend): string | undefined {
  if (frontend.proxyProtocol === 0 || frontend.protocol === "udp") return undefined;
  return `${formatFrontend(frontend)} is not carried: nftables sends tasks no PROXY header; leave out proxy_protocol, or use the plane userspace`;
}

/** What is carried otherwise than declared. */
function reservationsOf(frontend: Frontend): readonly string[] {
  const { balance, backends } = frontend;
  const messages: string[] = [];
  const told = (): string => formatFrontend(frontend);
  if (balance === "leastconn") {
    messages.push(
      `nftables counts no open flows, so ${told()} is balanced by weight; for leastconn use the plane ipvs or userspace`,
    );
  }
  const looped = backends.find(({ address }) => isLooped(address));
  if (looped !== undefined) {
    const address = formatAddress(looped.address);
    messages.push(
      `${told()} does not lead to tasks on loopback, as ${address}: nothing from outside gets there through the kernel; give them an address of the machine, or use the plane userspace`,
    );
  }
  for (const place of placesOf(frontend)) {
    const given = backends.filter((one) => isGiven(one) && isReached(one, place)).length;
    if (given <= MAX_BACKENDS) continue;
    messages.push(
      `of the ${given} tasks of ${told()}, ${MAX_BACKENDS} are given flows; make it more than one service`,
    );
  }
  return messages;
}
