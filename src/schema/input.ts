import type {
  Balance,
  EndpointMode,
  Order,
  Protocol,
  PublishMode,
  TrafficPolicy,
  WhenEmpty,
} from "../model/declaration.ts";
import type { DurationInput } from "./duration-input.ts";
import type { HealthcheckInput } from "./healthcheck-input.ts";

/** A services file, in its own words. Keys that begin with `x-` are let be, as Compose does. */
export interface ServicesFile {
  /**
   * The name above all services, at most 80 octets.
   * @default "rota.internal"
   */
  readonly zone?: string | undefined;
  /**
   * How long a resolver may keep an answer: whole seconds, 0 to 86,400.
   * @default "5s"
   */
  readonly ttl?: DurationInput | undefined;
  /**
   * How long a resolver may keep it that a name does not exist: whole seconds, 0 to 86,400.
   * @default "5s"
   */
  readonly negative_ttl?: DurationInput | undefined;
  /**
   * The namespace of services that name none.
   * @default none
   */
  readonly namespace?: string | undefined;
  /**
   * Networks by name. The one named `default` is there unasked, and takes VIPs from 127.64.0.0/16.
   * @default {}
   */
  readonly networks?: { readonly [name: string]: NetworkInput | null } | undefined;
  /**
   * The machines that tasks are on, by name: where each is reached by the others.
   * @default {}
   */
  readonly nodes?: { readonly [name: string]: string | readonly string[] } | undefined;
  /**
   * Services by name: letters, digits, `-` and `_`, at most 63.
   * @default {}
   */
  readonly services?: { readonly [name: string]: ServiceDeclaration } | undefined;
  /** Where editors find the JSON Schema of a JSON file; not looked at. */
  readonly $schema?: string | undefined;
  readonly [extension: `x-${string}`]: unknown;
}

/** A named set of subnets, and where the VIPs of its services come from. */
export interface NetworkInput {
  /**
   * Which addresses are on it, as `["10.0.1.0/24", "fd00::/64"]`.
   * @default []
   */
  readonly subnets?: readonly string[] | undefined;
  /**
   * Where VIPs are taken from, as `"10.0.1.128/25"`: a subnet, or one of each family. Without it the network
   * carries only services with `endpoint_mode: dnsrr`.
   * @default []
   */
  readonly vips?: string | readonly string[] | undefined;
}

/** What a services file, or `rota.declare(name, …)`, says of one service. */
export interface ServiceDeclaration {
  /**
   * The networks that it is on.
   * @default ["default"]
   */
  readonly networks?: readonly string[] | undefined;
  /**
   * What the names of a stack's services share: `shop` in `web.shop`. Dots are allowed.
   * @default the file's
   */
  readonly namespace?: string | undefined;
  /**
   * `vip`: its name answers with its own virtual IP. `dnsrr`: with its serving tasks' addresses.
   * @default "vip"
   */
  readonly endpoint_mode?: EndpointMode | undefined;
  /**
   * Other names for it. Dots are allowed.
   * @default []
   */
  readonly aliases?: readonly string[] | undefined;
  /**
   * How long a resolver may keep its answers: whole seconds, 0 to 86,400.
   * @default the zone's
   */
  readonly ttl?: DurationInput | undefined;
  /** @default [] */
  readonly ports?: readonly PortInput[] | undefined;
  /**
   * How its tasks are checked: one serves from its first pass on, and until it fails.
   * @default not at all: every task serves
   */
  readonly healthcheck?: HealthcheckInput | undefined;
  /**
   * Whether tasks serve while they are starting, too, before they have passed for the first time.
   * @default false
   */
  readonly publish_not_ready?: boolean | undefined;
  /**
   * What its TXT record says: a mapping, or a list of `"key=value"`.
   * @default {}
   */
  readonly labels?: { readonly [key: string]: string | number | boolean } | readonly string[] | undefined;
  /**
   * Which task comes first in an answer. `rotate`: each equally often. `weighted`: as often as its weight
   * says. `random`: by chance.
   * @default "rotate"
   */
  readonly order?: Order | undefined;
  /**
   * Which task a new flow to its VIP or published ports goes to. `weighted`: as its weight says. `rotate`: the next.
   * `random`: any. `leastconn`: the one with the fewest flows for its weight. `source`: always the same for one client.
   * @default "weighted"
   */
  readonly balance?: Balance | undefined;
  /**
   * How long a client is kept at the task that it got, after its last new flow: whole seconds, up to a day.
   * @default not at all
   */
  readonly affinity?: DurationInput | undefined;
  /**
   * How many addresses an answer has at most; 1 or more.
   * @default all
   */
  readonly max_answers?: number | undefined;
  /**
   * What its name answers when no task is serving: no address, the addresses of all tasks, or SERVFAIL.
   * @default "nodata"
   */
  readonly when_empty?: WhenEmpty | undefined;
  /**
   * The share of serving tasks, 0 to 1, below which all tasks are answered: 0 is never.
   * @default 0
   */
  readonly panic_threshold?: number | undefined;
  /**
   * Its running copies.
   * @default []
   */
  readonly tasks?: readonly TaskInput[] | undefined;
}

