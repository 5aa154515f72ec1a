import type { Network } from "../model/declaration.ts";
import { composeNetworkShape } from "./compose-shapes.ts";
import { checked, type Problem } from "./problem.ts";

/** What a Compose file's project is called by, if the file does not say. */
export interface ProjectTerms {
  /** What COMPOSE_PROJECT_NAME is looked up in. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the file that this one overrides calls the project. */
  readonly overridden?: string | undefined;
  /** The name of the folder that the file lies in. */
  readonly folder: string;
}

/** A network of a Compose file. */
export interface ComposeNetwork {
  /** What the engine calls it. */
  readonly name: string;
  /** Undefined: what there is to know of it, the engine knows. */
  readonly network: Network | undefined;
}

/** Compose specification, name: lower-case letters, digits, dashes and underscores, a letter or digit first. */
const PROJECT = /^[a-z0-9][a-z0-9_-]*$/;

/**
 * The project of a Compose file: COMPOSE_PROJECT_NAME, else its `name` or that of the file it overrides, else its folder's name as Compose makes it
 * fit: the order is Compose's. Undefined, with a problem: none of them is one.
 */
export function projectOf(
  written: unknown,
  { env, overridden, folder }: ProjectTerms,
  problems: Problem[],
): string | undefined {
  const variable = env["COMPOSE_PROJECT_NAME"] ?? "";
  const said = typeof written === "string" ? written : (overridden ?? "");
  const told = variable === "" ? said : variable;
  if (told === "") {
    const project = folder
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]/g, "")
      .replace(/^[_-]+/, "");
    if (project !== "") return project;
    problems.push({
      path: [],
      message: `has no project: the folder's name, "${folder}", makes none: give it name: shop`,
    });
    return undefined;
  }
  if (PROJECT.test(told)) return told;
  const remedy = "write lower-case letters, digits, - and _, a letter or digit first";
  problems.push(
    variable === ""
      ? { path: ["name"], message: `"${told}" is not the name of a project: ${remedy}` }
      : { path: [], message: `COMPOSE_PROJECT_NAME, "${told}", is not the name of a project: ${remedy}` },
  );
  return undefined;
}

/** The networks of a Compose file by their keys, and the one that is there unasked. */
export function composeNetworksOf(
  networks: Readonly<Record<string, unknown>>,
  project: string,
  problems: Problem[],
): ReadonlyMap<string, ComposeNetwork> {
  const read = new Map<string, ComposeNetwork>([
    ["default", { name: `${project}_default`, network: undefined }],
  ]);
  for (const [key, value] of Object.entries(networks)) {
    const shape = checked(composeNetworkShape, value ?? {}, ["networks", key], problems);
    if (shape === undefined) {
      // It may be named all the same: what is wrong with it is told once.
      read.set(key, { name: `${project}_${key}`, network: undefined });
      continue;
    }
    const { external, ipam, "x-rota": words } = shape;
    const isExternal = typeof external === "object" ? external !== null : external === true;
    const externalName = typeof external === "object" ? external?.name : undefined;
    const name = shape.name ?? externalName ?? (isExternal ? key : `${project}_${key}`);
    const configured = ipam?.config?.flatMap(({ subnet }) => subnet ?? []) ?? [];
    const subnets = [...configured, ...(words?.subnets ?? [])];
    const vips = words?.vips ?? [];
    const isSaid = subnets.length > 0 || vips.length > 0;
    read.set(key, { name, network: isSaid ? { name, subnets, vips } : undefined });
  }
  return read;
}
