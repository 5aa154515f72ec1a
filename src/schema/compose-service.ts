import { RotaError } from "../base/error.ts";
import type { Declaration, Port } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";
import { addPorts } from "../model/port.ts";
import {
  aliasesOf,
  type ComposeSurroundings,
  endpointModeOf,
  joinNetworks,
  prefixOf,
} from "./compose-join.ts";
import { readLabels, type SaidByLabels } from "./compose-labels.ts";
import {
  composeServiceShape,
  type ComposeServiceShape,
  MAX_PORTS,
  type NamedPorts,
  ROTA_ALONE,
  rotaServiceShape,
} from "./compose-shapes.ts";
import { declare } from "./declare.ts";
import { checked, formatPath, type Path, type Problem } from "./problem.ts";
import { MAX_SERVICE_OCTETS } from "./service-name.ts";
import { parsePortName } from "./words.ts";

/** Compose specification, services: what docker-compose takes for a service's name. */
const SERVICE_NAME = /^[a-zA-Z0-9._-]+$/;

/** Makes an outline of a service: everything but its tasks. Undefined: it is wrong, or not to be shown. */
export function outlineService(
  name: string,
  value: unknown,
  around: ComposeSurroundings,
): Declaration | undefined {
  const ownName = serviceNameOf(name, around);
  const shape = checked(composeServiceShape, value, around.path, around.problems);
  if (ownName === undefined || shape === undefined) return undefined;
  tellUnseen(shape, around);
  const labels = [
    readLabels(shape.labels ?? [], [...around.path, "labels"], around.problems),
    readLabels(shape.deploy?.labels ?? [], [...around.path, "deploy", "labels"], around.problems),
  ];
  if (labels.some(({ isEnabled }) => !isEnabled)) return undefined;
  if (labels.some(({ service }) => service !== undefined)) {
    const message = "is left out, as its label rota.service puts its containers into another service";
    around.warnings.push({ path: around.path, message });
    return undefined;
  }
  const words = rotaWordsOf(shape, labels, around);
  const joined = joinNetworks(shape, around);
  if (words === undefined) return undefined;
  const networks = [...joined.keys()];
  const ports = boundedPortsOf(words.ports, portsOf(shape, around), around);
  const declared = declare(
    ownName,
    {
      ...words,
      networks,
      namespace: around.namespace,
      endpoint_mode: endpointModeOf(words.endpoint_mode, shape, networks, around),
      ports: [...ports],
      tasks: [],
    },
    {
      ...around,
      path: "x-rota" in shape ? [...around.path, "x-rota"] : around.path,
      networkNames: new Set(networks),
      // Which pools they have was looked at.
      networkNamed: () => undefined,
    },
  );
  return { ...declared, networkAliases: aliasesOf(name, shape, joined, around), isOutline: true };
}

function serviceNameOf(name: string, { namespace, path, problems }: ComposeSurroundings): Prefix | undefined {
  const prefix = SERVICE_NAME.test(name)
    ? prefixOf(name)
    : "it has other characters than letters, digits, _ . -";
  const why = typeof prefix === "string" ? prefix : overlongWith(namespace, prefix.labels);
  if (typeof prefix === "object" && why === undefined) return prefix.labels;
  problems.push({ path, message: `"${name}" cannot be the name of a service: ${why}`, at: "key" });
  return undefined;
}

/** An engine's containers with such a name would be another service, and the outline would wait for ever. */
function overlongWith(namespace: Prefix, name: Prefix): string | undefined {
  const octets = name.length + namespace.length;
  if (octets <= MAX_SERVICE_OCTETS) return undefined;
  return `with its project it has ${octets} octets, ${MAX_SERVICE_OCTETS} are allowed`;
}

/** What `x-rota` says and, where it says nothing, labels do. */
function rotaWordsOf(
  shape: ComposeServiceShape,
  labels: readonly SaidByLabels[],
  around: ComposeSurroundings,
) {
  const written = shape["x-rota"] ?? {};
  const said = checked(rotaServiceShape, written, [...around.path, "x-rota"], around.problems);
  return said && rotaServiceShape.parse(Object.assign({}, ...labels.map(({ words }) => words), written));
}

function tellUnseen(shape: ComposeServiceShape, { path, warnings }: ComposeSurroundings): void {
  if ("extends" in shape) {
    warnings.push({
      path: [...path, "extends"],
      message: "is not followed: what it brings is not seen here",
    });
  }
  for (const word of ROTA_ALONE.filter((word) => word in shape)) {
    const message = `is Rota's word, not Compose's, and is let be: write it under x-rota`;
    warnings.push({ path: [...path, word], message });
  }
}

function boundedPortsOf(
  words: readonly Port[],
  more: readonly Port[],
  { path, problems }: ComposeSurroundings,
): readonly Port[] {
  const count = words.length + more.length;
  if (count <= MAX_PORTS) return addPorts(words, more);
  problems.push({ path: [...path, "ports"], message: `come to ${count} ports: ${MAX_PORTS} are allowed` });
  return [];
}

function portsOf(shape: ComposeServiceShape, { path, warnings }: ComposeSurroundings): readonly Port[] {
  const lists = { ports: shape.ports ?? [], expose: shape.expose ?? [] };
  return Object.entries(lists).flatMap(([word, list]) =>
    list.flatMap((written: NamedPorts, at) => {
      const place = [...path, word, at];
      if (written.leftOut > 0) {
        const message = `is a range of ${written.leftOut} ports, and none of them has a SRV record: write those that should under ${formatPath(["x-rota", "ports"])}`;
        warnings.push({ path: place, message });
      }
      return written.ports.map((port) => named(port, written.name, [...place, "name"], warnings));
    }),
  );
}

function named(port: Port, name: string | undefined, path: Path, warnings: Problem[]): Port {
  if (name === undefined || name === "") return port;
  try {
    return { ...port, name: parsePortName(name) };
  } catch (error) {
    if (!(error instanceof RotaError)) throw error;
    warnings.push({ path, message: `${error.message}; its SRV record is named ${port.name}` });
    return port;
  }
}
