import { z } from "zod";
import { RotaError } from "../base/error.ts";
import type { Declaration, EndpointMode, Port } from "../model/declaration.ts";
import { joinPrefix } from "../model/name.ts";
import { isSamePlace } from "../model/port.ts";
import { declare } from "./declare.ts";
import {
  isAbove,
  type Labelled,
  type LabelProblem,
  type LabelTree,
  type LabelWord,
  readWords,
  settle,
} from "./label-words.ts";
import { checked, type Problem } from "./problem.ts";
import { serviceShape } from "./shapes.ts";
import { reading, strict } from "./steps.ts";
import type { Surroundings } from "./surroundings.ts";
import { MAX_SERVICE_OCTETS, type ServiceName } from "./service-name.ts";
import { parsePortName, parsePortText } from "./words.ts";

/** What a service is before its labels have had their say. */
export interface UnlabelledService extends ServiceName {
  readonly endpointMode: EndpointMode;
  /** Each of a target and protocol of its own. */
  readonly ports: readonly Port[];
  readonly origin: string;
}

/** Each makes names for each port. */
export const MAX_ALIASES = 32;

const { endpoint_mode, ttl, aliases, healthcheck, publish_not_ready } = serviceShape.shape;
const { balance, affinity } = serviceShape.shape;
const { labels, order, max_answers, when_empty, panic_threshold } = serviceShape.shape;

/** The words that a label may have for a service. */
export const serviceWords = {
  endpoint_mode: endpoint_mode.removeDefault().optional(),
  ttl,
  aliases,
  healthcheck,
  publish_not_ready,
  labels,
  order,
  balance,
  affinity,
  max_answers,
  when_empty,
  panic_threshold,
  port: z
    .record(z.string(), z.string().transform(reading(parseTarget)), {
      error: ({ input }) => `must have a name, not ${JSON.stringify(input)}: write rota.port.http=8080`,
    })
    .default({})
    .transform((ports, context) =>
      Object.entries(ports).flatMap(([key, port]): NamedPort[] => {
        try {
          return [{ key, port: { ...port, name: parsePortName(key) } }];
        } catch (error) {
          if (!(error instanceof RotaError)) throw error;
          context.addIssue({ code: "custom", path: [key], message: error.message });
          return [];
        }
      }),
    ),
};
const labelShape = strict(serviceWords);

interface NamedPort {
  readonly key: string;
  readonly port: Port;
}

/**
 * Declares a service, without tasks and networks, as its `rota.` labels have it: they have the words of a services
 * file, `rota.healthcheck.http=/healthz`. A label is never left to run a command or to name a file: whoever may start
 * a container may write one.
 */
export function declareLabelled(
  labels: ReadonlyMap<string, string>,
  service: UnlabelledService,
): Labelled<Declaration> {
  const { allowed: words, refused } = allowedWords(labels, "declare it in a services file");
  const warnings: Problem[] = [];
  const settled = settle(words, (tree, problems) => {
    warnings.length = 0;
    return declareTree(tree, service, problems, warnings);
  });
  const odd = warnings.flatMap(({ path, message }): LabelProblem[] => {
    const word = words.find((word) => isAbove(word.path, path));
    return word ? [{ ...word, message, isLeftOut: false }] : [];
  });
  return { said: settled.said, problems: [...refused, ...settled.problems, ...odd] };
}

/** Words of a services file, as they stand there, for one of its shapes to read. */
export type ServiceWords = Readonly<Record<string, unknown>>;

/**
 * The words that labels of a Compose file say of a service, each checked by itself: `ports` for its `rota.port.`. What
 * is refused of an engine is here, too: its labels are these, and there is no telling whose they were.
 */
export function readServiceWords(labels: ReadonlyMap<string, string>): Labelled<ServiceWords> {
  const { allowed, refused } = allowedWords(labels, "write it under x-rota");
  const { said, problems } = settle(allowed, (tree, problems) => {
    const shape = checked(labelShape, tree, [], problems);
    if (!shape) return undefined;
    const { port: _, ...words } = tree;
    if (shape.port.length === 0) return words;
    return {
      ...words,
      ports: shape.port.map(({ port: { name, target, protocol } }) => ({ name, target, protocol })),
    };
  });
  return { said, problems: [...refused, ...problems] };
}

