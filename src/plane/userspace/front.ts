import { systemCodeOf } from "../../base/error.ts";
import { formatAddress, isLoopback, parseAddress } from "../../model/address.ts";
import type { Frontend } from "../plane.ts";
import { type BindFailure, tellBindFailures } from "./bind-trouble.ts";
import { createCrew, type Crew } from "./crew.ts";
import type { Shared } from "./shared.ts";
import { listenTcp } from "./tcp.ts";
import { listenUdp } from "./udp.ts";

/** A socket that takes new flows. */
export interface Listener {
  /** Takes no more. Flows that it has go on, and what they need of it. */
  close(): void;
  /** Takes them again; false: it is closed. */
  revive(): boolean;
}

/** A frontend of one port as it is carried. */
export interface Front {
  readonly crew: Crew;
  /** What could not be done at the last try, a sentence each. */
  readonly troubles: readonly string[];
  /** Whether it is refused or listened to as it should, somewhere at least. */
  readonly isCarried: boolean;
  /** Whether another program has its port, where others than this machine would ask. */
  readonly isTaken: boolean;
  /** @param addresses where it is to be reached */
  bring(service: string, frontend: PortFrontend, addresses: readonly string[]): Promise<void>;
  /** Ends its flows, too. */
  end(): void;
}

/** One that sockets can carry. */
export type PortFrontend = Frontend & { readonly protocol: "tcp" | "udp"; readonly port: number };

export function isOfPort(frontend: Frontend): frontend is PortFrontend {
  return frontend.protocol !== "any" && frontend.port !== undefined;
}

function isInUse(error: unknown): boolean {
  return systemCodeOf(error) === "EADDRINUSE";
}

/** What it is to be the same frontend: its sockets stay open, whatever else changes. */
export function frontKey(frontend: Frontend): string {
  const at = frontend.kind === "vip" ? formatAddress(frontend.vip) : "*";
  return `${at} ${frontend.protocol} ${frontend.port}`;
}

/** @param places who of ours listens where, by protocol, address and port */
export function createFront(first: PortFrontend, shared: Shared, places: Map<string, string>): Front {
  const { protocol, port } = first;
  const crew = createCrew(first, port, shared);
  const open = new Map<string, Listener>();
  /** Those that may be revived. */
  const closing = new Map<string, Listener>();
  let troubles: readonly string[] = [];
  let isCarried = false;
  let isTaken = false;

  return {
    crew,
    get troubles() {
      return troubles;
    },
    get isCarried() {
      return isCarried;
    },
    get isTaken() {
      return isTaken;
    },
    async bring(service, frontend, addresses) {
      if (frontend !== crew.frontend) crew.set(frontend);
      // Where nobody listens, the kernel refuses at once.
      const wanted = new Set(crew.isServing ? addresses.filter((address) => !isTasks(address)) : []);
      for (const address of open.keys()) if (!wanted.has(address)) close(address);
      const failures: BindFailure[] = [];
      for (const address of wanted) {
        const error = open.has(address) ? undefined : await listen(service, address);
        // The machine is about to have it, or had it a moment ago.
        if (frontend.kind === "published" && systemCodeOf(error) === "EADDRNOTAVAIL") continue;
        if (error !== undefined) failures.push({ address, error, owner: places.get(placeOf(address)) });
      }
      isCarried = wanted.size === 0 || failures.length < wanted.size;
      isTaken = failures.some(({ address, error }) => isInUse(error) && !isLoopback(parseAddress(address)));
      troubles = await tellBindFailures(service, frontend, failures, shared.holders);
    },
    end() {
      crew.end();
      for (const address of open.keys()) close(address);
    },
  };

  /** Whether a task itself is there: who calls it there needs nobody in between, and would never get out. */
  function isTasks(address: string): boolean {
    return crew.frontend.backends.some(
      (backend) => (backend.port ?? port) === port && formatAddress(backend.address) === address,
    );
  }

  async function listen(service: string, address: string): Promise<unknown> {
    const old = closing.get(address);
    closing.delete(address);
    if (old?.revive()) open.set(address, old);
    else {
      try {
        const listenOn = protocol === "tcp" ? listenTcp : listenUdp;
        open.set(address, await listenOn(address, port, crew, shared));
      } catch (error) {
        return error;
      }
    }
    places.set(placeOf(address), service);
    return undefined;
  }

  function close(address: string): void {
    const listener = open.get(address);
    if (!listener) return;
    open.delete(address);
    closing.set(address, listener);
    places.delete(placeOf(address));
    listener.close();
  }

  function placeOf(address: string): string {
    return `${protocol} ${address} ${port}`;
  }
}
