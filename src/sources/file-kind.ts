import { basename, dirname, resolve } from "node:path";
import type { Network } from "../model/declaration.ts";
import { isComposeFile, parseComposeFile, parseComposeNetworks } from "../schema/compose.ts";
import type { ProjectTerms } from "../schema/compose-networks.ts";
import type { Path } from "../schema/problem.ts";
import { type Parsed, parseNetworks, parseServicesFile, type ServicesFileOptions } from "../schema/schema.ts";
import { expandCompose } from "./expand-compose.ts";
import { type Environment, expand } from "./expand.ts";
import type { Expand } from "./variables.ts";

/** In whose words a file is written: Rota's or Compose's. */
export interface FileKind {
  readonly expand: Expand;
  readonly networks: (value: unknown) => ReadonlyMap<string, Network>;
  readonly parse: (value: unknown, origin: (path: Path) => string, options: ServicesFileOptions) => Parsed;
  /** Beneath what `zone`, `ttl` and `negative_ttl` stand. */
  readonly settings: Path;
}

/** @param overridden what the file that this one overrides calls the project */
export function kindOf(
  file: string,
  value: unknown,
  env: Environment,
  overridden: string | undefined,
): FileKind {
  return isComposeFile(basename(file), value) ? composeKind(file, env, overridden) : servicesKind(env);
}

function servicesKind(env: Environment): FileKind {
  return {
    expand: (text) => ({ text: expand(text, env), missing: new Map() }),
    networks: parseNetworks,
    parse: parseServicesFile,
    settings: [],
  };
}

function composeKind(file: string, env: Environment, overridden: string | undefined): FileKind {
  const terms: ProjectTerms = { env, overridden, folder: basename(dirname(resolve(file))) };
  return {
    expand: (text) => expandCompose(text, env),
    networks: (value) => parseComposeNetworks(value, terms),
    parse: (value, origin, options) => parseComposeFile(value, origin, { ...options, ...terms }),
    settings: ["x-rota"],
  };
}

/** The file that another changes by its name, as `compose.override.yaml` does `compose.yaml`; else itself. */
export function overriddenBy(file: string): string {
  return file.replace(/\.override(\.ya?ml)$/i, "$1");
}
