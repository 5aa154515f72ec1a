import type { Argv } from "yargs";
import { askControl } from "../api/control.ts";
import { rulesetOfFiles } from "../app/ruleset.ts";
import {
  type ArgumentsOf,
  type Command,
  CONTROL,
  FILES,
  type GlobalArguments,
  hasWhomToAsk,
  optional,
  withOptions,
} from "./options.ts";

type PlaneArguments = ArgumentsOf<typeof declare>;

export const planeCommand: Command<typeof declare> = {
  command: "plane [files..]",
  describe: "Show what carries the traffic to VIPs and published ports, and who gets how much of it",
  builder: declare,
  handler: plane,
};

/** As long as it takes to read what is programmed for ten thousand services. */
const CONTROL_TIMEOUT_MS = 15_000;

async function plane({ files, control, dryRun, node, json }: PlaneArguments): Promise<void> {
  if (files.length === 0) {
    const accept = json ? "application/json" : "text/plain";
    const target = dryRun ? "/plane/ruleset" : "/plane/traffic";
    process.stdout.write(await askControl(control, target, accept, AbortSignal.timeout(CONTROL_TIMEOUT_MS)));
    return;
  }
  const ruleset = await rulesetOfFiles(files, node);
  if (ruleset.kind === "rendered") {
    process.stdout.write(ruleset.text);
    return;
  }
  for (const problem of ruleset.problems) process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
}

function declare(yargs: Argv<GlobalArguments>) {
  return withOptions(yargs, {
    control: CONTROL,
    "dry-run": {
      type: "boolean",
      default: false,
      describe: "Print the ruleset of the plane nftables, and program nothing; with FILES, what they come to",
    },
    node: {
      type: "string",
      requiresArg: true,
      coerce: optional(String),
      describe: "With FILES: the name of this machine among their nodes; default: its host name",
    },
    json: { type: "boolean", default: false, describe: "Print it as JSON" },
  })
    .positional("files", FILES)
    .check(
      ({ files, dryRun }) =>
        files.length === 0 || dryRun || "FILES need --dry-run: only a server carries traffic",
    )
    .check(hasWhomToAsk)
    .example("$0 plane", "what the running server has programmed, with counters")
    .example("$0 plane services.yaml --dry-run", "the nftables ruleset that a file comes to");
}
