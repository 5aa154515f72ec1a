import type { Name } from "./name.ts";
import type { Pattern } from "./pattern.ts";

/** How a service's tasks are checked: a probe on a schedule, and what its results come to. Plain values, fit for JSON. */
export interface Check {
  readonly probe: Probe;
  /** From one probe of a task to its next; of a heartbeat: how long the task may be silent. */
  readonly intervalMs: number;
  /** For one probe, everything in it together. */
  readonly timeoutMs: number;
  /** Passes in a row that bring a failing task back. */
  readonly rise: number;
  /** Failures in a row that take a task out. */
  readonly fall: number;
  /** For so long after its first probe, a task that has not passed yet may fail without its counting. */
  readonly startPeriodMs: number;
  /** In place of `intervalMs` during that time. */
  readonly startIntervalMs: number;
  readonly hold: Hold | undefined;
}

/**
 * How a task that flaps is held back: one that served for less than `maxMs` before it failed must pass for
 * `initialMs` before it serves again, for twice as long each time, and for `maxMs` at most.
 */
export interface Hold {
  readonly initialMs: number;
  readonly maxMs: number;
}

/** One try at a task. */
export type Probe = TcpProbe | HttpProbe | GrpcProbe | DnsProbe | ExecProbe | HeartbeatProbe;

/** A connection can be made, and maybe says what it should. */
export interface TcpProbe {
  readonly kind: "tcp";
  readonly port: ProbePort;
  /** What is said first; empty: nothing. */
  readonly send: string;
  readonly expect: Match | undefined;
}

/** A request is answered with an expected status, and maybe body. */
export interface HttpProbe {
  readonly kind: "http";
  readonly port: ProbePort;
  /** Undefined: plain HTTP. */
  readonly tls: ProbeTls | undefined;
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The Host header; undefined: the task's address and port. */
  readonly host: string | undefined;
  readonly status: readonly StatusRange[];
  readonly body: Match | undefined;
  /** How many redirects are followed, always to the same task. */
  readonly redirects: number;
}

/** The task says SERVING over the gRPC health checking protocol. */
export interface GrpcProbe {
  readonly kind: "grpc";
  readonly port: ProbePort;
  /** Undefined: HTTP/2 over plain TCP. */
  readonly tls: ProbeTls | undefined;
  /** Empty: the server as a whole. */
  readonly service: string;
}

/** A DNS server answers a question as it should. */
export interface DnsProbe {
  readonly kind: "dns";
  readonly port: ProbePort;
  readonly transport: "udp" | "tcp";
  readonly name: Name;
  readonly type: number;
  /** As `NOERROR`. */
  readonly rcode: string;
  /** What must be among the data of the answers, as dig prints it; with none, NOERROR needs any record at all. */
  readonly answers: readonly string[];
}

/** A command of this machine exits with 0. */
export interface ExecProbe {
  readonly kind: "exec";
  /** What the command hears of as ROTA_PORT, if the service has a port. */
  readonly port: ProbePort | undefined;
  /** Program and arguments, at least the program. */
  readonly command: readonly [program: string, ...words: string[]];
}

/** The task itself reports. */
export interface HeartbeatProbe {
  readonly kind: "heartbeat";
}

export interface ProbePort {
  /** Of the service's ports: a task may listen elsewhere for it. Undefined: `number` it is. */
  readonly name: string | undefined;
  readonly number: number;
}

export interface ProbeTls {
  /** A file of certificates in PEM to trust instead of the well-known ones. */
  readonly ca: string | undefined;
  /** Whom the certificate must be for, and what is asked for by SNI; undefined: the Host header's name, else the address. */
  readonly servername: string | undefined;
  /** Whether any certificate does. */
  readonly insecure: boolean;
}

/** TLS of which nothing is said. */
export const DEFAULT_TLS: ProbeTls = { ca: undefined, servername: undefined, insecure: false };

/** What must be within the first 64 KiB of what a task says. */
export type Match =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "pattern"; readonly pattern: Pattern };

/** Both ends in it. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}
