import type { Declaration, NetworkAlias, Port, TaskDeclaration } from "./declaration.ts";

/**
 * What an outline says and what an engine brings for it, as one. The outline's word counts wherever it is not the
 * default; tasks and given VIPs are the engine's.
 *
 * @param filled the engine's declaration of the same name and namespace
 */
export function fillOutline(outline: Declaration, filled: Declaration): Declaration {
  const { tasks, vips } = filled;
  const either = <Key extends keyof Declaration>(key: Key, unsaid: Declaration[Key]): Declaration[Key] =>
    outline[key] === unsaid ? filled[key] : outline[key];
  return {
    name: outline.name,
    namespace: outline.namespace,
    // Who gives VIPs has decided.
    endpointMode: vips === undefined || vips.length === 0 ? outline.endpointMode : filled.endpointMode,
    aliases: [...new Set([...outline.aliases, ...filled.aliases])],
    networkAliases: eachOnce([...outline.networkAliases, ...filled.networkAliases]),
    networks: [...new Set([...filled.networks, ...outline.networks])],
    ttl: either("ttl", undefined),
    ports: fillPorts(outline.ports, filled.ports),
    labels: outline.labels.length === 0 ? filled.labels : outline.labels,
    order: either("order", "rotate"),
    maxAnswers: either("maxAnswers", Infinity),
    whenEmpty: either("whenEmpty", "nodata"),
    panicThreshold: either("panicThreshold", 0),
    check: either("check", undefined),
    publishNotReady: outline.publishNotReady || filled.publishNotReady,
    vips,
    isOutline: false,
    tasks: outline.check === undefined ? tasks : tasks.map(checkedTask),
    origin: outline.origin,
  };
}

/** The engine knows where a port came to be published, and those that nobody wrote down. */
function fillPorts(said: readonly Port[], found: readonly Port[]): readonly Port[] {
  return [
    ...said.map((port) => ({
      ...port,
      published: port.published ?? found.find((other) => isSamePlace(port, other))?.published,
    })),
    ...found.filter((port) => !said.some((other) => isSamePlace(port, other) || isSameName(port, other))),
  ];
}

function isSamePlace(one: Port, other: Port): boolean {
  return one.target === other.target && one.protocol === other.protocol;
}

function isSameName(one: Port, other: Port): boolean {
  return one.name === other.name && one.protocol === other.protocol;
}

function checkedTask(task: TaskDeclaration): TaskDeclaration {
  return { ...task, isChecked: true };
}

function eachOnce(aliases: readonly NetworkAlias[]): readonly NetworkAlias[] {
  // A name is octets with their lengths before them: where it ends is no question.
  return [...new Map(aliases.map((alias) => [`${alias.name}\0${alias.network}`, alias])).values()];
}
