import { isIP } from "node:net";
import type { Argv } from "yargs";
import { askControl } from "../api/control.ts";
import { explainFiles } from "../app/explain-files.ts";
import { formatExplanation } from "../app/format-explanation.ts";
import { RotaError } from "../base/error.ts";
import { formatAddress, parseAddress } from "../model/address.ts";
import { parseName } from "../model/name.ts";
import {
  ALLOW_EXEC,
  type ArgumentsOf,
  type Command,
  CONTROL,
  FILES,
  type GlobalArguments,
  hasWhomToAsk,
  optional,
  withOptions,
} from "./options.ts";

type ExplainArguments = ArgumentsOf<typeof declare>;

export const explainCommand: Command<typeof declare> = {
  command: "explain [name] [files..]",
  describe: "Tell what a name is answered, by whom it is served, and why",
  builder: declare,
  handler: explain,
};

const NAMELESS = "say the NAME to explain";
/** A server of this machine answers in less; what it waits for is only itself. */
const CONTROL_TIMEOUT_MS = 5000;

async function explain(argv: ExplainArguments): Promise<void> {
  const { name, files, from, control, probe, allowExec, json } = argv;
  if (name === undefined) throw new RotaError("ERR_ROTA_OPTION", NAMELESS);
  if (files.length === 0) {
    const accept = json ? "application/json" : "text/plain";
    const asker = from === undefined ? "" : `?from=${encodeURIComponent(from)}`;
    const target = `/explain/${encodeURIComponent(name)}${asker}`;
    const told = await askControl(control, target, accept, AbortSignal.timeout(CONTROL_TIMEOUT_MS));
    process.stdout.write(told);
    return;
  }
  const ends = new AbortController();
  const end = (signal: NodeJS.Signals): void => ends.abort(signal);
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  const told = await explainFiles(name, files, { from, probe, allowExec }, ends.signal).catch(
    (error: unknown) => {
      if (!ends.signal.aborted) throw error;
      return undefined;
    },
  );
  if (!told) {
    // As a shell has it of who was ended by a signal. What it had started has been ended before it.
    process.exitCode = 128 + (ends.signal.reason === "SIGINT" ? 2 : 15);
    return;
  }
  if (told.kind === "refused") {
    for (const problem of told.problems) process.stderr.write(`${problem}\n`);
    process.exitCode = 1;
    return;
  }
  const { explanation, isServed } = told;
  process.stdout.write(json ? `${JSON.stringify(explanation)}\n` : formatExplanation(explanation));
  if (probe && isServed === false) process.exitCode = 1;
}

/** A name or an address, as it was written. */
function parseAsked(text: string): string {
  if (isIP(text) === 0) parseName(text);
  return text;
}

function parseFrom(text: string): string {
  return formatAddress(parseAddress(text));
}

function declare(yargs: Argv<GlobalArguments>) {
  return withOptions(yargs, {
    from: {
      type: "string",
      requiresArg: true,
      coerce: optional(parseFrom),
      describe: "Who asks, by address: that decides which networks and namespace are seen",
    },
    control: CONTROL,
    probe: {
      type: "boolean",
      default: false,
      describe: "With FILES: try each task of the service once, from here; exit 1 if none would serve",
    },
    "allow-exec": ALLOW_EXEC,
    json: { type: "boolean", default: false, describe: "Print it as JSON" },
  })
    .positional("name", {
      type: "string",
      coerce: (text: string | undefined) => (text === undefined ? undefined : parseAsked(text)),
      describe: "A name, as web or tasks.web, or an address",
    })
    .positional("files", FILES)
    .check(({ name }) => name !== undefined || NAMELESS)
    .check(
      ({ files, probe }) =>
        !probe || files.length > 0 || "--probe needs FILES: a running server probes by itself",
    )
    .check(hasWhomToAsk)
    .example("$0 explain web", "why the running server answers for web as it does")
    .example("$0 explain web --from 10.0.1.11", "as the container at that address sees it")
    .example("$0 explain web services.yaml --probe", "without a server: would its tasks serve?");
}
