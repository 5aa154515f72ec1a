import { ask } from "../../dist/ask/ask.js";
import { parseServer } from "../../dist/ask/server.js";
import { parseName } from "../../dist/model/name.js";
import { VIP, ZONE } from "./queries-names.mjs";

const TYPES = { A: 1, AAAA: 28, SRV: 33 };
const NEVER = new AbortController().signal;

/** Asks a server what a mix is checked with; undefined: the reply is right; else what is wrong with it, or lacking. */
export async function mistakeIn(port, { name, type, rcode, answers, additionals }) {
  const reply = await askOnce(port, name, type);
  if (reply.rcode.name !== rcode) return `${reply.rcode.name} for ${rcode}`;
  if (reply.flags.includes("tc")) return "truncated";
  for (const [what, found, wanted] of [
    ["answers", reply.answers, answers],
    ["additionals", reply.additionals, additionals],
  ]) {
    const texts = found.map(({ type, data }) => `${type} ${data}`).toSorted();
    if (texts.join() !== wanted.toSorted().join())
      return texts.length === wanted.length
        ? `other ${what}`
        : `${texts.length} ${what} for ${wanted.length}`;
  }
  if (answers.length === 0 && !reply.authority.some(({ type }) => type === "SOA")) return "no SOA";
  return undefined;
}

/** Whether anybody answers at all. */
export async function isAnswering(port) {
  try {
    await askOnce(port, VIP.name, "A");
    return true;
  } catch {
    return false;
  }
}

async function askOnce(port, name, type) {
  const question = { name: parseName(`${name}.${ZONE}`), type: TYPES[type] };
  const options = { timeoutMs: 1000, truncated: "keep" };
  return ask(question, parseServer(`127.0.0.1:${port}`), options, NEVER);
}
