import { ask } from "../../dist/ask/ask.js";
import { parseServer } from "../../dist/ask/server.js";
import { parseName } from "../../dist/model/name.js";

const TYPE_A = 1;
const NEVER = new AbortController().signal;

/** Asks for the IPv4 addresses of a service over UDP. */
export async function addressesOf(service, port) {
  const question = { name: parseName(`${service}.rota.internal`), type: TYPE_A };
  const options = { timeoutMs: 60_000 };
  const { answers } = await ask(question, parseServer(`127.0.0.1:${port}`), options, NEVER);
  return answers.map(({ data }) => data);
}
