import type { Declaration, NetworkAlias, Port, TaskDeclaration } from "./declaration.ts";
import { formatPrefix } from "./name.ts";
import { addPorts, isNamed } from "./port.ts";

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
    balance: either("balance", "weighted"),
    affinityMs: either("affinityMs", 0),
    maxAnswers: either("maxAnswers", Infinity),
    whenEmpty: either("whenEmpty", "nodata"),
    panicThreshold: either("panicThreshold", 0),
    check: either("check", undefined),
    publishNotReady: outline.publishNotReady || filled.publishNotReady,
    vips,
    publishes: filled.publishes,
    isOutline: false,
    tasks: outline.check === undefined ? tasks : tasks.map(checkedTask),
    origin: outline.origin,
  };
}

/**
 * What two files outline of one service, as one outline: as Compose has it of a file and its override, the later's
 * word counts wherever it is not the default, and lists come together.
 */
export function joinOutlines(earlier: Declaration, later: Declaration): Declaration {
  const filled = fillOutline(withNetworksOf(later, earlier), withNetworksOf(earlier, later));
  const portsOf = (isWanted: (port: Port) => boolean): readonly Port[] =>
    addPorts(later.ports.filter(isWanted), earlier.ports.filter(isWanted));
  return {
    ...filled,
    endpointMode: later.endpointMode === "dnsrr" ? earlier.endpointMode : later.endpointMode,
    // A number says nothing that a name of the other's does not.
    ports: addPorts(
      portsOf(isNamed),
      portsOf((port) => !isNamed(port)),
    ),
    labels: joinLabels(earlier.labels, later.labels),
    isOutline: true,
    origin: earlier.origin,
  };
}

/** Who says no networks is on the default one, which is none of the other's; what it is called, it is everywhere. */
function withNetworksOf(outline: Declaration, { networks }: Declaration): Declaration {
  const unsaid = `${formatPrefix(outline.namespace)}_default`;
  if (outline.networks.length !== 1 || outline.networks[0] !== unsaid) return outline;
  const names = outline.networkAliases.map(({ name }) => name);
  const networkAliases = networks.flatMap((network) => names.map((name) => ({ name, network })));
  return { ...outline, networks, networkAliases };
}

/** A key's last value counts: RFC 6763 section 6.4 has each once. */
function joinLabels(earlier: readonly string[], later: readonly string[]): readonly string[] {
  return [...new Map([...earlier, ...later].map((label) => [label.replace(/=.*$/s, ""), label])).values()];
}

function checkedTask(task: TaskDeclaration): TaskDeclaration {
  return { ...task, isChecked: true };
}

function eachOnce(aliases: readonly NetworkAlias[]): readonly NetworkAlias[] {
  // A name is octets with their lengths before them: where it ends is no question.
  return [...new Map(aliases.map((alias) => [`${alias.name}\0${alias.network}`, alias])).values()];
}
