import type { Printed } from "../clients/read-dig.ts";
import type { Question } from "./asking.ts";
import type { Named } from "./expectation.ts";
import type { Glossary } from "./glossary.ts";

/** What is right: undefined names are not there. */
export type Right = Named | undefined;

/** What a question is to be answered with, as {@link dataOf} gives it. */
export function rightData({ type }: Question, right: Right): readonly string[] {
  if (!right) return [];
  if (right.port !== undefined)
    return type === "SRV" || type === "ANY"
      ? right.addresses.map((address) => `${right.port} ${address}`)
      : [];
  if (type === "A" || (type === "ANY" && right.addresses.length > 0)) return right.addresses;
  if (type === "TXT" || type === "ANY") return right.text.map((text) => `"${text}"`);
  return [];
}

/** What a reply says, without owner, TTL and type; of SRV the port, and the addresses that come with its targets. */
export function dataOf({ answers, additionals }: Printed): readonly string[] {
  return answers
    .flatMap((record) => {
      const [, , type, ...data] = record.split(" ");
      if (type !== "SRV") return [data.join(" ")];
      const [, , port, target] = data;
      return additionals
        .filter((one) => one.startsWith(`${target} `))
        .map((one) => `${port} ${one.split(" ").at(-1)}`);
    })
    .toSorted();
}

/** What is wrong with a reply of Rota's; undefined: nothing. */
export function wrongOf(question: Question, right: Right, reply: Printed | undefined): string | undefined {
  if (!reply) return "no reply";
  const data = rightData(question, right);
  const isOurs = right ? !right.isOutside : isOwn(question.name);
  // Of others' names, whoever knows them says whether it has them first-hand.
  const header = isOurs ? reply.header : reply.header.replace(" aa", "");
  if (header !== `${right ? "NOERROR" : "NXDOMAIN"} ${isOurs ? "aa " : ""}rd ra`) return reply.header;
  if (dataOf(reply).join() !== data.join())
    return `${dataOf(reply).join(", ")} instead of ${data.join(", ")}`;
  if (reply.answers.some((record) => record.split(" ")[1] !== "5")) return "a TTL that is not 5";
  if (!isOurs) return undefined;
  if ((data.length === 0) !== reply.authority.some((record) => record.split(" ")[2] === "SOA"))
    return "an SOA too many or too few";
  return undefined;
}

/** Whether nobody else is asked for a name that nobody here has. */
function isOwn(name: string): boolean {
  return !name.includes(".") || name.endsWith(".rota.internal");
}

/** What Docker's own answer is, beside what is right. */
export function noteOf(
  question: Question,
  right: Right,
  reply: Printed | undefined,
  faultOf: Glossary["faultOf"],
): readonly string[] {
  if (!reply) return ["no reply"];
  const data = rightData(question, right);
  const given = dataOf(reply);
  const status = reply.header.split(" ")[0] ?? "";
  if (!right && given.length === 0)
    return [status === "NXDOMAIN" ? "same" : `${status} for a name that does not exist`];
  if (right?.isNew === true && given.length === 0) return ["has no such name"];
  if (status !== "NOERROR") return [`${status} for a name that exists`];
  if (given.length === 0 && data.length === 0) return ["no SOA"];
  const extra = given.filter((one) => !data.includes(one));
  const isEternal = reply.answers.some((record) => record.split(" ")[1] === "600");
  const notes = [
    ...new Set(extra.map(faultOf)),
    ...(data.some((one) => !given.includes(one)) ? ["incomplete"] : []),
    ...(isEternal ? ["TTL 600"] : []),
  ];
  return notes.length > 0 ? notes : ["same"];
}
