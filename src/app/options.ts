import { messageOf, RotaError } from "../base/error.ts";
import { type Log, silentLog } from "../base/log.ts";
import { type ListenSpec, parseListen } from "../dns/listen.ts";
import { type Outside, OUTSIDES } from "../dns/respond.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../dns/tcp.ts";
import type { Roster } from "../model/declaration.ts";
import { type Name, parseZone } from "../model/name.ts";
import type { NetworkInput, ServiceDeclaration } from "../schema/input.ts";
import { formatProblem } from "../schema/problem.ts";
import { parseServicesFile } from "../schema/schema.ts";

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
   * Milliseconds without a whole query after which a TCP connection is closed; a day at most.
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

/** What is asked for, checked, every default filled in. */
export interface ReadOptions {
  readonly files: readonly string[];
  readonly poll: boolean;
  readonly listen: readonly ListenSpec[];
  readonly zone: Name | undefined;
  readonly outside: Outside;
  readonly limits: ConnectionLimits;
  readonly roster: Roster;
  readonly log: Log;
  readonly signal: AbortSignal | undefined;
}

/** @throws RotaError `ERR_ROTA_OPTION`, `ERR_ROTA_DECLARATION` */
export function readOptions(options: RotaOptions): ReadOptions {
  const {
    files = [],
    poll = false,
    services = {},
    networks = {},
    listen = ["127.0.0.1:0"],
    zone,
    outside = "refused",
    maxConnections = CONNECTION_LIMITS.maxConnections,
    idleMs = CONNECTION_LIMITS.idleMs,
    log = silentLog,
    signal,
  } = options;
  assertPositive("maxConnections", maxConnections, MAX_CONNECTIONS);
  assertPositive("idleMs", idleMs, MAX_IDLE_MS);
  assertOutside(outside);
  assertTexts("files", files);
  assertTexts("listen", listen);
  return {
    files,
    poll,
    listen: listen.map(parseListen),
    zone: zone === undefined ? undefined : readZone(zone),
    outside,
    limits: { maxConnections, idleMs },
    roster: parseRoster(services, networks),
    log,
    signal,
  };
}

/** For those who write JavaScript: types tell the others. */
function assertTexts(option: string, value: unknown): void {
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take ${option} ${JSON.stringify(value)}: it is a list of texts`,
  );
}

function assertOutside(outside: string): void {
  if (OUTSIDES.some((known) => known === outside)) return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take outside "${outside}": it is refused, servfail or nxdomain`,
  );
}

/** More than any process may have open. */
const MAX_CONNECTIONS = 1_000_000;
/** A day: far beyond it timers do not hold. */
const MAX_IDLE_MS = 86_400_000;

function assertPositive(option: string, value: number, most: number = Number.MAX_SAFE_INTEGER): void {
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return;
  const range = `a whole number from 1${most < Number.MAX_SAFE_INTEGER ? ` to ${most}` : ""}`;
  throw new RotaError("ERR_ROTA_OPTION", `could not start with ${option} ${value}: it must be ${range}`);
}

function parseRoster(services: object, networks: object): Roster {
  const parsed = parseServicesFile({ services, networks }, () => "startRota");
  if (parsed.ok) return parsed.roster;
  const told = parsed.problems.map(formatProblem).join("; ");
  throw new RotaError("ERR_ROTA_DECLARATION", `could not declare the services: ${told}`);
}

function readZone(text: string): Name {
  try {
    return parseZone(text);
  } catch (error) {
    throw new RotaError("ERR_ROTA_OPTION", `could not take the zone: ${messageOf(error)}`, { cause: error });
  }
}
