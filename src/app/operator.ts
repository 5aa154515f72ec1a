import { setImmediate } from "node:timers/promises";
import { RotaError } from "../base/error.ts";
import type { Monitor } from "../health/monitor.ts";
import { formatAddress } from "../model/address.ts";
import type { Availability } from "../model/availability.ts";
import type { TaskDeclaration } from "../model/declaration.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../model/name.ts";
import type { Word } from "../registry/outages.ts";
import type { Registry, Source, VerdictReport } from "../registry/registry.ts";
import { taskOf } from "../registry/tasks.ts";
import { type Service, type Verdict, VERDICTS } from "../registry/service.ts";

/** What a program says of single tasks: how they are, and who is to be out. */
export interface Operator {
  /** Resolves when answers show it. @throws RotaError as `rota.report` */
  report(service: string, task: string, verdict: Verdict): Promise<void>;
  /** Resolves when answers show it. @throws RotaError as `rota.drain` */
  set(availability: Availability, service: string, task: string | undefined): Promise<void>;
}

/** @param own what the program declared: of a name that a file holds, it may have declared a service, too */
export function createOperator(registry: Registry, own: Source, monitor: Monitor): Operator {
  // What comes within a turn of the event loop is one change: each costs as much as all tasks of its service.
  const report = gather<VerdictReport>(registry.report);
  const say = gather<Word>(registry.say);

  return {
    async report(name, text, verdict) {
      assertVerdict(verdict);
      const what = `report on task ${text} of service ${name}`;
      const service = serviceNamed(name, what);
      const { id } = findTask(service, text, what);
      const { check } = service.declaration;
      if (!check) return report({ service: service.id, task: id, verdict });
      if (check.probe.kind !== "heartbeat") throw judgedBy(check.probe.kind, name, text);
      if (verdict === "starting") throw new RotaError("ERR_ROTA_OPTION", NO_BEAT);
      monitor.beat(service.id, id, verdict); // in maintenance it is not awaited, and may go on
      await setImmediate(); // the monitor gives verdicts at the end of a turn
    },
    async set(availability, name, text) {
      const what = `${VERBS[availability]} ${text === undefined ? "" : `task ${text} of `}service ${name}`;
      const service = serviceNamed(name, what);
      const task = text === undefined ? undefined : findTask(service, text, what).id;
      await say({ service: service.id, task, availability, origin: "library" });
    },
  };

  function serviceNamed(name: string, what: string): Service {
    const prefix = parsePrefix(name);
    const found = own.find(prefix) ?? findService(registry, prefix);
    if (found) return found;
    throw new RotaError("ERR_ROTA_DECLARATION", `could not ${what}: there is no such service`);
  }
}

const VERBS: Readonly<Record<Availability, string>> = {
  active: "activate",
  drain: "drain",
  maintenance: "maintain",
};

/** Takes together what is given within one turn of the event loop; resolves when it has been taken. */
function gather<T>(take: (items: readonly T[]) => void): (item: T) => Promise<void> {
  let gathered: T[] = [];
  let taken: Promise<void> | undefined;

  return async (item) => {
    gathered.push(item);
    taken ??= takeThem();
    await taken;
  };

  async function takeThem(): Promise<void> {
    await setImmediate();
    const items = gathered;
    gathered = [];
    taken = undefined;
    take(items);
  }
}

function findService(registry: Registry, name: Prefix): Service | undefined {
  const found = registry.find(name);
  return found && found !== "below" && found.meaning.kind === "service" ? found.service : undefined;
}

/** By its id or an address of it, as the admin file takes them. */
function findTask({ declaration }: Service, text: string, what: string): TaskDeclaration {
  const { tasks } = declaration;
  const found =
    taskOf(declaration, parsePrefix(text)) ?? tasks.find(({ addresses }) => isAt(addresses, text));
  if (found) return found;
  const ids = tasks.slice(0, MAX_TOLD).map(({ id }) => formatPrefix(id));
  const rest = tasks.length > MAX_TOLD ? ", ..." : "";
  const there = ids.length === 0 ? "the service has none" : `its tasks are ${ids.join(", ")}${rest}`;
  throw new RotaError("ERR_ROTA_DECLARATION", `could not ${what}: there is no such task; ${there}`);
}

function isAt(addresses: TaskDeclaration["addresses"], text: string): boolean {
  return addresses.some(({ address }) => formatAddress(address) === text.toLowerCase());
}

const MAX_TOLD = 10;

const NO_BEAT = 'could not take the heartbeat "starting": it is passing or failing';

function judgedBy(kind: string, service: string, task: string): RotaError {
  const remedy = "declare healthcheck: { heartbeat: 30s }, or take it out by rota.drain";
  const message = `could not report on task ${task} of service ${service}: its ${kind} check decides; ${remedy}`;
  return new RotaError("ERR_ROTA_DECLARATION", message);
}

/** For those who write JavaScript: types tell the others. */
function assertVerdict(verdict: string): void {
  if (VERDICTS.some((known) => known === verdict)) return;
  const message = `could not take the verdict "${verdict}": it is starting, passing or failing`;
  throw new RotaError("ERR_ROTA_OPTION", message);
}
