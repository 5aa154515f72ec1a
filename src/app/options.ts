import { hostname } from "node:os";
import { messageOf, RotaError } from "../base/error.ts";
import { type Log, silentLog } from "../base/log.ts";
import { MAX_WAITING } from "../dns/forward/forwarder.ts";
import { type ForwardSpec, parseForward } from "../dns/forward/upstream.ts";
import { type LanesWanted, MAX_LANES } from "../dns/lanes/choose.ts";
import { type ListenSpec, parseListen } from "../dns/listen.ts";
import { type Outside, OUTSIDES } from "../dns/respond.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../dns/tcp.ts";
import { parseTrusted } from "../dns/viewers.ts";
import type { Subnet } from "../model/address.ts";
import type { Roster } from "../model/declaration.ts";
import { type Name, parseZone } from "../model/name.ts";
import { type Scope, SCOPES } from "../model/view.ts";
import { PLANE_CHOICES, type PlaneChoice } from "../plane/planes.ts";
import type { NetworkInput, ServiceDeclaration, ServicesFile } from "../schema/input.ts";
import { TASKS_NETNS } from "./carrying.ts";
import { type EngineAddress, parseEngine } from "../sources/docker/endpoint.ts";
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
   * The Docker engine, or one like it, whose containers are tasks: `unix:///run/docker.sock`, `tcp://10.0.0.2:2375`,
   * `ssh://user@host`; empty: the one that the docker command would ask. Compose files among `files` outline services of it.
   * @default none
   */
  readonly docker?: string | undefined;
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
   * The machines that tasks are on, by name, as in a services file: where each is reached by the others.
   * @default {}
   */
  readonly nodes?: ServicesFile["nodes"];
  /**
   * Where to be asked: `ADDRESS:PORT` for UDP and TCP, or with `udp://` or `tcp://` in front for one of them; with
   * `proxy://`, `proxy+udp://` or `proxy+tcp://` for proxies alone that send the PROXY header, version 2. Port 0 takes a free one; `rota.addresses` tells which.
   * @default ["127.0.0.1:0"]
   */
  readonly listen?: readonly string[] | undefined;
  /**
   * How many threads answer over UDP, 64 at most; 0: the one that does everything else, as it does where lanes cannot
   * be had. `auto`: one for each core but one, 4 at most.
   * @default "auto"
   */
  readonly lanes?: LanesWanted | undefined;
  /**
   * Whose word counts on whom they ask for (EDNS client subnet): addresses, and subnets as `10.0.0.0/8`.
   * @default []
   */
  readonly trust?: readonly string[] | undefined;
  /**
   * What is seen by who is on no network: everything, or by `strict` nothing but the zone itself.
   * @default "all"
   */
  readonly scope?: Scope | undefined;
  /**
   * The name above all services, whatever the files say.
   * @default the files', else "rota.internal"
   */
  readonly zone?: string | undefined;
  /**
   * What names get that are not ours, if nobody is asked for them.
   * @default "refused"
   */
  readonly outside?: Outside | undefined;
  /**
   * Who is asked for names that are not ours: `10.0.0.53`, `tcp://10.0.0.53:5353`, `tls://10.0.0.53#dns.example`,
   * `https://10.0.0.53/dns-query#dns.example`, or
   * `resolv.conf` or the path of one, followed as it changes; `corp.example=10.0.0.53` for one zone only. Of several the
   * first that is there.
   * @default []
   */
  readonly forward?: readonly string[] | undefined;
  /**
   * How many octets forwarded answers are kept in; 0 keeps none.
   * @default 16777216 (16 MiB)
   */
  readonly cacheSize?: number | undefined;
  /**
   * How many queries wait for upstreams at most: over it they are refused.
   * @default 4096
   */
  readonly maxForwards?: number | undefined;
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
   * Whether health checks may run commands: whoever writes the services files then runs them as this process.
   * @default false
   */
  readonly allowExec?: boolean | undefined;
  /**
   * A file that says which tasks are out of answers, followed as it changes; it need not be there.
   * @default none
   */
  readonly adminFile?: string | undefined;
  /**
   * For how many milliseconds a service that is new waits for the first results of its checks; until then names
   * that lead to its tasks get SERVFAIL, so that clients try again. A day at most.
   * @default 3000
   */
  readonly startWaitMs?: number | undefined;
  /**
   * How many probes are under way at once.
   * @default 512
   */
  readonly maxProbes?: number | undefined;
  /**
   * How many milliseconds beyond its TTL a task that the operator took out is held to be in use; a day at most.
   * @default 5000
   */
  readonly drainGraceMs?: number | undefined;
  /**
   * What carries the traffic to VIPs and published ports: `auto`, `userspace`, `nftables` or `ipvs`; `none` leaves
   * that to others.
   * @default "none"
   */
  readonly plane?: PlaneChoice | undefined;
  /**
   * Paths of network namespaces in which VIPs are to lead to tasks as well, as `/run/netns/blue`; `tasks`: those of
   * all tasks of the engine.
   * @default []
   */
  readonly planeNetns?: readonly string[] | undefined;
  /**
   * Whether what was programmed in the kernel is taken back at the end; else it stays, and traffic goes on.
   * @default false
   */
  readonly planeCleanup?: boolean | undefined;
  /**
   * The name of this machine among `nodes`.
   * @default its host name
   */
  readonly node?: string | undefined;
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
  readonly engine: EngineAddress | undefined;
  readonly poll: boolean;
  readonly listen: readonly ListenSpec[];
  readonly lanes: LanesWanted;
  readonly trusted: readonly Subnet[];
  readonly scope: Scope;
  readonly zone: Name | undefined;
  readonly outside: Outside;
  readonly forward: readonly ForwardSpec[];
  readonly cacheSize: number;
  readonly maxForwards: number;
  readonly limits: ConnectionLimits;
  readonly allowExec: boolean;
  readonly adminFile: string | undefined;
  readonly startWaitMs: number;
  readonly maxProbes: number;
  readonly drainGraceMs: number;
  readonly plane: PlaneChoice;
  readonly planeNetns: readonly string[];
  readonly planeCleanup: boolean;
  readonly node: string;
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
    nodes = {},
    listen = ["127.0.0.1:0"],
    docker,
    lanes = "auto",
    trust = [],
    scope = "all",
    zone,
    outside = "refused",
    forward = [],
    cacheSize = DEFAULT_CACHE_OCTETS,
    maxForwards = MAX_WAITING,
    maxConnections = CONNECTION_LIMITS.maxConnections,
    idleMs = CONNECTION_LIMITS.idleMs,
    allowExec = false,
    adminFile,
    startWaitMs = 3000,
    maxProbes = 512,
    drainGraceMs = 5000,
    plane = "none",
    planeNetns = [],
    planeCleanup = false,
    node = hostname(),
    log = silentLog,
    signal,
  } = options;
  assertWhole("maxConnections", maxConnections, 1, MAX_FILES);
  assertWhole("idleMs", idleMs, 1, MAX_WAIT_MS);
  assertWhole("startWaitMs", startWaitMs, 0, MAX_WAIT_MS);
  assertWhole("maxProbes", maxProbes, 1, MAX_FILES);
  assertWhole("drainGraceMs", drainGraceMs, 0, MAX_WAIT_MS);
  assertWhole("cacheSize", cacheSize, 0, MAX_CACHE_OCTETS);
  assertWhole("maxForwards", maxForwards, 1, MAX_FILES);
  if (lanes !== "auto") assertWhole("lanes", lanes, 0, MAX_LANES);
  assertOutside(outside);
  assertScope(scope);
  assertPlane(plane);
  assertTexts("planeNetns", planeNetns);
  const engine = docker === undefined ? undefined : parseEngine(docker, process.env);
  assertPlaceable(plane, planeNetns);
  assertTasksNetns(planeNetns, engine);
  assertTrueOrFalse("planeCleanup", planeCleanup);
  assertTexts("files", files);
  assertTrueOrFalse("allowExec", allowExec);
  if (adminFile !== undefined) assertPath("adminFile", adminFile);
  assertTexts("listen", listen);
  assertTexts("trust", trust);
  assertTexts("forward", forward);
  return {
    files,
    engine,
    poll,
    listen: listen.map(parseListen),
    lanes,
    trusted: trust.map(readTrusted),
    scope,
    zone: zone === undefined ? undefined : readZone(zone),
    outside,
    forward: forward.map(parseForward),
    cacheSize,
    maxForwards,
    limits: { maxConnections, idleMs },
    allowExec,
    adminFile,
    startWaitMs,
    maxProbes,
    drainGraceMs,
    plane,
    planeNetns,
    planeCleanup,
    node,
    roster: parseRoster({ services, networks, nodes }, allowExec),
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

/** A text that says "no" is true all the same, and commands would be run by it. */
function assertTrueOrFalse(option: string, value: unknown): void {
  if (typeof value === "boolean") return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take ${option} ${JSON.stringify(value)}: it is true or false`,
  );
}

function assertPath(option: string, value: unknown): void {
  if (typeof value === "string" && value !== "") return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take ${option} ${JSON.stringify(value)}: it is the path of a file`,
  );
}