/**
 * A port: its number where tasks listen, text as Compose has it, `"8080"`, `"80:8080"` or `"80:8080/udp"`
 * (published, target, protocol), or a mapping.
 */
export type PortInput = number | string | PortMapping;

export interface PortMapping {
  /**
   * The first label of its SRV name, as `http` in `_http._tcp.web`: 1 to 15 letters, digits and hyphens with
   * at least one letter (RFC 6335 section 5.1).
   * @default the number in `target`
   */
  readonly name?: string | undefined;
  /** Where tasks listen. */
  readonly target: number;
  /**
   * Where the VIP listens.
   * @default `target`
   */
  readonly port?: number | undefined;
  /**
   * Where every node listens; `auto`: at one of 30000 to 32767 that is free, the same on every node.
   * @default nowhere
   */
  readonly published?: number | "auto" | undefined;
  /** @default "tcp" */
  readonly protocol?: Protocol | undefined;
  /**
   * `ingress`: every node listens at `published`. `host`: only a node that a task is on, and it leads there alone.
   * @default "ingress"
   */
  readonly mode?: PublishMode | undefined;
  /**
   * `cluster`: a node leads to the tasks of all nodes. `local`: to its own alone, and refuses where it has none.
   * @default "cluster"
   */
  readonly policy?: TrafficPolicy | undefined;
  /**
   * The version of the PROXY header that tasks expect in front of each TCP connection: 1 or 2. Only the userspace
   * plane can send one.
   * @default none
   */
  readonly proxy_protocol?: 1 | 2 | undefined;
}

/** A task: its address, as `"10.0.1.11"`, `"10.0.1.13:9090"` or `"[fd00::1]:80"`, or a mapping. */
export type TaskInput = string | TaskMapping;

export interface TaskMapping {
  /**
   * Its name in the service: letters, digits, `_`, `.` and `-`. A chosen id is a name of its own too.
   * @default made from its first address, as `10-0-1-11`
   */
  readonly id?: string | undefined;
  /**
   * Its number in the service, 1 or more: the `2` of `2.web`.
   * @default none
   */
  readonly slot?: number | undefined;
  /**
   * Where it is: an address, several, or those of each network. With a port behind it, the task listens there
   * for the service's only port.
   */
  readonly address: AddressInput | { readonly [network: string]: AddressInput };
  /**
   * How large a share it takes under `order: weighted` and in its SRV record, 0 to 65,535.
   * @default 1
   */
  readonly weight?: number | undefined;
  /**
   * Where it listens for a port, by the port's name.
   * @default the ports' targets
   */
  readonly ports?: { readonly [port: string]: number } | undefined;
  /**
   * The node that it is on, by its name under `nodes`.
   * @default the one that Rota runs on
   */
  readonly node?: string | undefined;
}

/** One address or several, each maybe with a port. */
export type AddressInput = string | readonly string[];
