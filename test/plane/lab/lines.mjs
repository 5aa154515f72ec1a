// One JSON object a line, in and out: what the lab, its hub and its agents speak.

import { createInterface } from "node:readline";

/** Stands in front of what is meant for a reader: on a guest's console, its kernel speaks as well. */
export const MARK = "@@";

/**
 * Answers each request `{ id, op, ... }` of `input` with `{ id, value }` or `{ id, error }`, in whatever order they
 * are done. Resolves when the input has ended: whoever asked is gone.
 */
export async function answerRequests(input, say, perform) {
  const lines = createInterface({ input });
  lines.on("line", async (line) => {
    const request = parseObject(line);
    if (request === undefined) return;
    try {
      const value = await perform(request);
      if (value !== RELAYED) say({ id: request.id, value });
    } catch (error) {
      say({ id: request.id, error: error?.stack ?? String(error) });
    }
  });
  await new Promise((resolve) => lines.once("close", resolve));
}

/** What performing gives where the request was passed on: the answer comes from elsewhere. */
export const RELAYED = Symbol("relayed");

/** Performs a request by the function of `ops` that it names. */
export function performBy(ops) {
  return ({ op, ...rest }) => {
    if (!Object.hasOwn(ops, op)) throw new Error(`nobody here can "${op}"`);
    return ops[op](rest);
  };
}

/** Undefined for what is not a JSON object: a console's noise. */
export function parseObject(line) {
  const start = line.indexOf("{");
  if (start < 0) return undefined;
  try {
    return JSON.parse(line.slice(start));
  } catch {
    return undefined;
  }
}

/** A way to write objects to `output`, each a line with `mark` in front. */
export function sayTo(output, mark = "") {
  return (value) => void output.write(`${mark}${JSON.stringify(value)}\n`);
}
