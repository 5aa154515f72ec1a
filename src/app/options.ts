import type { Log } from "../base/log.ts";
import type { Outside } from "../dns/respond.ts";
import type { NetworkInput, ServiceDeclaration } from "../schema/input.ts";

/** How to start; nothing is needed: then the library alone declares services. */
export interface RotaOptions {
  /**
   * Services files, and folders of them; followed as they change.
   * @default []
   */
  readonly files?: readonly string[] | undefined;
  /**
   * Whether to look at the files again and again instead of being told, as some network volumes need.
   * @default false
   */
  readonly poll?: boolean | undefined;
  /**
   * Services by name, as in a services file.
   * @default {}
   */
  readonly services?: { readonly [name: string]: ServiceDeclaration } | undefined;
  /**
   * Networks by name, as in a services file.
   * @default {}
   */
  readonly networks?: { readonly [name: string]: NetworkInput } | undefined;
  /**
   * Where to be asked: `ADDRESS:PORT` for UDP and TCP, or with `udp://` or `tcp://` in front for one of them.
   * Port 0 takes a free one; `rota.addresses` tells which.
   * @default ["127.0.0.1:0"]
   */
  readonly listen?: readonly string[] | undefined;
  /**
   * The name above all services, whatever the files say.
   * @default the files', else "rota.internal"
   */
  readonly zone?: string | undefined;
  /**
   * What names get that are not ours.
   * @default "refused"
   */
  readonly outside?: Outside | undefined;
  /**
   * How many TCP connections are open at most: over it the one idle for longest is closed.
   * @default 1024
   */
  readonly maxConnections?: number | undefined;
  /**
   * Milliseconds without a whole query after which a TCP connection is closed.
   * @default 10000
   */
  readonly idleMs?: number | undefined;
  /**
   * Where to say what happens: a pino logger, or anything of its shape.
   * @default nowhere
   */
  readonly log?: Log | undefined;
  /**
   * Closes everything when it is aborted.
   * @default never
   */
  readonly signal?: AbortSignal | undefined;
}
