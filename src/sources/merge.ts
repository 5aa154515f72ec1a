import type { Declaration, Network, Node, Roster } from "../model/declaration.ts";
import { joinOutlines } from "../model/outline.ts";
import type { FileReading } from "./read-set.ts";
import { type Finding, formatPlace } from "./report.ts";

/** A file's part in a set. */
export interface Part {
  readonly reading: FileReading;
  /** It is not there any more: what other files say of the same thing counts instead. */
  readonly isGone: boolean;
  /** Services of it that another file has taken over, as {@link serviceKey}. */
  readonly handedOver: ReadonlySet<string>;
}

/** The first file that settled something, and what it said. */
interface Claim {
  readonly part: Part;
  readonly said: string;
}

/** What all files of a set say together; one that contradicts an earlier one is told as a problem of the later. */
export function merge(parts: readonly Part[]): {
  readonly roster: Roster;
  readonly problems: readonly Finding[];
} {
  const problems: Finding[] = [];
  const claims = new Map<string, Claim>();
  const networks: Network[] = [];
  const nodes: Node[] = [];
  // Files that are there come first, so that those that are gone give way.
  const inOrderOfSay = [...parts.filter(({ isGone }) => !isGone), ...parts.filter(({ isGone }) => isGone)];
  for (const part of inOrderOfSay) {
    const { zone, ttl, negativeTtl } = part.reading;
    for (const [key, value] of Object.entries({ zone, ttl, negative_ttl: negativeTtl })) {
      if (value !== undefined) claim(claims, problems, part, key, value);
    }
    nodes.push(
      ...part.reading.nodes.filter((node) => claim(claims, problems, part, `nodes.${node.name}`, node)),
    );
    networks.push(
      ...part.reading.networks.filter((network) =>
        claim(claims, problems, part, `networks.${network.name}`, network),
      ),
    );
  }
  const present = presentServices(parts);
  const services = parts.flatMap(({ reading, isGone, handedOver }) =>
    isGone
      ? reading.services.filter(
          (service) => !present.has(serviceKey(service)) && !handedOver.has(serviceKey(service)),
        )
      : reading.services,
  );
  return {
    roster: {
      zone: claims.get("zone")?.part.reading.zone,
      ttl: claims.get("ttl")?.part.reading.ttl,
      negativeTtl: claims.get("negative_ttl")?.part.reading.negativeTtl,
      networks,
      nodes,
      services: withOutlinesJoined(services),
      clients: [],
    },
    problems,
  };
}

/** The services that files which are there declare. */
export function presentServices(parts: readonly Part[]): ReadonlySet<string> {
  return new Set(parts.flatMap(({ reading, isGone }) => (isGone ? [] : reading.services.map(serviceKey))));
}

/** Equal for two declarations of one service. */
export function serviceKey({ name, namespace }: Declaration): string {
  return name + namespace;
}

/** What several Compose files outline of one service is one, where the first of them stands. */
function withOutlinesJoined(services: readonly Declaration[]): readonly Declaration[] {
  const joined = new Map<Declaration | string, Declaration>();
  for (const service of services) {
    const key = service.isOutline ? serviceKey(service) : service;
    const before = joined.get(key);
    joined.set(key, before === undefined ? service : joinOnce(before, service));
  }
  return [...joined.values()];
}

/** Two that did not change are joined to the same object again, as of any declaration. */
function joinOnce(earlier: Declaration, later: Declaration): Declaration {
  const before = joinedBefore.get(earlier);
  if (before?.later === later) return before.joined;
  const joined = joinOutlines(earlier, later);
  joinedBefore.set(earlier, { later, joined });
  return joined;
}

const joinedBefore = new WeakMap<
  Declaration,
  { readonly later: Declaration; readonly joined: Declaration }
>();

/** Notes what `part` says of `key`: true if it is the first to, a problem if it is at odds with that. */
function claim(
  claims: Map<string, Claim>,
  problems: Finding[],
  part: Part,
  key: string,
  value: unknown,
): boolean {
  const said = JSON.stringify(value);
  const first = claims.get(key);
  if (first === undefined) {
    claims.set(key, { part, said });
    return true;
  }
  if (first.said === said || part.isGone) return false;
  const { file, places } = part.reading;
  const other = formatPlace(first.part.reading.file, first.part.reading.places.get(key));
  problems.push({
    file,
    position: places.get(key),
    message: `${key}: is at odds with ${other}: say it in one file, or alike`,
  });
  return false;
}
