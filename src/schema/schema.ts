import { z } from "zod";
import { RotaError } from "../base/error.ts";
import { declare } from "./declare.ts";
import type { Declaration, Network, Roster } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";
import { createDefaultNetwork } from "../model/network.ts";
import { checked, formatProblem, type Path, type Problem } from "./problem.ts";
import { bodyShape, fileShape, frameShape, networkShape, serviceShape } from "./shapes.ts";
import type { Surroundings } from "./surroundings.ts";
import { parseDottedName, parseServiceName } from "./words.ts";

/** What came of checking: a roster, or everything that is wrong. */
export type Parsed =
  | { readonly ok: true; readonly roster: Roster; readonly warnings: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface ServicesFileOptions {
  /**
   * Networks that other files declare; of one name, the file's own counts.
   * @default none
   */
  readonly networks?: ReadonlyMap<string, Network>;
  /**
   * Whether health checks may run commands.
   * @default false
   */
  readonly allowExec?: boolean | undefined;
}

/** Of a heartbeat in a file: no program need stand behind a file. */
const UNHEARD = "is told by the program that imports Rota, by rota.report: rota serve by itself hears none";

/**
 * Checks what stands in a services file (see `ServicesFile` in `input.ts`), and tells all that is wrong with it.
 *
 * The roster's networks are those that the file declares: {@link createDefaultNetwork} may be named, and is
 * among them only if the file declares it.
 *
 * @param origin says where a path stands, for people: it becomes the `origin` of each declaration.
 */
export function parseServicesFile(
  value: unknown,
  origin: (path: Path) => string,
  { networks: elsewhere = new Map(), allowExec = false }: ServicesFileOptions = {},
): Parsed {
  const problems: Problem[] = [];
  const frame = checked(frameShape, withoutExtensions(value), [], problems);
  const body = checked(bodyShape, value, [], []);
  if (body === undefined) return { ok: false, problems };

  const networks = readNetworks(body.networks, problems);
  const reachable = withDefault([...elsewhere, ...networks]);
  const networkNames = new Set([...reachable.keys(), ...Object.keys(body.networks)]);
  const warnings: Problem[] = [];
  const services: Declaration[] = [];
  const seen = new Map<string, string>();
  for (const [name, service] of Object.entries(body.services)) {
    const path = ["services", name];
    const around: Surroundings = {
      // One that is declared wrongly here does not stand for one of the same name elsewhere.
      networkNamed: (name) => (Object.hasOwn(body.networks, name) ? networks.get(name) : reachable.get(name)),
      networkNames,
      namespace: frame?.namespace,
      origin: origin(path),
      path,
      allowExec,
      publishes: true,
      problems,
      warnings,
    };
    const declaration = readService(name, service, around);
    if (declaration === undefined) continue;
    const twin = seen.get(declaration.namespace + declaration.name);
    if (twin !== undefined) {
      const message = `is declared twice, as ${twin} too: names ignore case`;
      problems.push({ path, message, at: "key" });
    }
    seen.set(declaration.namespace + declaration.name, name);
    if (declaration.check?.probe.kind === "heartbeat") {
      warnings.push({ path: [...path, "healthcheck", "heartbeat"], message: UNHEARD });
    }
    services.push(declaration);
  }
  if (frame === undefined || problems.length > 0) return { ok: false, problems };
  const { zone, ttl, negative_ttl: negativeTtl } = frame;
  const nodes = Object.entries(frame.nodes).map(([name, addresses]) => ({ name, addresses }));
  return {
    ok: true,
    roster: { zone, ttl, negativeTtl, networks: [...networks.values()], nodes, services, clients: [] },
    warnings,
  };
}

/**
 * The networks that a services file declares, those that are well-formed: so that one file may name what another
 * declares. What is wrong with the others, {@link parseServicesFile} tells.
 */
export function parseNetworks(value: unknown): ReadonlyMap<string, Network> {
  return readNetworks(checked(bodyShape, value, [], [])?.networks ?? {}, []);
}

export interface ServiceContext {
  /** What the service may name besides {@link createDefaultNetwork}. */
  readonly networks: ReadonlyMap<string, Network>;
  /**
   * Of a service that names none.
   * @default none
   */
  readonly namespace?: string | undefined;
  /**
   * Whether its health check may run a command.
   * @default false
   */
  readonly allowExec?: boolean | undefined;
  /** Where the service is declared, for people, as `rota.declare`. */
  readonly origin: string;
  /** Hears what is accepted but does not do what one may think. */
  readonly warn?: (message: string) => void;
}

/**
 * Checks one service, as `rota.declare(name, value)` takes it (see `ServiceDeclaration` in `input.ts`).
 *
 * @throws RotaError `ERR_ROTA_DECLARATION` with all that is wrong in one line, separated by `; `
 */
export function parseService(name: string, value: unknown, context: ServiceContext): Declaration {
  const reachable = withDefault(context.networks);
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const around: Surroundings = {
    networkNamed: (name) => reachable.get(name),
    networkNames: new Set(reachable.keys()),
    namespace:
      context.namespace === undefined
        ? undefined
        : attempt(parseDottedName, context.namespace, ["namespace"], problems),
    origin: context.origin,
    path: [],
    allowExec: context.allowExec ?? false,
    publishes: true,
    problems,
    warnings,
  };
  const declaration = readService(name, value, around);
  if (declaration === undefined || problems.length > 0) {
    const told = problems.map(formatProblem).join("; ");
    throw new RotaError("ERR_ROTA_DECLARATION", `could not declare service "${name}": ${told}`);
  }
  for (const warning of warnings) context.warn?.(`service "${name}": ${formatProblem(warning)}`);
  return declaration;
}

/** The services file as a JSON Schema (2020-12), for editors to complete and check by. */
export function servicesJsonSchema(): object {
  const schema = z.toJSONSchema(fileShape, { io: "input", target: "draft-2020-12" });
  return {
    ...schema,
    title: "Rota services file",
    // Compose lets extensions be; here it is what anchors are put under.
    patternProperties: { "^x-": {} },
  };
}

/** The networks that may be named, and the one that is there unasked; of one name, the last counts. */
function withDefault(declared: Iterable<readonly [string, Network]>): Map<string, Network> {
  const unasked = createDefaultNetwork();
  return new Map([[unasked.name, unasked], ...declared]);
}

function readService(name: string, value: unknown, around: Surroundings): Declaration | undefined {
  const prefix = attempt(parseServiceName, name, around.path, around.problems);
  const shape = checked(serviceShape, value, around.path, around.problems);
  if (prefix === undefined || shape === undefined) return undefined;
  return declare(prefix, shape, around);
}

function readNetworks(
  networks: { readonly [name: string]: unknown },
  problems: Problem[],
): Map<string, Network> {
  const read = new Map<string, Network>();
  for (const [name, value] of Object.entries(networks)) {
    // Compose's way to declare a network of which there is nothing to say.
    const shape = checked(networkShape, value ?? {}, ["networks", name], problems);
    if (shape !== undefined) read.set(name, { name, ...shape });
  }
  return read;
}

function attempt(
  parse: (text: string) => Prefix,
  text: string,
  path: Path,
  problems: Problem[],
): Prefix | undefined {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof RotaError)) throw error;
    problems.push({ path, message: error.message, ...(path.length > 1 && { at: "key" as const }) });
    return undefined;
  }
}

function withoutExtensions(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("x-")));
}
