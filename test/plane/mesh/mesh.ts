import { isIPv6 } from "node:net";
import { createScope } from "../../../src/base/scope.ts";
import type { Family } from "../../../src/model/address.ts";
import type { Backend, Frontend, PlaneState, Report } from "../../../src/plane/plane.ts";
import { type Found, type PlaneChoice, type Ran, startHub, type Told } from "../lab/lab.ts";
import { openLink } from "../lab/link.ts";

/** Two nodes, n1 with a1, a2 and c1 behind it, n2 with b1, b2 and c2; and ext, outside on the nodes' switch. */
export interface Mesh extends AsyncDisposable {
  /** A plane on a node, in the node's own process. */
  openPlane(node: NodeName, choice: PlaneChoice): Promise<void>;
  closePlane(node: NodeName): Promise<void>;
  apply(node: NodeName, state: Told<PlaneState>): Promise<Report>;
  /** The state of a node, in which the others are known or not. */
  stateOf(node: NodeName, services: readonly Service[], others: "known" | "unknown"): Told<PlaneState>;
  /** Flows to a port of a node, and what became of them in few words, as `a1: ext, b1: n1` or `ECONNREFUSED`. */
  ask(place: string, question: MeshQuestion): Promise<string>;
  /** A connection that stays open; says what a line of it was answered with. */
  hold(place: string, node: NodeName, port: number): Promise<() => Promise<string>>;
  run(place: string, argv: readonly string[]): Promise<Ran>;
}

export type NodeName = "n1" | "n2";

export interface MeshQuestion {
  readonly node: NodeName;
  /** @default of the node on the switch */
  readonly host?: string | undefined;
  readonly family: Family;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
}

/** A service that publishes a port, or has VIPs with one. */
export interface Service {
  readonly port: number;
  /** @default none: the port is published */
  readonly vips?: Addresses;
  readonly tasks: readonly string[];
  /**
   * `everywhere`: each node leads to all tasks. `local`: each to its own, and refuses without one. `host`: only nodes
   * with a task have the port.
   * @default "everywhere"
   */
  readonly mode?: "everywhere" | "local" | "host";
}

export type Behind = "routed" | "tunnel" | "bridge" | "vxlan";

export const TASKS = ["a1", "a2", "b1", "b2"];
export const POOLS = ["10.64.0.0/16", "fd64::/112"];
const TASK_PORT = 8080;
const FAMILIES: readonly Family[] = [4, 6];
/** Each of four tasks twice, as they take turns. */
const FLOWS = 8;
/** What a flow may take that will never be answered; those that are take milliseconds. */
const PATIENCE_MS = 2_000;

export type Addresses = Readonly<Record<Family, string>>;

interface Laid {
  readonly ext: Addresses;
  readonly nodes: Readonly<Record<NodeName, Addresses>>;
  readonly seen: Readonly<Record<NodeName, readonly string[]>>;
  readonly leaves: Readonly<Record<string, Addresses>>;
}