function assertOutside(outside: string): void {
  if (OUTSIDES.some((known) => known === outside)) return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take outside "${outside}": it is refused, servfail or nxdomain`,
  );
}

function assertScope(scope: string): void {
  if (SCOPES.some((known) => known === scope)) return;
  throw new RotaError("ERR_ROTA_OPTION", `could not take scope "${scope}": it is all or strict`);
}

function assertPlane(plane: string): void {
  if (PLANE_CHOICES.some((known) => known === plane)) return;
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not take plane "${plane}": it is ${PLANE_CHOICES.slice(0, -1).join(", ")} or ${PLANE_CHOICES.at(-1)}`,
  );
}

/** Whoever names namespaces wants something to be carried there. */
function assertPlaceable(plane: PlaneChoice, planeNetns: readonly string[]): void {
  if (plane !== "none" || planeNetns.length === 0) return;
  const asked = planeNetns.join(", ");
  throw new RotaError(
    "ERR_ROTA_OPTION",
    `could not carry anything in ${asked}: plane is none; say auto or nftables`,
  );
}

/** Where its processes are not this machine's, the ids that it tells are those of others here. */
function assertTasksNetns(planeNetns: readonly string[], engine: EngineAddress | undefined): void {
  if (!planeNetns.includes(TASKS_NETNS) || engine?.kind === "unix") return;
  const why =
    engine === undefined
      ? "there is no engine to tell of them: name one by docker"
      : `${engine.text} is not this machine's: run Rota beside that engine, and reach it as unix:///PATH`;
  throw new RotaError("ERR_ROTA_OPTION", `could not be in the namespaces of tasks: ${why}`);
}

