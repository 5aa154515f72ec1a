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
  // Worked out when it is brought to something: thousands of others are asked for theirs at each change of one.
  let carried = 0;
  let troubles: ServiceFront["troubles"] = [];
  let isRestless = false;
  const fronts = new Map<string, Front>();

  return {
    get service() {
      return service;
    },
    get carried() {
      return carried;
    },
    get troubles() {
      return troubles;
    },
    get isRestless() {
      return isRestless;
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
      sumUp();
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

  function sumUp(): void {
    const all = [...fronts.values()];
    carried = all.filter(({ isCarried }) => isCarried).length;
    const ofFronts = all.flatMap((front) =>
      front.troubles.map((message) => ({
        message,
        frontend: front.isTaken ? front.crew.frontend : undefined,
      })),
    );
    troubles = [...tellWithoutPorts(service), ...ofFronts];
    isRestless = all.some((front) => front.troubles.length > 0 || front.crew.frontend.kind === "published");
  }
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
