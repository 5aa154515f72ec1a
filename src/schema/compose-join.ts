import { RotaError } from "../base/error.ts";
import type { EndpointMode, Network, NetworkAlias } from "../model/declaration.ts";
import { parsePrefix, type Prefix } from "../model/name.ts";
import type { ComposeNetwork } from "./compose-networks.ts";
import type { ComposeServiceShape } from "./compose-shapes.ts";
import { suggest } from "./problem.ts";
import { MAX_ALIASES } from "./service-labels.ts";
import type { Surroundings } from "./surroundings.ts";

/** What a service of a Compose file is checked against. */
export interface ComposeSurroundings extends Omit<Surroundings, "networkNames" | "namespace"> {
  readonly namespace: Prefix;
  /** By the file's keys. */
  readonly networks: ReadonlyMap<string, ComposeNetwork>;
  /** By the engine's names: those of which somebody says anything. */
  readonly networkNamed: (name: string) => Network | undefined;
}

/** The networks of a service by the engine's names, and what else it is called on each. */
export type Joined = ReadonlyMap<string, readonly string[]>;

/** What is left of a name's 175 octets goes to what stands in front: ports, tasks, their ids. */
const MAX_ALIAS_OCTETS = 100;
const NO_NETWORK = /^(?:host|none|service:.*|container:.*)$/;

/** The networks that a service is on; what is wrong with them is told. */
export function joinNetworks(shape: ComposeServiceShape, around: ComposeSurroundings): Joined {
  const { network_mode: mode, networks: written } = shape;
  const path = [...around.path, "networks"];
  if (mode !== undefined && mode !== null && mode !== "") {
    if (written !== undefined && written !== null) {
      around.problems.push({ path, message: "does not go with network_mode: write one of them" });
    }
    return new Map(NO_NETWORK.test(mode) ? [] : [[mode, []]]);
  }
  const entries: readonly (readonly [key: string, step: string | number, aliases: readonly string[]])[] =
    Array.isArray(written)
      ? written.map((key, at) => [key, at, []])
      : Object.entries(written ?? {}).map(([key, words]) => [key, key, words?.aliases ?? []]);
  const joined = new Map<string, readonly string[]>();
  // Compose specification, services, networks: with none, it is on the one named default.
  for (const [key, step, aliases] of entries.length > 0 ? entries : [["default", "default", []] as const]) {
    const network = around.networks.get(key);
    if (network === undefined) {
      const remedy = suggest(key, around.networks.keys(), "declare it under networks");
      const message = `network "${key}" is not declared: ${remedy}`;
      around.problems.push({ path: [...path, step], message });
      continue;
    }
    joined.set(network.name, [...(joined.get(network.name) ?? []), ...aliases]);
  }
  return joined;
}

/** What the engine calls its containers on each network, and so does Rota. */
export function aliasesOf(
  name: string,
  { container_name: containerName, hostname }: ComposeServiceShape,
  joined: Joined,
  { path, warnings }: ComposeSurroundings,
): readonly NetworkAlias[] {
  const everywhere = [name, containerName ?? "", hostname ?? ""];
  const odd = new Map<string, string>();
  const aliases = [...joined].flatMap(([network, more]) => {
    // A template, as Swarm has them in hostnames, comes to another name for each task.
    const written = [...everywhere, ...more].filter((text) => text !== "" && !text.includes("{{"));
    const names = written.flatMap((text) => {
      const prefix = prefixOf(text);
      if (typeof prefix === "object") return [prefix.labels];
      odd.set(text, prefix);
      return [];
    });
    const once = [...new Set(names)];
    if (once.length > MAX_ALIASES) {
      const message = `has ${once.length} names on ${network}: the first ${MAX_ALIASES} count`;
      warnings.push({ path, message });
    }
    return once.slice(0, MAX_ALIASES).map((name): NetworkAlias => ({ name, network }));
  });
  for (const [text, why] of odd) warnings.push({ path, message: `nobody can ask for "${text}": ${why}` });
  return aliases;
}

/** A VIP needs an address: from a pool here or, as a Swarm does, from the engine, which says so by itself. */
export function endpointModeOf(
  said: EndpointMode | undefined,
  { deploy }: ComposeServiceShape,
  networks: readonly string[],
  around: ComposeSurroundings,
): EndpointMode {
  const mode = said ?? deploy?.endpoint_mode ?? "dnsrr";
  if (mode === "dnsrr") return mode;
  const poolless = networks.filter((name) => (around.networkNamed(name)?.vips.length ?? 0) === 0);
  if (poolless.length === 0 && networks.length > 0) return mode;
  const place = said === undefined ? ["deploy", "endpoint_mode"] : ["x-rota", "endpoint_mode"];
  const why =
    poolless[0] === undefined
      ? "it is on no network"
      : `network ${poolless[0]} has no vips: write x-rota: { vips: 172.20.128.0/17 } into it`;
  const message = `is answered as dnsrr, unless a Swarm gives it a VIP, since ${why}`;
  around.warnings.push({ path: [...around.path, ...place], message });
  return "dnsrr";
}

/** A name's labels, or why it is none. */
export function prefixOf(text: string): { readonly labels: Prefix } | string {
  try {
    const labels = parsePrefix(text);
    return labels.length <= MAX_ALIAS_OCTETS ? { labels } : `it has over ${MAX_ALIAS_OCTETS} octets`;
  } catch (error) {
    if (!(error instanceof RotaError)) throw error;
    return error.message;
  }
}
