import { parseAddress, parseSubnet } from "../../../src/model/address.ts";
import type {
  Backend,
  Frontend,
  PlaneService,
  PlaneState,
  PublishedFrontend,
  VipFrontend,
} from "../../../src/plane/plane.ts";

export function backend(address: string, port?: number, more: Partial<Backend> = {}): Backend {
  return {
    task: address,
    address: parseAddress(address),
    port,
    weight: 1,
    duty: "serving",
    node: undefined,
    ...more,
  };
}

export function vip(
  address: string,
  port: number | undefined,
  backends: readonly Backend[],
  more: Partial<VipFrontend> = {},
): VipFrontend {
  return {
    kind: "vip",
    vip: parseAddress(address),
    network: "default",
    port,
    protocol: port === undefined ? "any" : "tcp",
    balance: "weighted",
    affinityMs: 0,
    proxyProtocol: 0,
    backends,
    ...more,
  };
}

export function published(
  port: number,
  backends: readonly Backend[],
  more: Partial<PublishedFrontend> = {},
): PublishedFrontend {
  const common = { protocol: "tcp", balance: "weighted", affinityMs: 0, proxyProtocol: 0 } as const;
  return { kind: "published", port, ...common, backends, ...more };
}

export function service(name: string, ...frontends: readonly Frontend[]): PlaneService {
  const vips = frontends.flatMap((frontend) => (frontend.kind === "vip" ? [frontend.vip] : []));
  return { name, vips: [...new Set(vips)], frontends };
}

/** Of these services, called by their names. */
export function stateOf(...services: readonly PlaneService[]): PlaneState {
  return {
    services: new Map(services.map((one) => [one.name, one])),
    pools: [parseSubnet("10.64.0.0/16"), parseSubnet("fd64::/112"), parseSubnet("127.64.0.0/16")],
    peers: new Map(),
  };
}
