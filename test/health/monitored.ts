import type { Log } from "../../src/base/log.ts";
import type { Check } from "../../src/model/check.ts";
import { type Declaration, EMPTY_ROSTER } from "../../src/model/declaration.ts";
import { formatPrefix, parsePrefix } from "../../src/model/name.ts";
import { type CheckState } from "../../src/health/check-state.ts";
import { type Monitor, type MonitorOptions, runMonitor } from "../../src/health/monitor.ts";
import { outcome, type Outcome, type Target } from "../../src/health/outcome.ts";
import type { RunProbe } from "../../src/health/probe.ts";
import {
  createRegistry,
  type Registry,
  type Source,
  type VerdictReport,
} from "../../src/registry/registry.ts";
import type { Service } from "../../src/registry/service.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import { roster, stillClock } from "../dns/served.ts";
import { type Hand, turnedByHand } from "../by-hand.ts";

export const TCP: Check = {
  probe: { kind: "tcp", port: { name: "http", number: 8080 }, send: "", expect: undefined },
  intervalMs: 5000,
  timeoutMs: 2000,
  rise: 2,
  fall: 3,
  startPeriodMs: 0,
  startIntervalMs: 5000,
  hold: undefined,
};

export const HEARTBEAT: Check = { ...TCP, probe: { kind: "heartbeat" }, rise: 1, fall: 1 };

/** A service whose tasks are checked: `a`, or `a 192.0.2.7` where the address matters, or `a 192.0.2.7:9090`. */
export function checked(name: string, tasks: readonly string[], check: Partial<Check> = {}): Declaration {
  const [declaration] = roster({
    services: {
      [name]: {
        endpoint_mode: "dnsrr",
        ports: [{ name: "http", target: 8080 }],
        healthcheck: { tcp: true },
        tasks: tasks.map((text) => {
          const [id = "", address = addressOf(id)] = text.split(" ");
          return { id, address };
        }),
      },
    },
  }).services;
  if (!declaration) throw new Error("no service");
  return { ...declaration, check: { ...TCP, ...check } };
}

/** An address of a task's own, told by its id. */
function addressOf(id: string): string {
  const number = Number.parseInt(id, 36);
  return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
}

export interface Monitored {
  readonly hand: Hand;
  readonly registry: Registry;
  readonly monitor: Monitor;
  readonly source: Source;
  readonly log: readonly string[];
  /** Replaces what is declared; a declaration that is the same object did not change. */
  publish(...services: readonly Declaration[]): void;
  service(name: string): Service;
  /** The ids of the tasks that serve, as `a b`. */
  serving(name: string): string;
  /** The registry's word on a task: a verdict, or `awaited`. */
  verdict(name: string, task: string): string;
  look(name: string, task: string): CheckState | undefined;
  beat(name: string, task: string, result?: "passing" | "failing"): boolean;
  end(): void;
}

/**
 * A registry and a monitor of it, whose time is turned by hand and whose dice lie still.
 *
 * @param options.reported is called each time that the registry has taken verdicts.
 */
export function monitored(
  services: readonly Declaration[],
  probe: RunProbe,
  options: Partial<MonitorOptions> & { readonly hand?: Hand; readonly reported?: () => void } = {},
): Monitored {
  const { hand = turnedByHand(), reported, ...rest } = options;
  const registry = createRegistry({ clock: { ...hand.clock, now: stillClock().now }, store: forgetfulStore });
  const source = registry.open("file");
  const life = new AbortController();
  const log: string[] = [];
  const publish = (...declared: readonly Declaration[]): void =>
    source.publish({ ...EMPTY_ROSTER, services: declared });
  publish(...services);
  const { clock, timers } = hand;
  const told = {
    ...registry,
    report(reports: Iterable<VerdictReport>): void {
      registry.report(reports);
      reported?.();
    },
  };
  const settings = { registry: told, clock, timers, probe, log: logInto(log), random: () => 0.5, ...rest };
  const monitor = runMonitor(settings, life.signal);

  const service = (name: string): Service => {
    const found = [...registry.services()].find(({ id }) => id === `file:${name}`);
    if (!found) throw new Error(`no service ${name}`);
    return found;
  };
  return {
    hand,
    registry,
    monitor,
    source,
    log,
    publish,
    service,
    serving: (name) =>
      service(name)
        .serving.map(({ id }) => formatPrefix(id))
        .join(" "),
    verdict: (name, task) => service(name).verdicts.get(parsePrefix(task)) ?? "awaited",
    look: (name, task) => monitor.look(`file:${name}`, parsePrefix(task)),
    beat: (name, task, result = "passing") => monitor.beat(`file:${name}`, parsePrefix(task), result),
    end: () => life.abort(),
  };
}

/** Each line as `warn: the message`. */
export function logInto(lines: string[]): Log {
  const write =
    (level: string) =>
    (_: object, message: string): void =>
      void lines.push(`${level}: ${message}`);
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

export interface Script {
  readonly probe: RunProbe;
  /** Every probe so far, as `web/a`, and when it started. */
  readonly probes: readonly { readonly of: string; readonly atMs: number }[];
  /** How many of a task, as `web/a`. */
  count(of: string): number;
  /** The tasks of which a probe is under way. */
  readonly underWay: ReadonlyMap<string, number>;
  /** The probes that were told to end, as `web/a`. */
  readonly ended: readonly string[];
  /** Lets the oldest probe of a task that hangs come to this. */
  answer(of: string, letter: string): void;
}

/**
 * What tasks answer: a letter a probe, the last for ever; `+` pass, `!` warn, `-` fail, `?` unknown, `h` nothing
 * until the test {@link Script.answer}s or the probe is ended. A task without letters passes.
 */
export function script(answers: Readonly<Record<string, string>>, { clock }: Hand): Script {
  const probes: { of: string; atMs: number }[] = [];
  const underWay = new Map<string, number>();
  const ended: string[] = [];
  const hanging: { readonly of: string; readonly answer: (letter: string) => void }[] = [];
  const count = (of: string): number => probes.filter((probe) => probe.of === of).length;

  return {
    probes,
    underWay,
    ended,
    count,
    answer(of, letter) {
      const at = hanging.findIndex((probe) => probe.of === of);
      hanging.splice(at, 1)[0]?.answer(letter);
    },
    async probe(_, target, _timeoutMs, signal) {
      const of = nameOf(target);
      const letters = answers[of] ?? "+";
      const letter = letters[Math.min(count(of), letters.length - 1)] ?? "+";
      probes.push({ of, atMs: clock.monotonic() });
      if (letter !== "h") return OUTCOMES[letter] ?? outcome("unknown", letter);
      underWay.set(of, (underWay.get(of) ?? 0) + 1);
      const said = await new Promise<string>((resolve) => {
        if (signal.aborted) resolve("ended");
        hanging.push({ of, answer: resolve });
        signal.addEventListener("abort", () => resolve("ended"), { once: true });
      });
      underWay.set(of, (underWay.get(of) ?? 1) - 1);
      if (said === "ended") ended.push(of);
      return OUTCOMES[said] ?? outcome("unknown", said);
    },
  };
}

function nameOf({ service, task }: Target): string {
  return `${service}/${task}`;
}

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  "+": outcome("pass", "connected"),
  "!": outcome("warn", "429 Too Many Requests"),
  "-": outcome("fail", "connection refused"),
  "?": outcome("unknown", "too many open files (EMFILE)"),
};
