import type { Clock } from "../../src/base/clock.ts";
import { silentLog } from "../../src/base/log.ts";
import { createTally, type Tally, type Transport } from "../../src/dns/counters.ts";
import { createRespond, type Outside } from "../../src/dns/respond.ts";
import { createRotation } from "../../src/dns/rotation.ts";
import { createViewers, parseTrusted } from "../../src/dns/viewers.ts";
import { WHOLE_VIEW } from "../../src/model/view.ts";
import { parseType } from "../../src/model/mnemonics.ts";
import { readReply } from "../../src/ask/reply.ts";
import { answer } from "../../src/dns/answer.ts";
import { formatName, parseName } from "../../src/model/name.ts";
import { formatAddress, parseAddress } from "../../src/model/address.ts";
import type { Roster } from "../../src/model/declaration.ts";
import type { ServicesFile } from "../../src/schema/input.ts";
import { formatProblem } from "../../src/schema/problem.ts";
import { parseServicesFile } from "../../src/schema/schema.ts";
import { createRegistry, type Registry, type Source } from "../../src/registry/registry.ts";
import { forgetfulStore, type LeaseStore } from "../../src/registry/vips.ts";
import { type Asked, query } from "../wire/query.ts";

/** A clock that stands still until it is turned. */
export interface TurnedClock extends Clock {
  turn(ms: number): void;
}

export function stillClock(start = 1_700_000_000_000): TurnedClock {
  let passed = 0;
  return {
    now: () => start + passed,
    monotonic: () => passed,
    turn(ms) {
      passed += ms;
    },
  };
}

/** The roster of a services file; throws with what is wrong with it. */
export function roster(file: ServicesFile, where = "services.yaml"): Roster {
  const parsed = parseServicesFile(file, (path) => `${where}:${path.join(".")}`);
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join("\n"));
  return parsed.roster;
}

export interface Served {
  readonly registry: Registry;
  readonly source: Source;
  readonly respond: (octets: Uint8Array, transport: Transport, client?: string) => Uint8Array | undefined;
  readonly counters: Tally;
  readonly clock: TurnedClock;
  /** The reply to `"web AAAA"`, a line a record: `NOERROR aa`, `web. 5 A 10.0.1.11`, `authority: ...`. */
  ask(question: string, options?: Partial<Asked> & { transport?: Transport }): string[];
  /** The data of the answers alone. */
  data(question: string): string[];
  /** The addresses or targets of the answers, or what else is answered, before it is octets. `from`: who asks. */
  shown(question: string, from?: string): string[];
}

export interface ServedOptions {
  readonly outside?: Outside;
  readonly idleMs?: number;
  readonly zone?: Parameters<typeof createRegistry>[0]["zone"];
  readonly store?: LeaseStore;
  readonly random?: () => number;
  /** @default nobody */
  readonly trust?: readonly string[];
}

/** Everything between the services file and the octets on the wire, without sockets. */
export function served(file: ServicesFile, options: ServedOptions = {}): Served {
  const { outside = "refused", idleMs = 10_000, zone, store = forgetfulStore, random = () => 0 } = options;
  const { trust = [] } = options;
  const clock = stillClock();
  const registry = createRegistry({ clock, store, zone });
  const counters = createTally();
  const authority = {
    registry,
    rotation: createRotation(random),
    nameServers: () => [parseAddress("127.0.0.1"), parseAddress("::1")],
    isRouted: () => false,
  };
  const forwarder = undefined;
  const viewers = createViewers({ registry, trusted: trust.map(parseTrusted), scope: "all" });
  const log = silentLog;
  const respondAnyhow = createRespond({
    answer: (question, view) => answer(question, authority, view),
    outside,
    forwarder,
    viewers,
    idleMs,
    counters,
    log,
  });
  const respond: Served["respond"] = (octets, transport, client = "127.0.0.1") => {
    const reply = respondAnyhow(octets, transport, client);
    if (reply instanceof Promise) throw new Error("nobody is to be asked here");
    return reply;
  };
  const source = registry.open("file");
  source.publish(roster(file));

  const read = (
    question: string,
    { transport = "udp", ...asked }: Partial<Asked> & { transport?: Transport } = {},
  ) => {
    const [name = "", type = "A"] = question.split(" ");
    const octets = respond(query({ name, type: parseType(type), flags: 0, ...asked }), transport);
    return octets ? readReply(Buffer.from(octets)) : undefined;
  };
  return {
    registry,
    source,
    respond,
    counters,
    clock,
    ask(question, asked) {
      const reply = read(question, asked);
      if (!reply) return ["silence"];
      const line = ({ name, ttl, type, data }: (typeof reply.answers)[number]): string =>
        `${name} ${ttl} ${type} ${data}`;
      return [
        [reply.rcode.name, ...reply.flags.filter((flag) => flag !== "qr")].join(" "),
        ...reply.answers.map(line),
        ...reply.authority.map((record) => `authority: ${line(record)}`),
        ...reply.additionals.map((record) => `additional: ${line(record)}`),
      ];
    },
    data: (question) => read(question)?.answers.map(({ data }) => data) ?? [],
    shown(question, from) {
      const [name = "", type = "A"] = question.split(" ");
      const asked = { name: parseName(name), type: parseType(type), class: 1, octets: new Uint8Array() };
      const client = from === undefined ? undefined : parseAddress(from);
      const view = client ? registry.viewOf(client, client.length * 8) : WHOLE_VIEW;
      const given = answer(asked, authority, view);
      if (given.kind !== "records") return [given.kind];
      return given.records.map((record) => {
        if ("address" in record) return formatAddress(record.address);
        return "target" in record ? formatName(record.target) : record.type;
      });
    },
  };
}
