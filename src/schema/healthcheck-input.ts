import type { DurationInput } from "./duration-input.ts";

/**
 * How the tasks of a service are checked: exactly one of `tcp`, `http`, `https`, `grpc`, `dns`, `exec`,
 * `heartbeat` and Compose's `test`, and how often.
 *
 * With `test` the defaults are those that Docker has for it, else Rota's own; and there 0 means the default in
 * `interval`, `timeout`, `start_interval` and `retries`, as it does to Docker.
 */
export interface HealthcheckInput {
  /**
   * A connection can be made, and maybe says what it should. `true`: at the service's first port over TCP.
   * A number, or the name of one of the service's ports: there.
   */
  readonly tcp?: true | PortWordInput | TcpInput | undefined;
  /** A request is answered well: its path, as `"/healthz"`, or more. */
  readonly http?: string | HttpInput | undefined;
  /** As `http`, over TLS. */
  readonly https?: string | HttpsInput | undefined;
  /**
   * The task says SERVING over the gRPC health checking protocol. `true`: as a whole; text: for the gRPC service
   * of that name.
   */
  readonly grpc?: true | string | GrpcInput | undefined;
  /** A DNS server answers: the name to ask for the A records of, or more. */
  readonly dns?: string | DnsInput | undefined;
  /**
   * A command of this machine exits with 0: program and arguments, or text for `/bin/sh`. It runs only where
   * commands are allowed, and hears of the task by ROTA_SERVICE, ROTA_TASK, ROTA_ADDRESS and ROTA_PORT.
   */
  readonly exec?: string | readonly string[] | undefined;
  /** The task itself reports that it is well, at least so often: 100ms to 24h. */
  readonly heartbeat?: DurationInput | undefined;
  /**
   * `exec` in Compose's words: text for `/bin/sh`, `["CMD", program, …]`, `["CMD-SHELL", text]`, or `["NONE"]`
   * for no check. It is run on this machine, not in a container.
   */
  readonly test?: string | readonly string[] | undefined;
  /**
   * Whether there is no check, whatever else is said, as in Compose.
   * @default false
   */
  readonly disable?: boolean | "true" | "false" | undefined;
  /**
   * From one probe of a task to its next, 100ms to 24h.
   * @default "5s"; with `test` "30s"
   */
  readonly interval?: DurationInput | undefined;
  /**
   * For one probe, everything in it together, 1ms to 24h. It may be longer than `interval`: a task is never
   * probed twice at a time.
   * @default "2s"; with `test` "30s"
   */
  readonly timeout?: DurationInput | undefined;
  /**
   * How many passes in a row bring a failing task back, 1 to 10,000.
   * @default 2; with `test` 1
   */
  readonly rise?: number | undefined;
  /**
   * How many failures in a row take a task out, 1 to 10,000.
   * @default 3
   */
  readonly fall?: number | undefined;
  /**
   * Compose's word for `fall`, also as digits.
   * @default 3
   */
  readonly retries?: number | string | undefined;
  /**
   * For so long a task that has not passed yet may fail without its counting, up to 24h.
   * @default "0s"
   */
  readonly start_period?: DurationInput | undefined;
  /**
   * In place of `interval` during that time, 100ms to 24h.
   * @default `interval`; with `test` "5s"
   */
  readonly start_interval?: DurationInput | undefined;
  /**
   * Holds back a task that flaps: how long it must pass before it serves again, twice as long each time.
   * @default not held back
   */
  readonly hold?: DurationInput | HoldInput | undefined;
}

/** A port: its number, also as digits, or the name of one of the service's, which may be elsewhere for some tasks. */
export type PortWordInput = number | string;

export interface TcpInput {
  /** @default the service's first port over TCP */
  readonly port?: PortWordInput | undefined;
  /**
   * What is said first.
   * @default nothing
   */
  readonly send?: string | undefined;
  /**
   * What must be in the first 64 KiB of what the task says.
   * @default nothing
   */
  readonly expect?: MatchInput | undefined;
}

export interface HttpInput {
  /**
   * With a query, if it needs one.
   * @default "/"
   */
  readonly path?: string | undefined;
  /** @default the service's first port over TCP */
  readonly port?: PortWordInput | undefined;
  /** @default "GET" */
  readonly method?: string | undefined;
  /**
   * Headers by name; the Host header is `host`.
   * @default {}
   */
  readonly headers?: { readonly [name: string]: string | number } | undefined;
  /**
   * The Host header, as `shop.example` or `shop.example:8080`.
   * @default the task's address and port
   */
  readonly host?: string | undefined;
  /**
   * Which statuses are well, 100 to 599: one, a range as `"200-299"`, or a list of both.
   * @default "200-299"
   */
  readonly status?: StatusInput | readonly StatusInput[] | undefined;
  /**
   * What must be in the first 64 KiB of the body.
   * @default nothing
   */
  readonly body?: MatchInput | undefined;
  /**
   * How many redirects are followed, 0 to 10, always to the same task.
   * @default 0
   */
  readonly redirects?: number | undefined;
}

export interface HttpsInput extends HttpInput {
  /**
   * How the certificate is looked at.
   * @default {}
   */
  readonly tls?: TlsInput | undefined;
}

export type StatusInput = number | string;

export interface GrpcInput {
  /**
   * The gRPC service whose health is asked for.
   * @default the server as a whole
   */
  readonly service?: string | undefined;
  /** @default the service's first port over TCP */
  readonly port?: PortWordInput | undefined;
  /**
   * Whether, and how, TLS is spoken.
   * @default false
   */
  readonly tls?: boolean | TlsInput | undefined;
}

export interface DnsInput {
  /** What is asked for. */
  readonly name: string;
  /** @default "A" */
  readonly type?: string | undefined;
  /** @default the service's first port over `transport` */
  readonly port?: PortWordInput | undefined;
  /** @default "udp" */
  readonly transport?: "udp" | "tcp" | undefined;
  /**
   * What the answer's code must be.
   * @default "NOERROR"
   */
  readonly rcode?: string | undefined;
  /**
   * What must be among the answers, as dig prints it: `["10.0.0.1"]`.
   * @default with NOERROR any record, else none
   */
  readonly answers?: readonly string[] | undefined;
}

export interface TlsInput {
  /**
   * A file of certificates in PEM to trust instead of the well-known ones; seen from where Rota was started.
   * @default the well-known ones
   */
  readonly ca?: string | undefined;
  /**
   * The name that the certificate must be for, and that is asked for (SNI).
   * @default that in `host`, else the task's address
   */
  readonly servername?: string | undefined;
  /**
   * Whether any certificate does.
   * @default false
   */
  readonly insecure?: boolean | undefined;
}

/** Text that must be there, or a regular expression of RE2's syntax that must fit somewhere. */
export type MatchInput = string | PatternInput;

export interface PatternInput {
  readonly pattern: string;
}

export interface HoldInput {
  /** The first time; 100ms to 24h. */
  readonly initial: DurationInput;
  /**
   * At most; no less than `initial`, up to 24h.
   * @default "5m", or `initial` if that is longer
   */
  readonly max?: DurationInput | undefined;
}
