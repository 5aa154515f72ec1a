import { answer } from "../dns/answer.ts";
import type { Forwarder } from "../dns/forward/forwarder.ts";
import type { Answer, Authority } from "../dns/kinds.ts";
import type { Outside } from "../dns/respond.ts";
import { createRotation } from "../dns/rotation.ts";
import { isSpecial } from "../dns/special.ts";
import { type Address, formatAddress } from "../model/address.ts";
import { formatName, type Name } from "../model/name.ts";
import type { Scope } from "../model/view.ts";
import type { Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import { CLASS_IN, type ResourceRecord, TYPE } from "../wire/record.ts";
import { listOf } from "../schema/problem.ts";
import { formatConflict, withoutEchoes } from "./chronicle.ts";
import { explainTask, type ExplainTaskOptions, type TaskExplanation } from "./explain-task.ts";
import { nearby } from "./nearby.ts";
import { type Sight, sightOf } from "./sight.ts";
import { type ServiceState, stateOf } from "./state.ts";
import { formatMeaning, leadsToTasks, resolve, type Stands } from "./stands.ts";
import { whyOf } from "./why.ts";

/** Why a name is answered as it is. */
export interface Explanation {
  /** As it was asked. */
  readonly name: string;
  /** What it stands for: `the service web`, `the task a of web`, `nothing here`. */
  readonly meaning: string;
  readonly answers: readonly AnswerExplanation[];
  /** What is behind the name; undefined: nothing. */
  readonly service: ServiceState | undefined;
  readonly tasks: readonly TaskExplanation[];
  /** What else one should know: files that are not served as they are now, conflicts, a VIP that is missing. */
  readonly notes: readonly string[];
}

/** What would be answered now, to whom, and why. */
export interface AnswerExplanation {
  readonly type: string;
  /** Who gets this. */
  readonly clients: string;
  /** `NOERROR`, `NODATA`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, `FORWARDED`; `UNKNOWN`: it hangs on tasks that nobody tried. */
  readonly outcome: string;
  /** The data of the records, as dig prints it, in no order that counts. */
  readonly records: readonly string[];
  /** Seconds; undefined: there are no records. */
  readonly ttl: number | undefined;
  readonly why: string;
}

export interface ExplainOptions extends ExplainTaskOptions {
  readonly registry: Registry;
  /**
   * The address of who asks.
   *
   * @default somebody on no network
   */
  readonly from?: Address | undefined;
  /** @default "all" */
  readonly scope?: Scope | undefined;
  readonly nameServers: Authority["nameServers"];
  readonly outside: Outside;
  /** Undefined: nobody is asked for what is not ours. */
  readonly forwarder: Pick<Forwarder, "isRouted" | "upstreamsOf"> | undefined;
  /**
   * Why what is written, in a line each, is not what is served: a file that is broken, or gone.
   *
   * @default none
   */
  readonly troubles?: (() => readonly string[]) | undefined;
  /**
   * Why what goes to the service of an id does not get there, in a line each.
   *
   * @default nothing is known of it
   */
  readonly uncarried?: ((id: string) => readonly string[]) | undefined;
}

/**
 * Explains what a name, or the reverse name of an address, is answered; nobody's turn is spent by it.
 *
 * @throws RotaError `ERR_ROTA_NAME`
 */
export function explain(asked: string, options: ExplainOptions): Explanation {
  const { registry, from, scope = "all", troubles = () => [], uncarried = () => [], untried } = options;
  const sight = sightOf(registry, from, scope);
  const { name, types, stands } = resolve(asked, registry, sight.view);
  const answers = types.map((type) => explainAnswer(name, type, stands, sight, options));
  const meaning = formatMeaning(stands);
  if (!stands.service)
    return {
      name: asked,
      meaning,
      answers,
      service: undefined,
      tasks: [],
      notes: [...troubles(), ...(unseen(asked, sight, registry) ?? nearby(name, stands, registry))],
    };
  const { service } = stands;
  const state = stateOf(service);
  const tasks = service.declaration.tasks.flatMap((task, at) => {
    const known = state.tasks[at];
    const isShown = stands.kind !== "task" || stands.task === task;
    return known && isShown ? [explainTask(service, task, known, options)] : [];
  });
  return {
    name: asked,
    meaning,
    answers,
    service: state,
    tasks,
    notes: [
      ...troubles(),
      ...(untried !== undefined && isChecked(service) ? [untried] : []),
      ...notesOn(service, registry),
      ...uncarried(service.id),
    ],
  };
}

function explainAnswer(
  name: Name,
  type: keyof typeof TYPE,
  stands: Stands,
  { clients, view }: Sight,
  { registry, nameServers, outside, forwarder, untried }: ExplainOptions,
): AnswerExplanation {
  const isUnknown =
    untried !== undefined && stands.service && isChecked(stands.service) && leadsToTasks(stands);
  if (isUnknown)
    return { type, clients, outcome: "UNKNOWN", records: [], ttl: undefined, why: "no task was tried" };
  const question = { name, type: TYPE[type], class: CLASS_IN, octets: new Uint8Array() };
  const isRouted = (name: Name): boolean => forwarder?.isRouted(name) ?? false;
  const given = answer(question, { registry, nameServers, isRouted, rotation: createRotation() }, view);
  const upstreams = given.kind === "elsewhere" ? (forwarder?.upstreamsOf(name) ?? []) : [];
  const records = given.kind === "records" ? given.records : [];
  return {
    type,
    clients,
    outcome: upstreams.length > 0 ? "FORWARDED" : outcomeOf(given, outside),
    records: records.map(formatRecord),
    ttl: records[0]?.ttl,
    why: whyElsewhere(name, stands, upstreams) ?? whyOf(given, type, stands, registry),
  };
}

/** What stands there that who asks does not see. */
function unseen(asked: string, { view, clients }: Sight, registry: Registry): readonly string[] | undefined {
  const { stands } = view.networks ? resolve(asked, registry) : { stands: undefined };
  if (!stands?.service) return undefined;
  const { networks } = stands.service.declaration;
  const where = networks.length > 0 ? listOf(networks, "and") : "no network";
  return [`${formatMeaning(stands)} is on ${where}, and hidden from ${clients}`];
}

/** Whether answers hang on checks. */
export function isChecked({ declaration }: Service): boolean {
  return declaration.tasks.some(({ isChecked }) => isChecked);
}

/** Why a name is answered by what is the business of nobody's service. */
function whyElsewhere(name: Name, stands: Stands, upstreams: readonly string[]): string | undefined {
  if (upstreams.length > 0) return `it is not ours, and asked of ${listOf(upstreams, "and")}`;
  if (stands.kind !== "nothing" || !isSpecial(name)) return undefined;
  return "no server is asked for such a name: it means nothing outside of a machine or link";
}

function outcomeOf(given: Answer, outside: Outside): string {
  switch (given.kind) {
    case "records":
      return "NOERROR";
    case "nodata":
    case "nxdomain":
    case "servfail":
      return given.kind.toUpperCase();
    case "elsewhere":
      return outside.toUpperCase();
  }
}

function formatRecord(record: ResourceRecord): string {
  if ("address" in record) return formatAddress(record.address);
  if (record.type === "SRV")
    return `${record.priority} ${record.weight} ${record.port} ${formatName(record.target)}`;
  if ("target" in record) return formatName(record.target);
  return record.type;
}

function notesOn(service: Service, registry: Registry): string[] {
  const contested = registry
    .conflicts()
    .filter(({ holder, others }) => holder === service || others.includes(service));
  const told = withoutEchoes(contested).flatMap(({ name, holder, others }) =>
    others.map((other) => formatConflict(name, holder, other)),
  );
  return [service.vipProblem ?? [], service.publishProblem ?? [], told].flat();
}
