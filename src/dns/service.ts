import { type Address, FAMILIES, familyOf } from "../model/address.ts";
import type { Port, TaskAddress, TaskDeclaration } from "../model/declaration.ts";
import type { Name } from "../model/name.ts";
import type { View } from "../model/view.ts";
import type { Found } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import type { Question } from "../wire/message.ts";
import { type ResourceRecord, type Srv, TYPE } from "../wire/record.ts";
import { nameOfService, nameOfTask, type Told } from "./held.ts";
import {
  addressRecord,
  type Answer,
  type Authority,
  choose,
  NOT_READY,
  type RecordGroup,
  records,
  setOf,
  typeOf,
} from "./kinds.ts";

/** Answers for a name of a service, by what the name stands for. `apex`: whose SOA says that there is nothing. */
export function answerService(
  question: Question,
  found: Found,
  apex: Name,
  authority: Authority,
  asker: View,
): Answer {
  const { service, meaning, view } = found;
  const told = { view: asker, suffix: found.suffix };
  const ttl = service.declaration.ttl ?? authority.registry.settings.ttl;
  // Field by field: spreading the authority would take longer than all the rest.
  const { registry, rotation } = authority;
  const asked: Asked = { registry, rotation, question, service, view, told, ttl, apex };
  switch (meaning.kind) {
    case "service":
      return service.declaration.endpointMode === "vip" ? answerVip(asked) : answerTasks(asked);
    case "tasks":
      return answerTasks(asked);
    case "task":
      return answerAddresses(asked, seenOf(meaning.task.addresses, view));
    case "port":
      if (service.declaration.endpointMode === "vip") return answerVipPort(asked, meaning.port);
      return answerTaskPort(asked, meaning.port);
    case "taskPort":
      return answerTaskPort(asked, meaning.port);
  }
}

const FAILED: Answer = { kind: "servfail", isNotReady: false };

/** A question on its way to an answer. */
interface Asked extends Pick<Authority, "registry" | "rotation"> {
  readonly question: Question;
  readonly service: Service;
  readonly view: View;
  readonly told: Told;
  /** Seconds. */
  readonly ttl: number;
  readonly apex: Name;
}

/** Whether nobody has told of its tasks, which may well run: that there are none is not to be said. */
function isUntold({ service: { declaration }, registry }: Asked): boolean {
  return declaration.isOutline && declaration.tasks.length === 0 && !registry.isWhole;
}

function answerVip(asked: Asked): Answer {
  const { vips, declaration } = asked.service;
  if (vips.length === 0 && wantsAddress(asked.question.type)) return FAILED;
  return answerAddresses(asked, seenOf(vips, asked.view), declaration.labels);
}

function answerTasks(asked: Asked): Answer {
  const { service, view, question, rotation } = asked;
  const { declaration, answering } = service;
  if (!wantsAddress(question.type)) return answerAddresses(asked, [], declaration.labels);
  if (service.isWaiting || isUntold(asked)) return NOT_READY;
  if (fails(service)) return FAILED;

  const shown = shownByType(answering, view);
  const type =
    question.type === TYPE.AAAA || (question.type === TYPE.ANY && shown.A.length === 0) ? "AAAA" : "A";
  if (shown[type].length === 0) return answerAddresses(asked, [], declaration.labels);
  // Of an address that several have there is one record, so that it is shown once.
  const known = new Map<Address, ResourceRecord>();
  const recordOf = (address: Address): ResourceRecord => {
    const record = known.get(address) ?? addressRecord(question.name, asked.ttl, address);
    known.set(address, record);
    return record;
  };
  const groups = shown[type].map(({ addresses, weight }) => ({
    records: addresses.map(recordOf),
    additionals: NO_RECORDS,
    weight,
  }));
  const turn = { service, view, name: question.name, type };
  return choose({ turn, groups, most: declaration.maxAnswers }, rotation);
}

const NO_RECORDS: readonly ResourceRecord[] = [];

/** What the type asks for, out of these addresses and labels. */
function answerAddresses(asked: Asked, shown: readonly Address[], labels: readonly string[] = []): Answer {
  const { question, ttl, apex, registry } = asked;
  const { name, type } = question;
  const addresses = shown.map((address) => addressRecord(name, ttl, address));
  const text: readonly ResourceRecord[] =
    labels.length > 0 ? [{ type: "TXT", name, ttl, strings: labels }] : [];
  return records(setOf(type, [...addresses, ...text]), apex, registry);
}