export async function openMesh(behind: Behind): Promise<Mesh> {
  await using opening = createScope();
  const hub = opening.use(startHub());
  const link = await openLink(hub);
  const laid = await link.request<Laid>(undefined, "lay", { kind: "mesh", behind });
  const nameOf = namesOf(laid);
  let flows = 0;

  const placeOf = (task: string, family: Family): string =>
    (laid.leaves[task] ?? laid.nodes[nodeOf(task)])[family];
  const serving = [...TASKS, "n2"].flatMap((name) =>
    FAMILIES.map((family) => ({ name, address: placeOf(name, family), port: TASK_PORT })),
  );
  await Promise.all(serving.map(async (task) => link.request(task.name, "serve", task)));

  function frontendsOf(
    node: NodeName,
    { port, tasks, vips, mode = "everywhere" }: Service,
  ): Told<Frontend>[] {
    const near = mode === "everywhere" ? tasks : tasks.filter((task) => nodeOf(task) === node);
    if (mode === "host" && near.length === 0) return [];
    const backends = near.flatMap((task) =>
      FAMILIES.map((family): Told<Backend> => ({
        task,
        address: placeOf(task, family),
        port: TASK_PORT,
        weight: 1,
        duty: "serving",
        node: nodeOf(task) === node ? undefined : nodeOf(task),
      })),
    );
    return (["tcp", "udp"] as const).flatMap((protocol): Told<Frontend>[] => {
      const base = { protocol, port, balance: "rotate", affinityMs: 0, proxyProtocol: 0, backends } as const;
      if (vips === undefined) return [{ kind: "published", ...base }];
      return FAMILIES.map((family) => ({
        kind: "vip",
        vip: vips[family],
        network: "default",
        ...base,
        backends: backends.filter(({ address }) => isIPv6(address) === (family === 6)),
      }));
    });
  }

  const opened = opening.move();
  return {
    openPlane: async (node, choice) => link.request(node, "openPlane", choice),
    closePlane: async (node) => link.request(node, "closePlane"),
    async apply(node, state) {
      const [report] = await link.request<readonly Report[]>(node, "apply", { states: [state] });
      if (report === undefined) throw new Error("no report");
      return report;
    },
    stateOf: (node, services, others) => ({
      services: services.map((service) => {
        const name = `s${service.port}`;
        const vips = Object.values(service.vips ?? {});
        return [name, { name, vips, frontends: frontendsOf(node, service) }];
      }),
      pools: POOLS,
      peers: others === "known" ? [[otherOf(node), { addresses: knownAs(laid, otherOf(node), behind) }]] : [],
    }),
    async ask(place, { node, host, family, protocol, port }) {
      const question = { protocol, port, count: FLOWS, at: FLOWS, timeoutMs: PATIENCE_MS };
      const address = host ?? laid.nodes[node][family];
      const { peers, errors } = await link.request<Found>(place, "ask", { host: address, ...question });
      const seen = Object.entries(peers).map(([task, by]) => {
        const names = new Set(by.map((address) => nameOf(address, task)));
        return `${task}: ${[...names].toSorted().join("+")}`;
      });
      return [...seen.toSorted(), ...Object.keys(errors)].join(", ");
    },
    async hold(place, node, port) {
      flows += 1;
      const say = { flow: `f${flows}`, timeoutMs: PATIENCE_MS };
      const target = { protocol: "tcp", host: laid.nodes[node][4], port };
      const said = async (op: string): Promise<string> => {
        const answer = await link.request<{ name?: string; peer?: string; error?: string }>(place, op, {
          ...target,
          ...say,
        });
        return answer.error ?? `${answer.name}: ${nameOf(answer.peer ?? "", answer.name ?? "")}`;
      };
      await said("hold");
      return async () => said("say");
    },
    run: async (place, argv) => link.request(undefined, "run", { place, argv }),
    [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose](),
  };
}

/** The node that a task is on; the node itself where that is the task. */
function nodeOf(task: string): NodeName {
  return task.startsWith("a") || task === "n1" ? "n1" : "n2";
}

function otherOf(node: NodeName): NodeName {
  return node === "n1" ? "n2" : "n1";
}

/** A tunnel's addresses come in addition: packets come both ways. */
function knownAs({ nodes, seen }: Laid, node: NodeName, behind: Behind): string[] {
  const own = [nodes[node][4], nodes[node][6]];
  return behind === "tunnel"
    ? [...own, ...seen[node].filter((address) => /^(?:10\.98|fd98)/.test(address))]
    : own;
}

/** Whose an address is, in the eyes of a task. */
function namesOf({ ext, nodes, seen, leaves }: Laid): (address: string, task: string) => string {
  const places = { ext, ...nodes, ...leaves };
  const all = Object.entries(places).flatMap(([name, at]) =>
    FAMILIES.map((family) => [at[family], name] as const),
  );
  const others = Object.entries(seen).flatMap(([name, addresses]) =>
    addresses.map((address) => [address, name] as const),
  );
  const names = new Map([...others, ...all]);
  // Every node is that to the tasks behind it.
  return (address, task) => (address === "169.254.1.1" ? nodeOf(task) : (names.get(address) ?? address));
}
