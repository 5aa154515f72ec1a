import { createForwardCache, type Found, type ForwardCache } from "../../../src/dns/forward/cache.ts";
import { parseType } from "../../../src/model/mnemonics.ts";
import type { Query } from "../../../src/wire/message.ts";
import { readQuery } from "../../../src/wire/reader.ts";
import { type Asked, query } from "../../wire/query.ts";
import { stillClock, type TurnedClock } from "../served.ts";
import { reply, type ReplyExtras, told } from "./replies.ts";

/** A cache with a clock to turn, spoken to in lines. */
export interface Cached {
  readonly cache: ForwardCache;
  readonly clock: TurnedClock;
  /** Keeps the reply of these lines to `"www.example A"`. */
  keep(
    question: string,
    lines: readonly string[],
    extras?: ReplyExtras & { readonly asked?: Partial<Asked> },
  ): void;
  fail(question: string): void;
  /** What is found, its kind in front and `prefetch` behind it. */
  find(question: string, asked?: Partial<Asked>): string[];
  /** As {@link find}, of the kind alone: `fresh`, `stale`, `failure`, `nothing`, or `fresh prefetch`. */
  kind(question: string, asked?: Partial<Asked>): string;
  stale(question: string, asked?: Partial<Asked>): string[];
}

export function cached(maxOctets = 1_000_000): Cached {
  const clock = stillClock();
  const cache = createForwardCache({ maxOctets, clock });
  const kindOf = (found: Found | undefined): string =>
    found ? `${found.kind}${found.wantsPrefetch ? " prefetch" : ""}` : "nothing";

  return {
    cache,
    clock,
    keep(question, lines, { asked, ...extras } = {}) {
      cache.keep(ask(question, asked), reply(question, lines, extras));
    },
    fail(question) {
      cache.keepFailure(ask(question));
    },
    find(question, asked) {
      const found = cache.find(ask(question, asked));
      return found ? [kindOf(found), ...told(found.reply)] : ["nothing"];
    },
    kind: (question, asked) => kindOf(cache.find(ask(question, asked))),
    stale: (question, asked) => told(cache.findStale(ask(question, asked))),
  };
}

/** The query of a client that asks `"www.example A"`. */
export function ask(text: string, asked: Partial<Asked> = {}): Query {
  const [name = "", type = "A"] = text.split(" ");
  const reading = readQuery(query({ name, type: parseType(type), ...asked }));
  if (reading.kind !== "query") throw new Error(`"${text}" is no query`);
  return reading.query;
}
