import { type Address, mask } from "../model/address.ts";
import { EMPTY_PREFIX, type Name } from "../model/name.ts";
import { type Reverse, reverseName } from "../model/reverse.ts";
import type { View } from "../model/view.ts";
import type { FoundAddress } from "../registry/registry.ts";
import type { Question } from "../wire/message.ts";
import { type Ptr, TYPE } from "../wire/record.ts";
import { nameOfService, nameOfTask } from "./held.ts";
import { type Answer, type Authority, type Readable, records, soaOf } from "./kinds.ts";
import { answerApex } from "./zone.ts";

/**
 * The names of addresses. Ours are those in our networks' subnets, and every address that is a task's or a VIP.
 * Of the names above an address none is denied: what exists beneath each is not counted.
 */
export function answerReverse(
  question: Question,
  { address, length, isExact }: Reverse,
  authority: Authority,
  view: View,
): Answer {
  const { registry } = authority;
  const isWhole = length === address.length * 8;
  const found = isWhole ? registry.findAddress(address, view) : undefined;
  const subnet = registry.findSubnet(address, length);
  if (!found && !subnet) return { kind: "elsewhere" };

  const apex = reverseApex(address, subnet?.length ?? length);
  const isApex = question.name === apex;
  if (isApex && (question.type === TYPE.SOA || question.type === TYPE.NS))
    return answerApex(question, apex, authority);
  if (!isExact || (!found && isWhole && !isApex)) return { kind: "nxdomain", soa: soaOf(apex, registry) };
  if (!found || (question.type !== TYPE.PTR && question.type !== TYPE.ANY))
    return records([], apex, registry);

  const target = targetOf(found, registry, view);
  if (!target) return records([], apex, registry);
  const ttl = found.service.declaration.ttl ?? registry.settings.ttl;
  const pointer: Ptr = { type: "PTR", name: question.name, ttl, target };
  return records([pointer], apex, registry);
}

function targetOf({ service, task }: FoundAddress, registry: Readable, view: View): Name | undefined {
  const told = { view, suffix: EMPTY_PREFIX };
  return task ? nameOfTask(service, task, registry, told) : nameOfService(service, registry, told);
}

/** The shortest name of whole labels inside the subnet, as 1.0.10.in-addr.arpa: the zone that the name is in. */
export function reverseApex(address: Address, length: number): Name {
  const labelBits = address.length === 4 ? 8 : 4;
  const bits = Math.ceil(length / labelBits) * labelBits;
  return reverseName(mask(address, bits), bits);
}
