import { formatAddress } from "../../model/address.ts";
import type { Backend } from "../plane.ts";
import type { Flow } from "./flow.ts";
import type { Candidate } from "./pick.ts";

/** A backend, and what it has been given. */
export interface Target extends Candidate {
  readonly host: string;
  readonly port: number;
  /** As the last state has it. */
  backend: Backend;
  /** Those that are open, connecting ones included. */
  readonly flows: Set<Flow>;
  /** How many it was given since it came. */
  given: number;
}

export function createTarget(backend: Backend, port: number): Target {
  const flows = new Set<Flow>();
  return {
    key: targetKey(backend, port),
    host: formatAddress(backend.address),
    port,
    backend,
    flows,
    given: 0,
    get weight() {
      return this.backend.weight;
    },
    get active() {
      return flows.size;
    },
  };
}

/** A task that comes back elsewhere is another: what it had there has ended. */
export function targetKey({ task, address }: Backend, port: number): string {
  return `${task} ${formatAddress(address)} ${port}`;
}

export function mayBeGiven({ backend }: Target): boolean {
  return backend.duty === "serving" && backend.weight > 0;
}
