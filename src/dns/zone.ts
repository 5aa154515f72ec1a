import { joinName, type Name } from "../model/name.ts";
import type { Question } from "../wire/message.ts";
import { type ResourceRecord, TYPE } from "../wire/record.ts";
import { addressRecord, type Answer, type Authority, NAME_SERVER, records, setOf, soaOf } from "./kinds.ts";

/** The top of a zone of ours: SOA and NS. */
export function answerApex({ type }: Question, apex: Name, authority: Authority): Answer {
  const { registry } = authority;
  if (type === TYPE.SOA || type === TYPE.ANY) return records([soaOf(apex, registry)], apex, registry);
  if (type !== TYPE.NS) return records([], apex, registry);
  const { zone, ttl } = registry.settings;
  const server: ResourceRecord = { type: "NS", name: apex, ttl, target: joinName(NAME_SERVER, zone) };
  return records([server], apex, registry, serverAddresses(authority));
}

/** This server's own name, which the zone's NS record leads to: where it is asked. */
export function answerNameServer({ type }: Question, authority: Authority): Answer {
  const { registry } = authority;
  return records(setOf(type, serverAddresses(authority)), registry.settings.zone, registry);
}

function serverAddresses({ registry, nameServers }: Authority): readonly ResourceRecord[] {
  const { zone, ttl } = registry.settings;
  const name = joinName(NAME_SERVER, zone);
  return nameServers().map((address) => addressRecord(name, ttl, address));
}
