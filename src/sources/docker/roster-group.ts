import { compareText } from "../../base/compare.ts";
import type { EndpointMode, NetworkAlias, TaskAddress } from "../../model/declaration.ts";
import type { Prefix } from "../../model/name.ts";
import type { Verdict } from "../../registry/service.ts";
import type { Place } from "./roster-networks.ts";
import type { EngineContainer, EnginePort } from "./snapshot.ts";

/** A service to be, with all who stand behind it. */
export interface Group {
  /** Which service it is, from one snapshot to the next. */
  readonly key: string;
  readonly name: Prefix;
  readonly namespace: Prefix;
  /** For people. */
  readonly origin: string;
  /** For people, in front of a warning. */
  readonly title: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly endpointMode: EndpointMode;
  /** What a Swarm has given it. */
  readonly vips: readonly TaskAddress[];
  readonly networks: readonly string[];
  /** Of the service as a whole. */
  readonly aliases: readonly NetworkAlias[];
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: readonly EnginePort[];
  /** Those that stopped, too; the oldest first. */
  readonly members: readonly Member[];
}

/** A container, or a Swarm's task. */
export interface Member {
  readonly title: string;
  /** Seconds since 1970. */
  readonly createdAt: number;
  /** What it may be called in its service; the first that is free. */
  readonly ids: readonly Prefix[];
  readonly isNamed: boolean;
  readonly slot: number | undefined;
  readonly weight: number;
  readonly places: readonly Place[];
  /** Empty: it is no task now. */
  readonly addresses: readonly TaskAddress[];
  /** What it alone is called, on each of its networks. */
  readonly names: readonly Prefix[];
  /** What it alone is called on one of them. */
  readonly aliases: readonly NetworkAlias[];
  readonly standing: Standing;
  /** The path of its network namespace on the engine's machine. */
  readonly netns: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: readonly EnginePort[];
}

/** How somebody is, as the engine tells it. */
export interface Standing {
  readonly verdict: Verdict;
  /** Whether the engine checks it. */
  readonly isChecked: boolean;
  /** Whether it is out whatever any check says: paused, or about to stop. */
  readonly isDown: boolean;
}

/** How a container is; undefined: nobody can be sent to it. */
export function standingOf({ state, health, isStopping }: EngineContainer): Standing | undefined {
  const standing = { verdict: verdictOf(health), isChecked: health !== "none" };
  switch (state) {
    case "running":
      return { ...standing, isDown: isStopping };
    case "paused":
      return { ...standing, isDown: true };
    case "created":
    case "restarting":
    case "removing":
    case "exited":
    case "dead":
      return undefined;
  }
}

/** Where its network namespace is, while it runs. */
export function netnsOf({ pid }: EngineContainer): string | undefined {
  return pid > 0 ? `/proc/${pid}/ns/net` : undefined;
}

/** Of one without a check as well: who was paused must come back. */
function verdictOf(health: EngineContainer["health"]): Verdict {
  switch (health) {
    case "none":
    case "healthy":
      return "passing";
    case "starting":
      return "starting";
    case "unhealthy":
      return "failing";
  }
}

/** The oldest first: a restart of Rota finds the same order. */
export function compareAge(
  one: { readonly createdAt: number; readonly title: string },
  other: { readonly createdAt: number; readonly title: string },
): number {
  return one.createdAt - other.createdAt || compareText(one.title, other.title);
}

/** A service of Rota's own making that containers stand behind. */
export function groupOf(
  place: Pick<Group, "key" | "name" | "namespace" | "origin" | "title">,
  members: readonly Member[],
): Group {
  const sorted = members.toSorted(compareAge);
  const [oldest] = sorted;
  return {
    ...place,
    createdAt: oldest?.createdAt ?? 0,
    endpointMode: "dnsrr",
    vips: [],
    networks: networksOf(sorted),
    aliases: [],
    labels: oldest?.labels ?? new Map(),
    ports: sorted.flatMap(({ ports }) => ports),
    members: sorted,
  };
}

/** All networks that somebody is on. */
export function networksOf(members: readonly Member[]): string[] {
  return [
    ...new Set(
      members.flatMap(({ places, addresses }) => [
        ...places.map(({ network }) => network),
        ...addresses.map(({ network }) => network),
      ]),
    ),
  ];
}
