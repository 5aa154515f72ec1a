import type { Declaration, Network } from "../model/declaration.ts";
import { parsePrefix } from "../model/name.ts";
import { composeNetworksOf, projectOf, type ProjectTerms } from "./compose-networks.ts";
import { composeBodyShape, composeFileShape, ROTA_ALONE } from "./compose-shapes.ts";
import { outlineService } from "./compose-service.ts";
import { checked, type Path, type Problem } from "./problem.ts";
import type { Parsed, ServicesFileOptions } from "./schema.ts";

export interface ComposeFileOptions extends ServicesFileOptions, ProjectTerms {}

/** Names that Compose finds its files by, and those that people give to more of them. */
const COMPOSE_NAME = /^(?:docker-)?compose(?:[._-].+)?\.ya?ml$/i;
/** What makes a service of Compose run. */
const COMPOSE_ALONE: readonly string[] = ["image", "build"];
/** At the top of a services file, and of no Compose file. */
const ROTA_TOP: readonly string[] = ["zone", "ttl", "negative_ttl", "namespace", "$schema"];

/**
 * Whether a file is Compose's. What its services say decides: with `image` or `build` it is, and with a word that
 * only Rota has it is not; else its name does, without the folder.
 */
export function isComposeFile(name: string, value: unknown): boolean {
  const services = Object.values(recordOf(recordOf(value)["services"])).map(recordOf);
  if (services.some((service) => hasAnyOf(service, COMPOSE_ALONE))) return true;
  if (!COMPOSE_NAME.test(name)) return false;
  return !hasAnyOf(recordOf(value), ROTA_TOP) && !services.some((service) => hasAnyOf(service, ROTA_ALONE));
}

/**
 * Checks what stands in a Compose file, as far as it is of use here, and makes an outline of each service: its
 * tasks come from the engine. What Compose has besides is let be; what is wrong with the rest is told, all of it.
 *
 * The roster's networks are those of which the file says addresses, by the engine's names.
 *
 * @param origin as for `parseServicesFile`
 */
export function parseComposeFile(
  value: unknown,
  origin: (path: Path) => string,
  { networks: elsewhere = new Map(), allowExec = false, ...terms }: ComposeFileOptions,
): Parsed {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const frame = checked(composeFileShape, value, [], problems);
  const body = checked(composeBodyShape, value, [], []);
  const project = body && projectOf(body.name, terms, problems);
  if (body === undefined || project === undefined) return { ok: false, problems };
  const namespace = namespaceOf(project, problems);
  if (namespace === undefined) return { ok: false, problems };

  const networks = composeNetworksOf(body.networks, project, problems);
  const declared = declaredNetworks(networks.values());
  if (Object.hasOwn(body, "include")) {
    warnings.push({ path: ["include"], message: "is not followed: name those files to Rota, too" });
  }
  const services: Declaration[] = [];
  const seen = new Map<string, string>();
  for (const [name, service] of Object.entries(body.services)) {
    const path = ["services", name];
    const outline = outlineService(name, service, {
      networks,
      networkNamed: (name) => declared.get(name) ?? elsewhere.get(name),
      namespace,
      origin: origin(path),
      path,
      allowExec,
      publishes: false,
      problems,
      warnings,
    });
    if (outline === undefined) continue;
    const twin = seen.get(outline.name);
    if (twin !== undefined) {
      problems.push({ path, message: `is declared twice, as ${twin} too: names ignore case`, at: "key" });
    }
    seen.set(outline.name, name);
    services.push(outline);
  }
  if (frame === undefined || problems.length > 0) return { ok: false, problems };
  const { zone, ttl, negative_ttl: negativeTtl } = frame["x-rota"] ?? {};
  return {
    ok: true,
    roster: { zone, ttl, negativeTtl, networks: [...declared.values()], nodes: [], services, clients: [] },
    warnings,
  };
}

/** As `parseNetworks` of a services file: the networks of which the file says addresses, by the engine's names. */
export function parseComposeNetworks(value: unknown, terms: ProjectTerms): ReadonlyMap<string, Network> {
  const body = checked(composeBodyShape, value, [], []);
  const project = body && projectOf(body.name, terms, []);
  if (body === undefined || project === undefined) return new Map();
  return declaredNetworks(composeNetworksOf(body.networks, project, []).values());
}

/** What a Compose file itself calls its project, be it right or wrong. */
export function projectNameOf(value: unknown): string | undefined {
  const { name } = recordOf(value);
  return typeof name === "string" ? name : undefined;
}

/** Of two keys that mean one network, what the first says counts. */
function declaredNetworks(
  networks: Iterable<{ readonly network: Network | undefined }>,
): ReadonlyMap<string, Network> {
  const declared = new Map<string, Network>();
  for (const { network } of networks) {
    if (network !== undefined && !declared.has(network.name)) declared.set(network.name, network);
  }
  return declared;
}

function namespaceOf(project: string, problems: Problem[]) {
  // RFC 1035 section 2.3.4: "labels 63 octets or less". What else a project may have, a label may.
  if (project.length <= 63) return parsePrefix(project);
  const message = `project "${project}" is too long to be a namespace: 63 characters are allowed, give it a name`;
  problems.push({ path: [], message });
  return undefined;
}

function hasAnyOf(mapping: object, keys: readonly string[]): boolean {
  return keys.some((key) => Object.hasOwn(mapping, key));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}
