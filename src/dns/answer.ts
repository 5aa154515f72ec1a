import { countLabels, parseName, type Prefix, prefixOf, ROOT, wholePrefix } from "../model/name.ts";
import { parseReverse, type Reverse } from "../model/reverse.ts";
import type { View } from "../model/view.ts";
import type { Question } from "../wire/message.ts";
import { type Answer, type Authority, NAME_SERVER, NOT_READY, soaOf } from "./kinds.ts";
import { answerReverse } from "./reverse.ts";
import { answerService } from "./service.ts";
import { answerLocalhost, answerLocalReverse, answerNowhere } from "./special.ts";
import { answerApex, answerNameServer } from "./zone.ts";

const ARPA = parseName("arpa");

/** Answers a question of class IN from what of the registry is seen now; changes nothing but whose turn it is. */
export function answer(question: Question, authority: Authority, view: View): Answer {
  const given = answerFrom(question, authority, view);
  // Where a source has not told yet what it declares, nothing can be said not to exist.
  return given.kind === "nxdomain" && !authority.registry.isWhole ? NOT_READY : given;
}

function answerFrom(question: Question, authority: Authority, view: View): Answer {
  const inZone = prefixOf(question.name, authority.registry.settings.zone);
  if (inZone !== undefined) return answerInZone(question, inZone, authority, view);
  const reverse = parseReverse(question.name);
  if (reverse) return answerAnyReverse(question, reverse, authority, view);
  return answerBare(question, authority, view);
}

function answerAnyReverse(question: Question, reverse: Reverse, authority: Authority, view: View): Answer {
  const given = answerReverse(question, reverse, authority, view);
  if (given.kind !== "elsewhere" || authority.isRouted(question.name)) return given;
  return answerLocalReverse(question, reverse, authority.registry) ?? given;
}

function answerInZone(question: Question, labels: Prefix, authority: Authority, view: View): Answer {
  const { registry } = authority;
  const { zone } = registry.settings;
  if (labels === "") return answerApex(question, zone, authority);
  const found = registry.find(labels, view);
  if (found && found !== "below") return answerService(question, found, zone, authority, view);
  if (labels === NAME_SERVER) return answerNameServer(question, authority);
  if (found === "below") return { kind: "nodata", soa: soaOf(zone, registry) };
  // Where the zone is called like a namespace, `web.shop` is a short name that lies in it by chance.
  const bare = registry.find(wholePrefix(question.name), view);
  if (bare && bare !== "below") return answerService(question, bare, zone, authority, view);
  return { kind: "nxdomain", soa: soaOf(zone, registry) };
}

/** A short name as containers ask it, `web.`: the same as in the zone, but that nobody else's name is denied. */
function answerBare(question: Question, authority: Authority, view: View): Answer {
  const { registry } = authority;
  const labels = wholePrefix(question.name);
  // Nobody may have `localhost` lead elsewhere.
  const localhost = answerLocalhost(question, registry);
  if (localhost) return localhost;
  const found = registry.find(labels, view);
  // What is beneath a bare name is all names of the root: its SOA is the only one that encloses them.
  if (found === "below") return { kind: "nodata", soa: soaOf(ROOT, registry) };
  if (found) return answerService(question, found, ROOT, authority, view);
  if (authority.isRouted(question.name)) return { kind: "elsewhere" };
  const nowhere = answerNowhere(question, registry);
  if (nowhere) return nowhere;
  // What our own zones are beneath exists (RFC 8020), though it is not ours.
  const isAboveOurs = question.name === ARPA || prefixOf(registry.settings.zone, question.name) !== undefined;
  if (isAboveOurs && countLabels(labels) === 1) return { kind: "nodata", soa: soaOf(ROOT, registry) };
  // A service may be called `app`, and `my.app.` exist all the same; but `nosuch.` is a short name mistyped.
  return countLabels(labels) === 1 ? { kind: "nxdomain", soa: soaOf(ROOT, registry) } : { kind: "elsewhere" };
}
