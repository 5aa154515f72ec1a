import { expect } from "vitest";
import type { Family } from "../../../src/model/address.ts";
import type { Flow, Found, Lab, LabPlane, Said, Target, Task } from "../lab/lab.ts";
import type { Service } from "./services.ts";

/** One thing that every plane does, or lists that it cannot. */
export interface Clause {
  readonly name: string;
  /** What a plane that cannot do it names in its list. */
  readonly needs: readonly Ability[];
  run(scene: Scene): Promise<void>;
}

/** What a plane may be without. */
export type Ability =
  | "ipv6"
  | "any port"
  | "published"
  | "hairpin"
  | "leastconn"
  | "clients' addresses"
  | "counts of flows"
  | "counts of open flows"
  | "outliving its process";

/** A plane in a lab, which all clauses of a contract share. */
export interface Scene {
  readonly lab: Lab;
  readonly plane: LabPlane;
  /** Brings the plane to these services and no others, without any trouble. */
  apply(...services: readonly Service[]): Promise<void>;
  /** Ends the plane's process by kill -9, and starts another on what it left. */
  replacePlane(): Promise<void>;
}

export type Protocol = "tcp" | "udp";

const FAMILIES: readonly Family[] = [4, 6];
const PROTOCOLS: readonly Protocol[] = ["tcp", "udp"];

/** A clause for each family and protocol. */
export function forEachKind(
  name: string,
  run: (scene: Scene, family: Family, protocol: Protocol) => Promise<void>,
  needs: readonly Ability[] = [],
): Clause[] {
  return FAMILIES.flatMap((family) =>
    PROTOCOLS.map((protocol) => ({
      name: `${name}: ${protocol} over IPv${family}`,
      needs: family === 6 ? [...needs, "ipv6"] : needs,
      run: async (scene: Scene) => run(scene, family, protocol),
    })),
  );
}

/** A clause for each protocol, over all families that the lab has. */
export function forEachProtocol(
  name: string,
  run: (scene: Scene, protocol: Protocol) => Promise<void>,
  needs: readonly Ability[] = [],
): Clause[] {
  return PROTOCOLS.map((protocol) => ({
    name: `${name}: ${protocol}`,
    needs,
    run: async (scene) => run(scene, protocol),
  }));
}

/** Asks from the client, which must be answered every time. */
export async function answersOf(
  lab: Lab,
  target: Target,
  count: number,
  place = lab.client.name,
): Promise<Found> {
  const found = await lab.ask(place, { ...target, count, at: Math.min(count, 4) });
  expect(found.errors, `asking ${target.address}:${target.port} from ${place}`).toEqual({});
  return found;
}

/** That nobody answers there, and that who asks is told so, and need not wait. */
export async function expectRefused(lab: Lab, target: Target, place = lab.client.name): Promise<void> {
  const found = await lab.ask(place, { ...target, count: 2 });
  const where = `${target.protocol ?? "tcp"} ${target.address}:${target.port} from ${place}`;
  expect(found.names, `nobody answers at ${where}`).toEqual({});
  for (const code of Object.keys(found.errors)) expect(REFUSALS, where).toContain(code);
  expect(found.slowestMs, `milliseconds until ${where} is refused`).toBeLessThan(lab.pace.promptMs);
}

const REFUSALS = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES"];

/** How many flows it takes at most, until one is with a task of four that are asked in turn or at random. */
const ENOUGH = 100;

/** Holds a flow that is with `task`. */
export async function holdAt(lab: Lab, target: Target, { name }: Task): Promise<Flow> {
  for (let tries = 0; tries < ENOUGH; tries++) {
    const flow = await lab.hold(lab.client.name, target);
    if (flow.first.name === name) return flow;
    await flow[Symbol.asyncDispose]();
    expect(flow.first.error, "a new flow is answered").toBeUndefined();
  }
  throw new Error(`no flow of ${ENOUGH} came to ${name}`);
}

/** Says words on a flow until what comes back is as it should be. */
export async function sayUntil(
  lab: Lab,
  flow: Flow,
  what: string,
  isSo: (said: Said) => boolean,
): Promise<void> {
  const until = performance.now() + lab.pace.patienceMs;
  const all: Said[] = [];
  do {
    const said = await flow.say();
    if (isSo(said)) return;
    all.push(said);
  } while (performance.now() < until);
  throw new Error(`${what}, but heard ${JSON.stringify(all.slice(-3))} and ${all.length - 3} before`);
}
