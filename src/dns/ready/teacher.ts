import type { View } from "../../model/view.ts";
import { cellOf, EVERYTHING, sumOf } from "../../registry/pulse.ts";
import { type Registry, standKey } from "../../registry/registry.ts";
import { fnvOf } from "../../base/hash.ts";
import { mayExist } from "../../registry/presence.ts";
import { type Name, prefixOf, wholePrefix } from "../../model/name.ts";
import type { Question } from "../../wire/message.ts";
import { answer } from "../answer.ts";
import type { Answer, Authority } from "../kinds.ts";
import { addressOf, type Viewers } from "../viewers.ts";
import type { ClientKey, Mail } from "./mail.ts";
import { makeMissing } from "./make-missing.ts";
import { makeReady } from "./make.ts";
import type { Shared } from "./shared.ts";
import { trackReads } from "./tracked.ts";

const NO_TURNS = { begin: [], turn: 0 };

/** Answers from the registry, and tells books what they need to answer the same the next time. */
export interface Teacher {
  /** As `answer`, for who sees this. */
  answer(question: Question, view: View): Answer;
  /**
   * Runs what answers one query by {@link answer}, if it gets so far, and says what is to be learnt from it.
   *
   * @param client who asks, as {@link Viewers} takes it
   * @param key what books know it by; undefined: what it sees is known
   */
  teach<T>(
    client: string,
    key: ClientKey | undefined,
    respond: () => T,
  ): { readonly reply: T; readonly mail: readonly Mail[] };
}

export interface TeacherOptions extends Omit<Authority, "registry"> {
  readonly registry: Registry;
  readonly shared: Shared;
  readonly viewers: Viewers;
  /** The zones, but the root, that upstreams were named for. */
  readonly routed: readonly Name[];
  /** Whether replies say that names of others are asked for, too. */
  readonly isRecursive: boolean;
}

export function createTeacher(options: TeacherOptions): Teacher {
  const { registry, shared, viewers, rotation, isRouted, isRecursive } = options;
  const tracked = trackReads(registry);
  const numbers = new WeakMap<View, number>();
  let views = 0;
  let turns = 0;
  let mail: Mail[] | undefined;
  let isOfRegistry = true;
  const authority: Authority = {
    registry: tracked.registry,
    rotation,
    isRouted,
    nameServers: () => {
      isOfRegistry = false;
      return options.nameServers();
    },
  };

  return {
    answer(question, view) {
      if (!mail) return answer(question, options, view); // nobody learns from it, so nothing is noted
      isOfRegistry = true;
      const { value: given, grounds } = tracked.watch(() => answer(question, authority, view));
      if (!isOfRegistry) return given;
      const finding = { question, given, view: numberOf(view), isRecursive, ...grounds, ...turnsOf(given) };
      // Who asks for what nobody has ever named must not decide what is remembered.
      const made =
        tracked.hasFound() || mayBeNamed(question)
          ? makeReady(finding)
          : makeMissing(finding, view, registry, options.routed);
      if (made) mail.push(made);
      return given;
    },
    teach(client, key, respond) {
      const learnt: Mail[] = key === undefined ? [] : [clientMail(client, key)];
      mail = learnt;
      try {
        return { reply: respond(), mail: learnt };
      } finally {
        mail = undefined;
      }
    },
  };

  function clientMail(client: string, key: ClientKey): Mail {
    const view = numberOf(viewers.viewOf(client, undefined));
    const cells = Uint32Array.of(EVERYTHING, cellOf(standKey(addressOf(client))));
    return { kind: "client", client: key, view, cells, sum: sumOf(registry.pulse, cells) };
  }

  /** Who learns it goes on with the turn behind the one that was given here. */
  function turnsOf(given: Answer): { readonly begin: readonly number[]; readonly turn: number } {
    if (given.kind !== "records" || !given.choice || given.choice.groups.length < 2) return NO_TURNS;
    const begin = rotation.standing(given.choice.turn, given.choice.groups);
    turns = (turns + 1) % shared.turns.length;
    Atomics.store(shared.turns, turns, begin[0] ?? 0);
    return { begin, turn: turns };
  }

  /** Equal views are one object, and have one number. */
  function numberOf(view: View): number {
    const known = numbers.get(view);
    if (known !== undefined) return known;
    numbers.set(view, views);
    return views++;
  }

  function mayBeNamed({ name }: Question): boolean {
    const inZone = prefixOf(name, registry.settings.zone);
    const { presence } = registry;
    return (
      mayExist(presence, fnvOf(wholePrefix(name))) ||
      (inZone !== undefined && mayExist(presence, fnvOf(inZone)))
    );
  }
}
