import type { Address, Subnet } from "../model/address.ts";
import type { Balance, ProxyProtocol } from "../model/declaration.ts";

/**
 * What carries the traffic to VIPs and published ports.
 *
 * It is brought to a state, never told of an event: from whatever is there, its own leftovers after a crash and
 * what somebody else has removed included.
 */
export interface Plane extends AsyncDisposable {
  readonly kind: PlaneKind;
  /**
   * Resolves when new flows go where the state says. Calls may overlap: of those that wait, the last state counts,
   * and all get its report. What cannot be carried is in the report and keeps nothing else from being carried;
   * rejects only where nothing at all could be done.
   *
   * @throws RotaError `ERR_ROTA_PLANE`; `ERR_ROTA_CLOSED`: it was disposed of
   */
  apply(state: PlaneState): Promise<Report>;
  /** What is programmed now, read from where it is carried, with its counters. */
  look(): Promise<Sight>;
}

export type PlaneKind = "userspace" | "nftables" | "ipvs";

/** Immutable, and so is all in it: a service that is the same object as in the state before did not change. */
export interface PlaneState {
  /** By the service's id. */
  readonly services: ReadonlyMap<string, PlaneService>;
  /** Where VIPs are taken from: within these, an address or port that leads nowhere is refused at once. */
  readonly pools: readonly Subnet[];
  /** The other nodes that tasks are on, by name. */
  readonly peers: ReadonlyMap<string, Peer>;
}

export const EMPTY_STATE: PlaneState = { services: new Map(), pools: [], peers: new Map() };

/** All that one service leads to. */
export interface PlaneService {
  /** As people know it, as `web.shop`. */
  readonly name: string;
  /** Its VIPs, whether or not anything is listened to there: they answer ping. */
  readonly vips: readonly Address[];
  readonly frontends: readonly Frontend[];
}

export type Frontend = VipFrontend | PublishedFrontend;

/** A port of a VIP, or all of them. Its backends are of the VIP's family. */
export interface VipFrontend extends FrontendBase {
  readonly kind: "vip";
  readonly vip: Address;
  /** The network that the VIP is of. */
  readonly network: string;
  /** Undefined, and then so are those of its backends: every port, as with a service that declares none. */
  readonly port: number | undefined;
}

/** A port of the node's own addresses, of both families. */
export interface PublishedFrontend extends FrontendBase {
  readonly kind: "published";
  readonly port: number;
}

interface FrontendBase {
  /** One frontend of `port: undefined` stands for both. */
  readonly protocol: "tcp" | "udp" | "any";
  readonly balance: Balance;
  /** Milliseconds that a client is kept at its task after its last new flow; 0: not at all. */
  readonly affinityMs: number;
  /** Which PROXY header a task gets in front of each TCP connection; 0: none. */
  readonly proxyProtocol: ProxyProtocol;
  /** All tasks, those that are given no new flows, too. */
  readonly backends: readonly Backend[];
}

/** One task as it is reached by one frontend. */
export interface Backend {
  readonly task: string;
  readonly address: Address;
  /** Undefined: the port that was asked for. */
  readonly port: number | undefined;
  /** Its share of new flows, 0 to 65,535: 0 gets none. */
  readonly weight: number;
  /**
   * `serving`: gets new flows. `draining`: none, and keeps those that it has. `down`: none, and those that it
   * has are ended, as those of a backend that is gone: whoever waits there is to hear of it and try again.
   */
  readonly duty: Duty;
  /** The node that it is on; undefined: this one. */
  readonly node: string | undefined;
}

export type Duty = "serving" | "draining" | "down";

/** Another node of the mesh. */
export interface Peer {
  readonly addresses: readonly Address[];
}

export interface Report {
  /** How many frontends are carried. */
  readonly carried: number;
  /** What could not be done. */
  readonly troubles: readonly Trouble[];
}

export interface Trouble {
  /** The id of the service that it is about; undefined: all of them. */
  readonly service: string | undefined;
  /** The frontend that is not carried for it; undefined: it is about more, or what it is about is carried. */
  readonly frontend?: Frontend | undefined;
  /** A sentence: what could not be done, why, and what to do about it. */
  readonly message: string;
}

export interface Sight {
  readonly kind: PlaneKind;
  /** The path of the network namespace that it is in; undefined: this process's. */
  readonly netns?: string | undefined;
  readonly services: readonly ServiceSight[];
  /** What is there and belongs to nothing in the state, a line each. */
  readonly strangers: readonly string[];
  /** What else was counted since the plane came, as its kind has it, by what people call it. */
  readonly counts?: ReadonlyMap<string, number>;
}

export interface ServiceSight {
  readonly id: string;
  readonly name: string;
  readonly frontends: readonly FrontendSight[];
}

export interface FrontendSight {
  readonly frontend: Frontend;
  readonly backends: readonly BackendSight[];
}

export interface BackendSight {
  readonly backend: Backend;
  /** Flows that were given to it since it came. Undefined: it is not counted here. */
  readonly flows: number | undefined;
  /** Those that are open. */
  readonly active: number | undefined;
}