/** The words of a service that a label may have, and those that none may, with what to do instead. */
function allowedWords(
  labels: ReadonlyMap<string, string>,
  remedy: string,
): { readonly allowed: readonly LabelWord[]; readonly refused: readonly LabelProblem[] } {
  const refused: LabelProblem[] = [];
  const allowed = readWords(labels).said.filter((word) => {
    if (!isOfService(word)) return false;
    const why = refusalOf(word.path);
    if (why !== undefined) refused.push({ ...word, message: `${why}: ${remedy}`, isLeftOut: true });
    return why === undefined;
  });
  return { allowed, refused };
}

/** Those labels that are of a service as a whole. */
export function serviceLabels(labels: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  const words = readWords(labels).said.filter(isOfService);
  return words.map(({ label, value }) => [label, value]);
}

function isOfService({ path: [first = ""] }: LabelWord): boolean {
  return Object.hasOwn(serviceWords, first);
}

function declareTree(
  tree: LabelTree,
  { name, namespace, endpointMode, ports: unnamed, origin }: UnlabelledService,
  problems: Problem[],
  warnings: Problem[],
): Declaration | undefined {
  const shape = checked(labelShape, tree, [], problems);
  if (!shape) return undefined;
  const { port: named, ...words } = shape;
  const ports = mergePorts(unnamed, named);
  const tooLong = words.aliases.some((alias) => joinPrefix(alias, namespace).length > MAX_SERVICE_OCTETS);
  if (tooLong) problems.push({ path: ["aliases"], message: `has one of over ${MAX_SERVICE_OCTETS} octets` });
  if (words.aliases.length > MAX_ALIASES)
    problems.push({ path: ["aliases"], message: `has over ${MAX_ALIASES} names` });
  const found: Problem[] = [];
  const around: Surroundings = {
    networkNamed: () => undefined,
    networkNames: new Set(UNPLACED),
    namespace,
    origin,
    path: [],
    allowExec: false,
    publishes: false,
    problems: found,
    warnings,
  };
  const declaration = declare(
    name,
    {
      ...words,
      endpoint_mode: words.endpoint_mode ?? endpointMode,
      ports: ports.map(({ port }) => port),
      networks: UNPLACED,
      namespace: undefined,
      tasks: [],
    },
    around,
  );
  for (const problem of found) {
    const [first, at] = problem.path;
    const key = first === "ports" && typeof at === "number" ? ports[at]?.key : undefined;
    problems.push(key === undefined ? problem : { ...problem, path: ["port", key] });
  }
  return declaration;
}

/** What the engine tells of a service's networks is put in afterwards. */
const UNPLACED = ["default"];

/** A port that has a name stands in place of the numbered one, and is published as that. */
function mergePorts(
  unnamed: readonly Port[],
  named: readonly NamedPort[],
): readonly { readonly key?: string; readonly port: Port }[] {
  const merged = unnamed.flatMap((port) => {
    const own = named.filter((entry) => isSamePlace(entry.port, port));
    if (own.length === 0) return [{ port }];
    return own.map(({ key, port: { name } }) => ({ key, port: { ...port, name } }));
  });
  return [...merged, ...named.filter(({ port }) => !unnamed.some((other) => isSamePlace(port, other)))];
}

/** Why no label may say this. */
function refusalOf([first, word, ...rest]: readonly string[]): string | undefined {
  if (first !== "healthcheck") return undefined;
  if (word === "exec" || word === "test") {
    return "runs a command of this machine, which no label may";
  }
  if (rest.at(-1) !== "ca") return undefined;
  return "names a file of this machine, which no label may";
}

function parseTarget(text: string): Port {
  const port = parsePortText(text);
  if (port.published === undefined) return port;
  const message = `"${text}" says where it is published, which the engine tells: write 8080 or 8080/udp`;
  throw new RotaError("ERR_ROTA_DECLARATION", message);
}
