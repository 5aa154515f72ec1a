import type { Address } from "../model/address.ts";
import type { Port, TaskDeclaration } from "../model/declaration.ts";
import { joinName, type Name } from "../model/name.ts";
import { ownName, taskName } from "../registry/names.ts";
import type { Found, Registry } from "../registry/registry.ts";
import type { Service } from "../registry/service.ts";
import type { Question } from "../wire/message.ts";
import { type ResourceRecord, type Srv, TYPE } from "../wire/record.ts";
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
      return answerAddresses(asked, shownOf([meaning.task]));
    case "port":
      if (service.declaration.endpointMode === "vip") return answerVipPort(asked, meaning.port);
      return answerTaskPort(asked, meaning.port);
    case "taskPort":
      return answerTaskPort(asked, meaning.port);
  }
}

/** A question on its way to an answer. */
interface Asked extends Pick<Authority, "registry" | "rotation"> {
  readonly question: Question;
  readonly service: Service;
  /** Seconds. */
  readonly ttl: number;
  readonly apex: Name;
}

/** An address that an answer shows. */
interface Shown {
  readonly address: Address;
  readonly weight: number;
}

function answerVip(asked: Asked): Answer {
  const { vips, declaration } = asked.service;
  if (vips.length === 0 && wantsAddress(asked.question.type)) return { kind: "servfail" };
  const shown = vips.map(({ address }) => ({ address, weight: 1 }));
  return answerAddresses(asked, shown, declaration.labels);
}

function answerTasks(asked: Asked): Answer {
  const { service, question, rotation } = asked;
  const { declaration, answering } = service;
  if (!wantsAddress(question.type)) return answerAddresses(asked, [], declaration.labels);
  if (fails(service)) return { kind: "servfail" };

  const shown = shownByType(answering);
  const type =
    question.type === TYPE.AAAA || (question.type === TYPE.ANY && shown.A.length === 0) ? "AAAA" : "A";
  const turn = { service, name: question.name, type };
  return answerAddresses(
    asked,
    rotation.arrange(turn, shown[type], declaration.maxAnswers),
    declaration.labels,
  );
}

/** What the type asks for, out of these addresses and labels. */
function answerAddresses(asked: Asked, shown: readonly Shown[], labels: readonly string[] = []): Answer {
  const { question, ttl, apex, registry } = asked;
  const { name, type } = question;
  const addresses = shown.map(({ address }) => addressRecord(name, ttl, address));
  const text: readonly ResourceRecord[] =
    labels.length > 0 ? [{ type: "TXT", name, ttl, strings: labels }] : [];
  return records(setOf(type, [...addresses, ...text]), apex, registry);
}

function answerVipPort(asked: Asked, port: Port): Answer {
  const { service, registry, ttl } = asked;
  if (service.vips.length === 0 && wantsPort(asked.question.type)) return { kind: "servfail" };
  const target = joinName(ownName(service.declaration), registry.settings.zone);
  const addresses = service.vips.map(({ address }) => addressRecord(target, ttl, address));
  // RFC 2782: "Weight 0 when there isn't any server selection to do".
  return answerTargets(asked, [{ target, port: port.port, weight: 0, addresses }]);
}

function answerTaskPort(asked: Asked, port: Port): Answer {
  const { service, registry, rotation, question, ttl } = asked;
  const { declaration, answering } = service;
  if (!wantsPort(question.type)) return answerTargets(asked, []);
  if (fails(service)) return { kind: "servfail" };

  const tasks = answering.filter((task) => holdsItsName(service, task, registry));
  const turn = { service, name: question.name, type: "SRV" };
  const targets = rotation.arrange(turn, tasks, declaration.maxAnswers).map((task): PortTarget => {
    const target = joinName(taskName(declaration, task), registry.settings.zone);
    const addresses = shownOf([task]).map(({ address }) => addressRecord(target, ttl, address));
    return { target, port: task.ports.get(port.name) ?? port.target, weight: task.weight, addresses };
  });
  return answerTargets(asked, targets);
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

/** SRV targets must resolve (RFC 2782): where another service holds the task's name, it would lead to that one. */
function holdsItsName(service: Service, task: TaskDeclaration, registry: Registry): boolean {
  const found = registry.find(taskName(service.declaration, task));
  return found !== undefined && found !== "below" && found.service === service;
}

interface ShownByType {
  readonly A: readonly Shown[];
  readonly AAAA: readonly Shown[];
}

/** By the tasks that are answered: they never change, and a thousand of them would be gone through for each query. */
const shownBefore = new WeakMap<readonly TaskDeclaration[], ShownByType>();

function shownByType(answering: readonly TaskDeclaration[]): ShownByType {
  const before = shownBefore.get(answering);
  if (before) return before;
  const all = shownOf(answering);
  const ofType = (type: "A" | "AAAA"): readonly Shown[] =>
    all.filter(({ address }) => typeOf(address) === type);
  const shown = { A: ofType("A"), AAAA: ofType("AAAA") };
  shownBefore.set(answering, shown);
  return shown;
}

/** Each address once: RFC 2181 section 5 knows no two records alike in a set. */
function shownOf(tasks: readonly TaskDeclaration[]): readonly Shown[] {
  const shown = new Map<Address, Shown>();
  for (const { addresses, weight } of tasks) {
    for (const { address } of addresses) {
      shown.set(address, { address, weight: weight + (shown.get(address)?.weight ?? 0) });
    }
  }
  return [...shown.values()];
}
