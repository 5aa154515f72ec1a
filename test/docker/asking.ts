import { type Printed, readDig } from "../clients/read-dig.ts";
import { run } from "../run.ts";

export interface Question {
  readonly name: string;
  readonly type: string;
}

/** Asks a server from inside a network, one question after the other; undefined: no reply came. */
export type AskAll = (
  server: string,
  questions: readonly Question[],
) => Promise<readonly (Printed | undefined)[]>;

/** Who asks from a network namespace: the questions go as one command of dig's, which says of each what came. */
export function askerIn(enter: readonly string[]): AskAll {
  return async (server, questions) => {
    if (questions.length === 0) return [];
    const replies = await repliesTo(enter, server, questions);
    const byQuestion = new Map(replies.map((text) => [questionOf(text), text]));
    return questions.map((question) => {
      const text = byQuestion.get(keyOf(question));
      return text === undefined ? undefined : readDig(text);
    });
  };
}

/** Each reply as dig prints it, in the order of the questions, without those that no reply came to. */
export async function repliesTo(
  enter: readonly string[],
  server: string,
  questions: readonly Question[],
): Promise<readonly string[]> {
  const [program = "", ...words] = [...enter, "dig", `@${server}`, ...WAYS];
  const asked = questions.flatMap(({ name, type }) => [name, type]);
  const { stdout } = await run(program, [...words, ...asked], { limitMs: 60_000 });
  return stdout.split(/^(?=;; Got answer:)/m).filter((text) => text.startsWith(";; Got answer:"));
}

/** What does not answer within two seconds does not answer. */
const WAYS = [
  "+noall",
  "+comments",
  "+question",
  "+answer",
  "+authority",
  "+additional",
  "+nocookie",
  "+tries=1",
  "+time=2",
];

/** As the reply repeats it: one in other letters is none to this question. */
function questionOf(reply: string): string | undefined {
  const [, name, type] = /^;([^;\s]\S*)\s+IN\s+(\S+)$/m.exec(reply) ?? [];
  return name === undefined ? undefined : `${name} ${type}`;
}

function keyOf({ name, type }: Question): string {
  return `${name.replace(/\.?$/, ".")} ${type}`;
}
