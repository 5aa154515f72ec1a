import { once } from "node:events";
import type { Argv } from "yargs";
import { count } from "../base/count.ts";
import { relative } from "node:path";
import { setTimeout } from "node:timers/promises";
import { DEFAULT_CONTROL_PATH, NO_CONTROL, openControl, type Question } from "../api/control.ts";
import { formatExplanation } from "../app/format-explanation.ts";
import { formatTraffic } from "../app/format-traffic.ts";
import type { RotaOptions } from "../app/options.ts";
import { type Rota, startRota } from "../app/rota.ts";
import type { ServiceState } from "../app/state.ts";
import { type LanesWanted, MAX_LANES } from "../dns/lanes/choose.ts";
import type { ListenAddress } from "../dns/listen.ts";
import { messageOf, RotaError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { createScope } from "../base/scope.ts";
import { OUTSIDES } from "../dns/respond.ts";
import { formatEndpoint } from "../model/address.ts";
import { PLANE_CHOICES, type PlaneChoice } from "../plane/planes.ts";
import { SCOPES } from "../model/view.ts";
import { formatDuration, parseDuration } from "../model/duration.ts";
import { createLog } from "./log.ts";
import {
  ALLOW_EXEC,
  type ArgumentsOf,
  type Command,
  FILES,
  type GlobalArguments,
  optional,
  single,
  withOptions,
} from "./options.ts";

type ServeArguments = ArgumentsOf<typeof declare>;

export const serveCommand: Command<typeof declare> = {
  command: "serve [files..]",
  describe: "Answer for the services that files declare, and follow the files",
  builder: declare,
  handler: serve,
};

const NO_UPSTREAMS: string[] = [];
const NOBODY: string[] = [];
const NOWHERE: string[] = [];

/** Runs until it is told to end: exits 0, 1 if it could not start. */
async function serve(argv: ServeArguments): Promise<void> {
  const log = createLog(argv.logLevel, argv.logFormat);
  const starting = new AbortController();
  // Heard from now on: reading large files takes seconds, in which nobody must be kept from ending it.
  const told = firstOf(["SIGTERM", "SIGINT"]);
  let running: Rota | undefined;
  told.signal.then(
    () => running ?? starting.abort(),
    () => {},
  );
  process.on("SIGHUP", () => void reload(running, log));
  log.debug({ files: argv.files }, "reading the services files");
  try {
    await using rota = await startRota({ ...optionsOf(argv), log, signal: starting.signal });
    running = rota;
    await using _ = await openQuestions(rota, argv.control, log);
    await serveUntil(told.signal, rota, argv, log);
  } catch (error) {
    if (!starting.signal.aborted) throw error;
    log.info({}, `${await told.signal}: ending before it began`);
  } finally {
    told.stop();
  }
}

function optionsOf(argv: ServeArguments): RotaOptions {
  const { idle, admin, startWait, drainGrace } = argv;
  return { ...argv, idleMs: idle, adminFile: admin, startWaitMs: startWait, drainGraceMs: drainGrace };
}

/** Where `rota explain` and `rota plane` ask. A server does not stay down for want of it, unless it was asked for. */
async function openQuestions(rota: Rota, path: string, log: Log): Promise<AsyncDisposable> {
  await using scope = createScope();
  if (path === NO_CONTROL) return scope.move();
  const explain: Question = async (name, parameters) => {
    const explanation = await rota.explain(name, { from: parameters.get("from") ?? undefined });
    return { text: formatExplanation(explanation), json: explanation };
  };
  const plane: Question = async (part) => {
    if (part === "ruleset") return { text: rota.ruleset(), json: { ruleset: rota.ruleset() } };
    const traffic = await rota.traffic();
    return { text: formatTraffic(traffic), json: traffic };
  };
  try {
    scope.use(
      await openControl(
        path,
        new Map([
          ["explain", explain],
          ["plane", plane],
        ]),
      ),
    );
    log.info({ control: path }, `rota explain and rota plane ask at ${path}`);
  } catch (error) {
    if (path !== DEFAULT_CONTROL_PATH) throw error;
    log.warn(
      { control: path },
      `rota explain and rota plane will not reach this server: ${messageOf(error)}`,
    );
  }
  return scope.move();
}

async function serveUntil(
  told: Promise<NodeJS.Signals>,
  rota: Rota,
  argv: ServeArguments,
  log: Log,
): Promise<void> {
  const first = rota.addresses.find(({ isProxied }) => !isProxied);
  log.info({ addresses: rota.addresses }, `answering for ${rota.zone} on ${formatAddresses(rota)}`);
  if (rota.udp !== undefined) tellUdp(rota.udp, rota.counters.lanes.count, argv.lanes, log);
  // A server outlives whoever read what it printed first.
  process.stdout.removeAllListeners("error").on("error", () => {});
  if (argv.logFormat === "text" && first) process.stdout.write(formatHint(rota, argv.plane, first));

  const signal = await told;
  // Whoever does not want to wait says so again.
  for (const again of ["SIGTERM", "SIGINT"]) process.once(again, () => process.exit());
  log.info(
    { signal },
    argv.drain > 0 ? `${signal}: ending in ${formatDuration(argv.drain)}` : `${signal}: ending`,
  );
  await setTimeout(argv.drain);
}

/** What answers: whoever said how many lanes there are to be counts on them. */
function tellUdp(udp: string, lanes: number, wanted: LanesWanted, log: Log): void {
  const line = `udp: ${udp}`;
  if (wanted === "auto" || lanes === wanted) log.info({ lanes }, line);
  else log.warn({ lanes }, line);
}

async function reload(rota: Rota | undefined, log: Log): Promise<void> {
  if (!rota) return; // it is just reading them
  log.info({}, "SIGHUP: reading the services files again");
  await rota.reload();
}

interface Told {
  /** The first that is sent. */
  readonly signal: Promise<NodeJS.Signals>;
  /** Hears no more: the next does what it does to any program. */
  stop(): void;
}

function firstOf(signals: readonly NodeJS.Signals[]): Told {
  const ends = new AbortController();
  const waiting = signals.map(async (signal) => {
    await once(process, signal, { signal: ends.signal });
    return signal;
  });
  return { signal: Promise.race(waiting), stop: () => ends.abort() };
}

/** A day: nobody waits for longer, and far beyond it timers do not hold. */
const MAX_WAIT_MS = 86_400_000;

function parseWait(text: string, least: number): number {
  const ms = Math.round(parseDuration(text));
  if (ms >= least && ms <= MAX_WAIT_MS) return ms;
  const range = `${least}ms to ${formatDuration(MAX_WAIT_MS)}`;
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is out of range: write ${range}`);
}

function parsePath(text: string): string {
  if (text !== "") return text;
  throw new RotaError("ERR_ROTA_OPTION", "it is empty: name a file");
}

/** Its value may be left out, so that a file behind it is taken for one. */
function parseEngineText(text: string): string {
  if (text === "" || text.includes("://")) return text;
  const forms = "write unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST";
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is no engine: ${forms}, and files in front of --docker`);
}

