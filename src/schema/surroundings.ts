import type { Network } from "../model/declaration.ts";
import type { Prefix } from "../model/name.ts";
import type { Path, Problem } from "./problem.ts";

/** What a service is checked against. */
export interface Surroundings {
  /** Of each network that may be named; undefined: it is declared wrongly, which is told elsewhere. */
  readonly networkNamed: (name: string) => Network | undefined;
  readonly networkNames: ReadonlySet<string>;
  /** Of a service that names none. */
  readonly namespace: Prefix | undefined;
  readonly origin: string;
  /** Where the service stands. */
  readonly path: Path;
  /** Whether a health check may run commands. */
  readonly allowExec: boolean;
  /** Whether its published ports are Rota's to publish, and not an engine's. */
  readonly publishes: boolean;
  /** What is wrong goes here; if anything does, the declaration is not to be used. */
  readonly problems: Problem[];
  /** What is accepted but does not do what one may think goes here. */
  readonly warnings: Problem[];
}
