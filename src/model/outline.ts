import type { Declaration, NetworkAlias, TaskDeclaration } from "./declaration.ts";
import { addPorts } from "./port.ts";

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
    // The engine knows where a port came to be published, and those that nobody wrote down.
    ports: addPorts(outline.ports, filled.ports),
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

function checkedTask(task: TaskDeclaration): TaskDeclaration {
  return { ...task, isChecked: true };
}

function eachOnce(aliases: readonly NetworkAlias[]): readonly NetworkAlias[] {
  // A name is octets with their lengths before them: where it ends is no question.
  return [...new Map(aliases.map((alias) => [`${alias.name}\0${alias.network}`, alias])).values()];
}