/** More than any process may have open. */
const MAX_COUNT = 1_000_000;

function parseCount(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && number <= MAX_COUNT) return number;
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is not a whole number from 1 to ${MAX_COUNT}`);
}

function parseLanes(text: string): LanesWanted {
  if (text === "auto") return text;
  if (/^\d{1,2}$/.test(text) && Number(text) <= MAX_LANES) return Number(text);
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is no number of lanes: write auto, or 0 to ${MAX_LANES}`);
}

const UNITS = new Map([
  ["", 1],
  ["K", 1024],
  ["M", 1024 ** 2],
  ["G", 1024 ** 3],
]);

function parseSize(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,10})([kmg]?)$/i.exec(text) ?? [];
  const octets = Number(digits) * (UNITS.get(unit.toUpperCase()) ?? 0);
  if (digits !== "" && octets <= 1024 ** 3) return octets;
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is no size: write octets, or as 512K, 64M, up to 1G`);
}

function formatAddresses({ addresses }: Rota): string {
  return addresses
    .map(
      ({ transport, address, port, isProxied }) =>
        `${isProxied ? "proxy+" : ""}${transport} ${formatEndpoint(address, port)}`,
    )
    .join(", ");
}

/** What a newcomer can type now. */
function formatHint(rota: Rota, plane: PlaneChoice, { address, port }: ListenAddress): string {
  const services = rota.services();
  const tasks = services.reduce((count, service) => count + service.tasks.length, 0);
  const [example] = services;
  const ported = services.find(({ ports }) => ports.length > 0);
  const dig = `dig @${address} -p ${port}`;
  const lines = [
    `Rota serves ${count(services.length, "service")} of ${count(tasks, "task")}. Try:`,
    ...(example ? [`  ${dig} ${example.name} +short`, `  ${dig} tasks.${example.name} +short`] : []),
    ...(ported?.ports[0]
      ? [`  ${dig} _${ported.ports[0].name}._${ported.ports[0].protocol}.${ported.name} SRV`]
      : []),
    ...(plane === "none" ? [] : services.flatMap(formatCurl).slice(0, 1)),
    `  ${commandName()} lookup ${example?.name ?? rota.zone} --server ${formatEndpoint(address, port)}`,
  ];
  return `${lines.join("\n")}\n`;
}

/** How to reach what speaks HTTP, by the name of its port. */
function formatCurl({ ports, vips }: ServiceState): readonly string[] {
  const [vip] = vips;
  const port = ports.find(({ name, protocol }) => name === "http" && protocol === "tcp");
  return vip && port ? [`  curl http://${formatEndpoint(vip.address, port.port)}`] : [];
}

