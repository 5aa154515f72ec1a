import { formatAddress } from "../../model/address.ts";
import type { Frontend, PlaneService, ServiceSight, Trouble } from "../plane.ts";
import { createFront, type Front, frontKey, isOfPort } from "./front.ts";
import type { Shared } from "./shared.ts";

/** All frontends of one service as they are carried. */
export interface ServiceFront {
  /** As it was brought to last. */
  readonly service: PlaneService;
  readonly carried: number;
  readonly troubles: readonly Omit<Trouble, "service">[];
  /** Whether it must be looked at again, though it may not have changed. */
  readonly isRestless: boolean;
  /** Ends what the service no longer has. */
  giveUp(next: PlaneService): void;
  bring(next: PlaneService, addressesFor: (frontend: Frontend) => readonly string[]): Promise<void>;
  look(id: string): ServiceSight;
  end(): void;
}

export function createServiceFront(shared: Shared, places: Map<string, string>): ServiceFront {
  let service: PlaneService = { name: "", vips: [], frontends: [] };
  const fronts = new Map<string, Front>();

  return {
    get service() {
      return service;
    },
    get carried() {
      let carried = 0;
      for (const front of fronts.values()) if (front.isCarried) carried += 1;
      return carried;
    },
    get troubles() {
      const ofFronts = [...fronts.values()].flatMap(({ crew, troubles, isTaken }) =>
        troubles.map((message) => ({ message, frontend: isTaken ? crew.frontend : undefined })),
      );
      return [...tellWithoutPorts(service), ...ofFronts];
    },
    get isRestless() {
      for (const { crew, troubles } of fronts.values()) {
        if (troubles.length > 0 || crew.frontend.kind === "published") return true;
      }
      return false;
    },
    giveUp(next) {
      const kept = new Set(next.frontends.map(frontKey));
      for (const [key, front] of fronts) {
        if (kept.has(key)) continue;
        front.end();
        fronts.delete(key);
      }
    },
    async bring(next, addressesFor) {
      service = next;
      for (const frontend of next.frontends) {
        if (!isOfPort(frontend)) continue;
        const key = frontKey(frontend);
        const front = fronts.get(key) ?? createFront(frontend, shared, places);
        fronts.set(key, front);
        await front.bring(next.name, frontend, addressesFor(frontend));
      }
    },
    look: (id) => ({
      id,
      name: service.name,
      frontends: [...fronts.values()].map(({ crew }) => crew.look()),
    }),
    end() {
      for (const front of fronts.values()) front.end();
      fronts.clear();
    },
  };
}

function tellWithoutPorts({ name, frontends }: PlaneService): Omit<Trouble, "service">[] {
  const at = frontends
    .filter((frontend) => !isOfPort(frontend))
    .map((frontend) => (frontend.kind === "vip" ? formatAddress(frontend.vip) : "published"));
  if (at.length === 0) return [];
  const message =
    `${name} declares no ports: the userspace plane listens on each port by itself and cannot carry all of ` +
    `${at.join(", ")}; give it ports, as ports: [8080]`;
  return [{ message }];
}
