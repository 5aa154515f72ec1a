import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** A hub that runs, wherever that is: a child process, or a guest's whose console these streams are. */
export interface HubProcess extends AsyncDisposable {
  readonly input: Writable;
  readonly output: Readable;
}

/** Asks a hub and its agents. */
export interface Link {
  /** `to` an agent by its name; undefined: the hub itself. Rejects with what went wrong there. */
  request<T>(to: string | undefined, op: string, args?: object): Promise<T>;
}

/** One line of a hub: an answer, or that an agent has ended. */
interface Line {
  readonly ready?: true;
  readonly id?: number;
  readonly error?: string;
  readonly gone?: string;
  readonly why?: string;
}

interface Pending {
  readonly to: string | undefined;
  /** With the JSON that has the value. */
  readonly answer: (text: string) => void;
  readonly reject: (error: Error) => void;
}

const MARK = "@@";

/** Resolves when the hub is ready: what it is told before may be lost. */
export async function openLink(hub: HubProcess): Promise<Link> {
  const pending = new Map<number, Pending>();
  let last = 0;
  const lines = createInterface({ input: hub.output });
  const failAll = (why: string, isMeant: (one: Pending) => boolean): void => {
    for (const [id, one] of pending) {
      if (!isMeant(one)) continue;
      pending.delete(id);
      one.reject(new Error(why));
    }
  };
  await new Promise<void>((resolve, reject) => {
    lines.on("line", (text) => {
      const line = parseLine(text);
      if (line?.ready) resolve();
      if (line?.gone !== undefined) failAll(line.why ?? "it ended", ({ to }) => to === line.gone);
      if (line?.id === undefined) return;
      const one = pending.get(line.id);
      pending.delete(line.id);
      if (line.error !== undefined) one?.reject(new Error(line.error));
      else one?.answer(text.slice(text.indexOf(MARK) + MARK.length));
    });
    lines.once("close", () => {
      reject(new Error("the hub ended before it was ready"));
      failAll("the hub has ended", () => true);
    });
  });
  hub.input.on("error", () => {}); // its end is told by its output

  return {
    request: (to, op, args = {}) =>
      new Promise((resolve, reject) => {
        last += 1;
        pending.set(last, { to, reject, answer: (text) => resolve(JSON.parse(text).value) });
        hub.input.write(`${JSON.stringify({ id: last, to, op, ...args })}\n`);
      }),
  };
}

/** Undefined for what a console says besides. */
function parseLine(text: string): Line | undefined {
  const start = text.indexOf(`${MARK}{`);
  if (start < 0) return undefined;
  try {
    return JSON.parse(text.slice(start + MARK.length));
  } catch {
    return undefined;
  }
}
