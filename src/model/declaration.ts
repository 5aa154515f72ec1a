import type { Address, Subnet } from "./address.ts";
import type { Check } from "./check.ts";
import type { Name, Prefix } from "./name.ts";

/**
 * What a source says of one service: checked, every default filled in, and never changed. A source that says
 * it again unchanged publishes the same object again.
 */
export interface Declaration {
  readonly name: Prefix;
  /** What the names of a stack's services end in, as `shop` in `web.shop`; empty: none. */
  readonly namespace: Prefix;
  readonly endpointMode: EndpointMode;
  readonly aliases: readonly Prefix[];
  readonly networkAliases: readonly NetworkAlias[];
  /** Names of {@link Network}s; none: only who sees everything sees it. */
  readonly networks: readonly string[];
  /** Seconds; undefined: the zone's. */
  readonly ttl: number | undefined;
  readonly ports: readonly Port[];
  /** Each `key=value`, as a TXT record has it (RFC 6763 section 6.3). */
  readonly labels: readonly string[];
  readonly order: Order;
  readonly balance: Balance;
  /** Milliseconds that a client is kept at the task that it got, after its last new flow; 0: not at all. */
  readonly affinityMs: number;
  /** How many addresses an answer has at most; Infinity: all. */
  readonly maxAnswers: number;
  readonly whenEmpty: WhenEmpty;
  /** The share of serving tasks below which all are answered; 0: never. */
  readonly panicThreshold: number;
  /** How its tasks are checked; undefined: they are not, or others give the verdicts. */
  readonly check: Check | undefined;
  /** Whether tasks serve while they are starting, before their first verdict. */
  readonly publishNotReady: boolean;
  /** The VIPs that whoever runs the service has given it; undefined: it gets its own from its networks' pools. */
  readonly vips: readonly TaskAddress[] | undefined;
  /** Whether its published ports are Rota's to publish: those of its containers an engine publishes itself. */
  readonly publishes: boolean;
  /** Whether an engine brings its tasks: a Compose file only says what they stand behind. */
  readonly isOutline: boolean;
  readonly tasks: readonly TaskDeclaration[];
  /** Where it stands, as `services.yaml:12:3`, for people. */
  readonly origin: string;
}

/** A name that stands whole, without the namespace, and is seen on one network alone. */
export interface NetworkAlias {
  readonly name: Prefix;
  readonly network: string;
}

/** `vip`: the name answers with the service's own address. `dnsrr`: with its tasks' addresses. */
export type EndpointMode = "vip" | "dnsrr";

/** `rotate`: each task is first equally often. `weighted`: as often as its weight says. `random`: by chance. */
export type Order = "rotate" | "random" | "weighted";

/**
 * Which task a new flow to the VIP or a published port goes to. `weighted`: as its weight says. `rotate`: the next.
 * `random`: any. `leastconn`: that of the fewest flows for its weight. `source`: always the same for one client.
 */
export type Balance = "weighted" | "rotate" | "random" | "leastconn" | "source";

/** What a name answers when no task is serving: no address, all tasks' addresses, or SERVFAIL. */
export type WhenEmpty = "nodata" | "all" | "servfail";

export type Protocol = "tcp" | "udp" | "sctp";

export interface Port {
  /** The first label of its SRV name, without the underscore. */
  readonly name: string;
  readonly protocol: Protocol;
  /** Where tasks listen. */
  readonly target: number;
  /** On the VIP. */
  readonly port: number;
  /** On every node, or where `mode` and `policy` say; `auto`: one of 30,000 to 32,767 that is free. */
  readonly published: number | "auto" | undefined;
  /** `host`: published only on nodes that a task is on, and leads to those alone. */
  readonly mode: PublishMode;
  /** `local`: a node leads to its own tasks alone. */
  readonly policy: TrafficPolicy;
  /** The PROXY header that tasks expect in front of each TCP connection; 0: none. */
  readonly proxyProtocol: ProxyProtocol;
}

export type PublishMode = "ingress" | "host";

export type TrafficPolicy = "cluster" | "local";

export type ProxyProtocol = 0 | 1 | 2;

export interface TaskDeclaration {
  /** Unique in its service. */
  readonly id: Prefix;
  /** Whether somebody chose the id: then the bare id is a name as well. */
  readonly isNamed: boolean;
  readonly slot: number | undefined;
  readonly networkAliases: readonly NetworkAlias[];
  /** At least one. */
  readonly addresses: readonly TaskAddress[];
  /** 0 to 65,535, as in a SRV record. */
  readonly weight: number;
  /** Where this task listens for a port, by the port's name, if not at its target. */
  readonly ports: ReadonlyMap<string, number>;
  /** Whether a verdict decides if it serves; unchecked tasks serve at once. */
  readonly isChecked: boolean;
  /** Whether whoever runs it says that nobody is to be sent there, whatever any check says: it is paused, or stopping. */
  readonly isDown: boolean;
  /** The node that it is on; undefined: this one. */
  readonly node: string | undefined;
  /** The path of its network namespace on this machine, as `/proc/42/ns/net`, if it has one of its own that is known. */
  readonly netns: string | undefined;
}

/** Of a task that stands in for a million: what all have alike is one object, and a map of its own takes 170 octets. */
export const NO_PORTS: TaskDeclaration["ports"] = new Map();
export const NO_ALIASES: readonly NetworkAlias[] = [];

export interface TaskAddress {
  readonly network: string;
  readonly address: Address;
}

/** A named set of subnets. */
export interface Network {
  readonly name: string;
  readonly subnets: readonly Subnet[];
  /** Where VIPs are taken from: each service gets one of each family. */
  readonly vips: readonly Subnet[];
}

/** A machine that tasks are on. */
export interface Node {
  readonly name: string;
  /** Where other nodes reach it: at least one. */
  readonly addresses: readonly Address[];
}

/** Somebody who asks, of whom a source knows more than the address tells. */
export interface Client {
  readonly address: Address;
  /** All that it is on, not only the one of the address. */
  readonly networks: readonly string[];
  /** Its own; empty: none. */
  readonly namespace: Prefix;
}

/** What a source declares, whole. */
export interface Roster {
  readonly zone: Name | undefined;
  /** Seconds. */
  readonly ttl: number | undefined;
  /** Seconds. */
  readonly negativeTtl: number | undefined;
  readonly networks: readonly Network[];
  readonly nodes: readonly Node[];
  /** In order: of two that claim one name, the first keeps it. */
  readonly services: readonly Declaration[];
  readonly clients: readonly Client[];
}

export const EMPTY_ROSTER: Roster = {
  zone: undefined,
  ttl: undefined,
  negativeTtl: undefined,
  networks: [],
  nodes: [],
  services: [],
  clients: [],
};
