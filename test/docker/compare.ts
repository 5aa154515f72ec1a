import { performance } from "node:perf_hooks";
import { reverseNameOf } from "./reverse.ts";
import type { AskAll, Question } from "./asking.ts";
import type { ContainerState, EngineState } from "./engine-state.ts";
import { ownersSeenBy, namesSeenBy } from "./expectation.ts";
import type { Glossary } from "./glossary.ts";
import { dataOf, noteOf, wrongOf } from "./judge.ts";
import { formatReply, type Row } from "./table.ts";

/** What a container asks, and whom. */
export interface Asker {
  readonly client: ContainerState;
  readonly askAll: AskAll;
  /** Rota's address. */
  readonly rota: string;
}

export interface Compared {
  readonly rows: readonly Row[];
  /** What is wrong in Rota's answers, a line each. */
  readonly wrong: readonly string[];
}

const DOCKER = "127.0.0.11";
/** From a change of the engine until Rota's answers are right; it asks a Swarm each second. */
const PATIENCE_MS = 10_000;

/** Asks both the same. What Rota says is asked for until it is right; then Docker says what it has to say. */
export async function compare(
  asker: Asker,
  questions: readonly Question[],
  state: EngineState,
  glossary: Glossary,
): Promise<Compared> {
  const { client, askAll } = asker;
  const names = namesSeenBy(client, state);
  const rightOf = ({ name }: Question): ReturnType<typeof names.get> => names.get(name.toLowerCase());
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const rota = await askAll(asker.rota, questions);
    const wrong = questions.flatMap((question, at) => {
      const fault = wrongOf(question, rightOf(question), rota[at]);
      return fault === undefined ? [] : [glossary.say(`${question.name} ${question.type}: ${fault}`)];
    });
    if (wrong.length > 0 && performance.now() < until) continue;
    const docker = await askAll(DOCKER, questions);
    const rows = questions.map((question, at) => ({
      name: glossary.say(question.name),
      type: question.type,
      docker: formatReply(docker[at], glossary.say),
      rota: formatReply(rota[at], glossary.say),
      note: noteOf(question, rightOf(question), docker[at], glossary.faultOf).join(", "),
    }));
    return { rows, wrong };
  }
}

/** Asks both whose addresses these are. Rota is right if the name that it says leads back. */
export async function compareReverse(
  asker: Asker,
  state: EngineState,
  glossary: Glossary,
): Promise<Compared> {
  const { client, askAll } = asker;
  const seen = [...ownersSeenBy(client, state)].toSorted((one, other) =>
    glossary.say(one[0]) < glossary.say(other[0]) ? -1 : 1,
  );
  const questions = seen.map(([address]) => ({ name: reverseNameOf(address), type: "PTR" }));
  const [rota, docker] = [await askAll(asker.rota, questions), await askAll(DOCKER, questions)];
  const targets = rota.map((reply) => (reply ? dataOf(reply) : []));
  const back = await askAll(
    asker.rota,
    targets.map(([name = "."]) => ({ name, type: "A" })),
  );
  const wrong = seen.flatMap(([address, { addresses }], at) => {
    const [found, ...others] = back[at] ? dataOf(back[at]) : [];
    // Whoever is on several networks is led to on the first.
    const leadsBack =
      targets[at]?.length === 1 && found !== undefined && others.length === 0 && addresses.includes(found);
    return leadsBack ? [] : [glossary.say(`PTR of ${address}: ${targets[at]?.join(", ")}`)];
  });
  const rows = seen.map(([address, { isNew }], at) => {
    const told = docker[at] ? dataOf(docker[at]) : [];
    return {
      name: glossary.say(address),
      type: "PTR",
      docker: formatReply(docker[at], glossary.say),
      rota: formatReply(rota[at], glossary.say),
      note:
        told.length === 1 ? "TTL 600" : isNew ? "has no such name" : "no name for an address that has one",
    };
  });
  return { rows, wrong };
}
