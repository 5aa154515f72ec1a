import type { Family } from "../../../src/model/address.ts";
import type { Backend, Frontend, PlaneService, PlaneState } from "../../../src/plane/plane.ts";
import type { Endpoint, Lab, Task, Told } from "../lab/lab.ts";

/** A service with its id. */
export type Service = readonly [string, Told<PlaneService>];

type Settings = Partial<Pick<Frontend, "balance" | "affinityMs" | "proxyProtocol">>;

const PLAIN = { balance: "rotate", affinityMs: 0, proxyProtocol: 0 } as const;

/** A service with a port of a VIP, for TCP and UDP. */
export function vipService(
  { address: vip, port }: Endpoint,
  backends: readonly Told<Backend>[],
  settings: Settings = {},
): Service {
  const shared = { ...PLAIN, ...settings, kind: "vip", network: "default", vip, port, backends } as const;
  const frontends = [
    { ...shared, protocol: "tcp" },
    { ...shared, protocol: "udp" },
  ] as const;
  return [`id of ${vip} ${port}`, { name: `web-${port}`, vips: [vip], frontends }];
}

/** A service with all ports of a VIP. */
export function anyPortService(
  vip: string,
  backends: readonly Told<Backend>[],
  settings: Settings = {},
): Service {
  const frontend = {
    ...PLAIN,
    ...settings,
    kind: "vip",
    network: "default",
    vip,
    port: undefined,
    protocol: "any",
    backends: backends.map((backend) => ({ ...backend, port: undefined })),
  } as const;
  return [`id of ${vip}`, { name: "any", vips: [vip], frontends: [frontend] }];
}

/** A service with a port of the node, for TCP and UDP. */
export function publishedService(port: number, backends: readonly Told<Backend>[]): Service {
  const shared = { ...PLAIN, kind: "published", port, backends } as const;
  const frontends = [
    { ...shared, protocol: "tcp" },
    { ...shared, protocol: "udp" },
  ] as const;
  return [`id of published ${port}`, { name: `published-${port}`, vips: [], frontends }];
}

/** The tasks as they are reached, serving with the weight 1 each, but for what `changes` says of some by name. */
export function backendsOf(
  tasks: readonly Task[],
  family: Family,
  changes: Readonly<Record<string, Partial<Pick<Backend, "weight" | "duty">>>> = {},
): Told<Backend>[] {
  return tasks.map(({ name, at }) => ({
    task: name,
    ...at[family],
    weight: 1,
    duty: "serving",
    node: undefined,
    ...changes[name],
  }));
}

export function stateOf({ pools }: Lab, services: readonly Service[]): Told<PlaneState> {
  return { services, pools, peers: [] };
}