/** More than any process may have open. */
const MAX_FILES = 1_000_000;
/** Some 30,000 answers. */
const DEFAULT_CACHE_OCTETS = 16 * 1024 * 1024;
/** Strings and objects beyond it would not fit in Node's heap. */
const MAX_CACHE_OCTETS = 1024 * 1024 * 1024;
/** A day: far beyond it timers do not hold. */
const MAX_WAIT_MS = 86_400_000;

function assertWhole(option: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  const range = `a whole number from ${least} to ${most}`;
  throw new RotaError("ERR_ROTA_OPTION", `could not start with ${option} ${value}: it must be ${range}`);
}

function parseRoster(declared: object, allowExec: boolean): Roster {
  const parsed = parseServicesFile(declared, () => "startRota", { allowExec });
  if (parsed.ok) return parsed.roster;
  const told = parsed.problems.map(formatProblem).join("; ");
  throw new RotaError("ERR_ROTA_DECLARATION", `could not declare the services: ${told}`);
}

function readTrusted(text: string): Subnet {
  try {
    return parseTrusted(text);
  } catch (error) {
    throw new RotaError("ERR_ROTA_OPTION", `could not take trust: ${messageOf(error)}`, { cause: error });
  }
}

function readZone(text: string): Name {
  try {
    return parseZone(text);
  } catch (error) {
    throw new RotaError("ERR_ROTA_OPTION", `could not take the zone: ${messageOf(error)}`, { cause: error });
  }
}