/** How this program was called: in a clone there is no `rota` on the PATH. */
function commandName(): string {
  const script = process.argv[1] ?? "";
  return script.endsWith(".js") ? `node ${relative(process.cwd(), script)}` : "rota";
}

function declare(yargs: Argv<GlobalArguments>) {
  return withOptions(yargs, {
    listen: {
      alias: "l",
      type: "string",
      array: true,
      requiresArg: true,
      default: ["127.0.0.1:5300"],
      describe:
        "Where to be asked: ADDRESS:PORT for UDP and TCP, or udp:// or tcp:// in front; proxy://, proxy+udp:// or " +
        "proxy+tcp:// for what has a PROXY header; may be repeated",
    },
    lanes: {
      type: "string",
      requiresArg: true,
      default: "auto",
      coerce: single(parseLanes),
      describe:
        "How many threads answer over UDP: auto is one for each core but one, up to 4; 0 has the main thread do it, as " +
        "where koffi is missing",
    },
    trust: {
      type: "string",
      array: true,
      requiresArg: true,
      default: NOBODY,
      describe: "Who may say whom they ask for, by EDNS client subnet: ADDRESS or SUBNET; may be repeated",
    },
    scope: {
      choices: SCOPES,
      default: "all" as const,
      requiresArg: true,
      describe: "What is seen by who is on no network: all, or with strict nothing but the zone itself",
    },
    zone: {
      alias: "z",
      type: "string",
      requiresArg: true,
      coerce: optional(String),
      describe: "The name above all services, whatever the files say",
    },
    outside: {
      choices: OUTSIDES,
      default: "refused" as const,
      requiresArg: true,
      describe:
        "What names get that nobody is asked for; musl (Alpine) waits out its time-out for all but nxdomain",
    },
    forward: {
      alias: "f",
      type: "string",
      array: true,
      requiresArg: true,
      default: NO_UPSTREAMS,
      describe:
        "Who is asked for names that are not ours: ADDRESS[:PORT], tcp://, tls:// or https://ADDRESS[#NAME], resolv.conf, " +
        "or ZONE= and these, with commas between; may be repeated",
    },
    "cache-size": {
      type: "string",
      requiresArg: true,
      default: "16M",
      coerce: single(parseSize),
      describe: "How many octets forwarded answers are kept in, as 512K or 64M; 0 keeps none",
    },
    "max-forwards": {
      type: "string",
      requiresArg: true,
      default: "4096",
      coerce: single(parseCount),
      describe: "How many queries wait for upstreams at most",
    },
    docker: {
      type: "string",
      coerce: optional(parseEngineText),
      describe:
        "Whose containers are tasks: unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST; without a value, what docker asks",
    },
    plane: {
      choices: PLANE_CHOICES,
      default: "auto" as const,
      requiresArg: true,
      describe:
        "What carries the traffic to VIPs and published ports: auto is nftables where it can be had, which takes root, " +
        "and a process for the rest; none leaves it to others",
    },
    "plane-netns": {
      type: "string",
      array: true,
      requiresArg: true,
      default: NOWHERE,
      describe:
        "Network namespaces in which VIPs are to lead to tasks as well: PATH, or tasks for those of all containers; may be repeated",
    },
    "plane-cleanup": {
      type: "boolean",
      default: false,
      describe: "Take back at the end what was programmed in the kernel; else traffic goes on",
    },
    node: {
      type: "string",
      requiresArg: true,
      coerce: optional(String),
      describe: "The name of this machine among the files' nodes; default: its host name",
    },
    poll: {
      type: "boolean",
      default: false,
      describe: "Look at the files again and again, as some volumes need",
    },
    drain: {
      type: "string",
      requiresArg: true,
      default: "0s",
      coerce: single((text) => parseWait(text, 0)),
      describe: "How long to go on answering after SIGTERM",
    },
    "max-connections": {
      type: "string",
      requiresArg: true,
      default: "1024",
      coerce: single(parseCount),
      describe: "How many TCP connections are open at most",
    },
    idle: {
      type: "string",
      requiresArg: true,
      default: "10s",
      coerce: single((text) => parseWait(text, 1)),
      describe: "How long a TCP connection may ask nothing",
    },
    "allow-exec": ALLOW_EXEC,
    admin: {
      type: "string",
      requiresArg: true,
      coerce: optional(parsePath),
      describe: "A file of lines as web/b => drain: which tasks are out of answers; followed as it changes",
    },
    "start-wait": {
      type: "string",
      requiresArg: true,
      default: "3s",
      coerce: single((text) => parseWait(text, 0)),
      describe: "How long a new service waits for its first checks, and its names fail, before it answers",
    },
    "max-probes": {
      type: "string",
      requiresArg: true,
      default: "512",
      coerce: single(parseCount),
      describe: "How many probes of health checks are under way at once",
    },
    "drain-grace": {
      type: "string",
      requiresArg: true,
      default: "5s",
      coerce: single((text) => parseWait(text, 0)),
      describe: "How long beyond its TTL a task that was taken out is held to be in use",
    },
    control: {
      type: "string",
      requiresArg: true,
      default: DEFAULT_CONTROL_PATH,
      coerce: single(String),
      describe: `The Unix socket at which rota explain asks; ${NO_CONTROL} for none`,
    },
    "log-format": {
      choices: ["text", "json"] as const,
      default: "text" as const,
      requiresArg: true,
      describe: "Lines for people, or for machines",
    },
  })
    .positional("files", FILES)
    .example("$0 serve services.yaml", "answer on 127.0.0.1:5300 for what the file declares")
    .example(
      "$0 serve /etc/rota -l 10.0.0.2:53 -l [fd00::2]:53",
      "a folder of files, on the port that everyone asks",
    )
    .example(
      "$0 serve services.yaml -f resolv.conf -f corp.example=10.0.0.53",
      "ask others for what is not declared",
    )
    .epilogue("SIGHUP reads the files again. SIGTERM ends, a second one at once. The log goes to stderr.");
}
