import type { Address } from "../model/address.ts";
import type { Port, TaskDeclaration } from "../model/declaration.ts";
import type { Name } from "../model/name.ts";
import type { Found } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import type { Question } from "../wire/message.ts";
import { type ResourceRecord, type Srv, TYPE } from "../wire/record.ts";
import { nameOfService, nameOfTask } from "./held.ts";
import { addressRecord, type Answer, type Authority, records, setOf, typeOf } from "./kinds.ts";

/** Answers for a name of a service, by what the name stands for. `apex`: whose SOA says that there is nothing. */
export function answerService(question: Question, found: Found, apex: Name, authority: Authority): Answer {
  const { service, meaning } = found;
  const ttl = service.declaration.ttl ?? authority.registry.settings.ttl;
  // Field by field: spreading the authority would take longer than all the rest.
  const { registry, rotation } = authority;
  const asked: Asked = { registry, rotation, question, service, ttl, apex };
  switch (meaning.kind) {
    case "service":
      return service.declaration.endpointMode === "vip" ? answerVip(asked) : answerTasks(asked);
    case "tasks":
      return answerTasks(asked);
    case "task":
      return answerAddresses(asked, addressesOf(meaning.task));
    case "port":
      if (service.declaration.endpointMode === "vip") return answerVipPort(asked, meaning.port);
      return answerTaskPort(asked, meaning.port);
    case "taskPort":
      return answerTaskPort(asked, meaning.port);
  }
}

const FAILED: Answer = { kind: "servfail", isNotReady: false };
const NOT_READY: Answer = { kind: "servfail", isNotReady: true };

/** A question on its way to an answer. */
interface Asked extends Pick<Authority, "registry" | "rotation"> {
  readonly question: Question;
  readonly service: Service;
  /** Seconds. */
  readonly ttl: number;
  readonly apex: Name;
}

function answerVip(asked: Asked): Answer {
  const { vips, declaration } = asked.service;
  if (vips.length === 0 && wantsAddress(asked.question.type)) return FAILED;
  const addresses = vips.map(({ address }) => address);
  return answerAddresses(asked, addresses, declaration.labels);
}

function answerTasks(asked: Asked): Answer {
  const { service, question, rotation } = asked;
  const { declaration, answering } = service;
  if (!wantsAddress(question.type)) return answerAddresses(asked, [], declaration.labels);
  if (service.isWaiting) return NOT_READY;
  if (fails(service)) return FAILED;

  const shown = shownByType(answering);
  const type =
    question.type === TYPE.AAAA || (question.type === TYPE.ANY && shown.A.length === 0) ? "AAAA" : "A";
  const arranged = rotation.arrange({ service, name: question.name, type }, shown[type]);
  const addresses = new Set(arranged.flatMap((group) => group.addresses));
  return answerAddresses(asked, [...addresses].slice(0, declaration.maxAnswers), declaration.labels);
}

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
  const { service, registry, ttl } = asked;
  if (service.vips.length === 0 && wantsPort(asked.question.type)) return FAILED;
  const target = nameOfService(service, registry);
  if (!target) return answerTargets(asked, []);
  const addresses = service.vips.map(({ address }) => addressRecord(target, ttl, address));
  // RFC 2782: "Weight 0 when there isn't any server selection to do".
  return answerTargets(asked, [{ target, port: port.port, weight: 0, addresses }]);
}

function answerTaskPort(asked: Asked, port: Port): Answer {
  const { service, registry, rotation, question, ttl } = asked;
  const { declaration, answering } = service;
  if (!wantsPort(question.type)) return answerTargets(asked, []);
  if (service.isWaiting) return NOT_READY;
  if (fails(service)) return FAILED;

  const targets = answering.flatMap((task): PortTarget[] => {
    const target = nameOfTask(service, task, registry);
    if (!target) return [];
    const addresses = addressesOf(task).map((address) => addressRecord(target, ttl, address));
    return [{ target, port: task.ports.get(port.name) ?? port.target, weight: task.weight, addresses }];
  });
  const turn = { service, name: question.name, type: "SRV" };
  return answerTargets(asked, rotation.arrange(turn, targets).slice(0, declaration.maxAnswers));
}

interface PortTarget extends Pick<Srv, "target" | "port" | "weight"> {
  readonly addresses: readonly ResourceRecord[];
}

function answerTargets({ question, ttl, apex, registry }: Asked, targets: readonly PortTarget[]): Answer {
  if (!wantsPort(question.type)) return records([], apex, registry);
  const found = targets.map(({ target, port, weight }): Srv => ({
    type: "SRV",
    name: question.name,
    ttl,
    priority: 0,
    weight,
    port,
    target,
  }));
  return records(
    found,
    apex,
    registry,
    targets.flatMap(({ addresses }) => addresses),
  );
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
const shownBefore = new WeakMap<readonly TaskDeclaration[], ShownByType>();

function shownByType(answering: readonly TaskDeclaration[]): ShownByType {
  const before = shownBefore.get(answering);
  if (before) return before;
  const shown = { A: groupsOf("A", answering), AAAA: groupsOf("AAAA", answering) };
  shownBefore.set(answering, shown);
  return shown;
}

function groupsOf(type: "A" | "AAAA", tasks: readonly TaskDeclaration[]): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const task of tasks) {
    const addresses = addressesOf(task).filter((address) => typeOf(address) === type);
    if (addresses.length === 0) continue;
    const key = addresses.join("");
    groups.set(key, { addresses, weight: task.weight + (groups.get(key)?.weight ?? 0) });
  }
  return [...groups.values()];
}

/** Each once: RFC 2181 section 5 knows no two records alike in a set. */
function addressesOf(task: TaskDeclaration): readonly Address[] {
  return [...new Set(task.addresses.map(({ address }) => address))];
}