function answerVipPort(asked: Asked, port: Port): Answer {
  const { service, view, told, registry, ttl, apex, question } = asked;
  if (!wantsPort(question.type)) return records([], apex, registry);
  if (service.vips.length === 0) return FAILED;
  const target = nameOfService(service, registry, told);
  if (!target) return records([], apex, registry);
  const addresses = seenOf(service.vips, view).map((address) => addressRecord(target, ttl, address));
  // RFC 2782: "Weight 0 when there isn't any server selection to do".
  return records([portRecord(asked, target, port.port, 0)], apex, registry, addresses);
}

function answerTaskPort(asked: Asked, port: Port): Answer {
  const { service, view, told, registry, rotation, question, ttl, apex } = asked;
  const { declaration, answering } = service;
  if (!wantsPort(question.type)) return records([], apex, registry);
  if (service.isWaiting || isUntold(asked)) return NOT_READY;
  if (fails(service)) return FAILED;

  const groups = answering.flatMap((task): RecordGroup[] => {
    const seen = seenOf(task.addresses, view);
    const target = seen.length > 0 ? nameOfTask(service, task, registry, told) : undefined;
    if (!target) return [];
    const { weight } = task;
    const record = portRecord(asked, target, task.ports.get(port.name) ?? port.target, weight);
    return [
      { records: [record], additionals: seen.map((address) => addressRecord(target, ttl, address)), weight },
    ];
  });
  if (groups.length === 0) return records([], apex, registry);
  const turn = { service, view, name: question.name, type: "SRV" };
  return choose({ turn, groups, most: declaration.maxAnswers }, rotation);
}

function portRecord({ question, ttl }: Asked, target: Name, port: number, weight: number): Srv {
  return { type: "SRV", name: question.name, ttl, priority: 0, weight, port, target };
}

function wantsAddress(type: number): boolean {
  return type === TYPE.A || type === TYPE.AAAA || type === TYPE.ANY;
}

function wantsPort(type: number): boolean {
  return type === TYPE.SRV || type === TYPE.ANY;
}

/** Whether nobody serves and the service would rather have clients try again than believe that. */
function fails({ declaration, answering }: Service): boolean {
  return answering.length === 0 && declaration.whenEmpty === "servfail";
}

/** What takes a turn: a task, or several that show the same addresses, with the weight of all. */
interface Group {
  readonly addresses: readonly Address[];
  readonly weight: number;
}

interface ShownByType {
  readonly A: readonly Group[];
  readonly AAAA: readonly Group[];
}

/** By the tasks that are answered: they never change, and a thousand of them would be gone through for each query. */
const shownBefore = new WeakMap<readonly TaskDeclaration[], WeakMap<View, ShownByType>>();

function shownByType(answering: readonly TaskDeclaration[], view: View): ShownByType {
  const byView = shownBefore.get(answering) ?? new WeakMap<View, ShownByType>();
  const before = byView.get(view);
  if (before) return before;
  const shown = { A: groupsOf("A", answering, view), AAAA: groupsOf("AAAA", answering, view) };
  shownBefore.set(answering, byView.set(view, shown));
  return shown;
}

function groupsOf(type: "A" | "AAAA", tasks: readonly TaskDeclaration[], view: View): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const task of tasks) {
    const addresses = seenOf(task.addresses, view).filter((address) => typeOf(address) === type);
    if (addresses.length === 0) continue;
    const key = addresses.join("");
    groups.set(key, { addresses, weight: task.weight + (groups.get(key)?.weight ?? 0) });
  }
  return [...groups.values()];
}

/**
 * The addresses at which something is reached by who sees this; each once: RFC 2181 section 5 knows no two records
 * alike in a set. Who is on several networks gets those of the first, of each family.
 */
function seenOf(placed: readonly TaskAddress[], { networks }: View): readonly Address[] {
  if (!networks) return [...new Set(placed.map(({ address }) => address))];
  const seen = new Set<Address>();
  for (const family of FAMILIES) {
    const ofFamily = placed.filter(({ address }) => familyOf(address) === family);
    for (const network of networks) {
      const there = ofFamily.filter((one) => one.network === network);
      for (const { address } of there) seen.add(address);
      if (there.length > 0) break;
    }
  }
  return [...seen];
}
