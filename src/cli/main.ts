#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import yargs from "yargs";
import { hideBin } from "yargs/helpers";
import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";
import { checkCommand } from "./check.ts";
import { explainCommand } from "./explain.ts";
import { lookupCommand } from "./lookup.ts";
import { GLOBAL_OPTIONS, type LogLevel, withOptions } from "./options.ts";
import { planeCommand } from "./plane.ts";
import { serveCommand } from "./serve.ts";

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

process.stdout.on("error", endQuietly);
await run(hideBin(process.argv));

async function run(words: readonly string[]): Promise<void> {
  let logLevel: LogLevel = "info";
  try {
    await withOptions(
      yargs(words).locale("en").parserConfiguration({ "greedy-arrays": false }),
      GLOBAL_OPTIONS,
    )
      .middleware((argv) => {
        logLevel = argv.logLevel;
      }, true)
      .scriptName("rota")
      .usage("$0 COMMAND: names for services, answered by DNS")
      .command(serveCommand)
      .command(checkCommand)
      .command(lookupCommand)
      .command(explainCommand)
      .command(planeCommand)
      .completion("completion", "Print a script that completes commands, for bash or zsh")
      .example("$0 serve services.yaml", "answer for the services in a file")
      .example("$0 lookup web", "ask the server on this machine where web is")
      .example("$0 lookup --help", "all about one command")
      .example("source <($0 completion)", "complete commands and options with the Tab key")
      .epilogue(
        "Exit codes: 0 done, 1 failed or no answer, 2 wrong usage.\n" +
          "Every option has an environment variable, --log-level for one ROTA_LOG_LEVEL; the command line wins.",
      )
      .version(readVersion())
      .alias({ help: "h", version: "V" })
      .updateStrings({
        "Did you mean %s?": "there is no such command; did you mean %s?",
        "Not enough arguments following: %s": "a value is missing after %s",
        "Invalid values:": "wrong value:",
        "Argument: %s, Given: %s, Choices: %s": "%s cannot be %s, but %s",
      })
      .demandCommand(1, "say a COMMAND")
      .strict()
      .recommendCommands()
      .exitProcess(false) // so that what is written arrives
      .fail(refuse)
      .parseAsync();
  } catch (error) {
    report(error, logLevel);
  }
}

/** yargs calls this with a message for wrong usage, and without one for what a command threw. */
function refuse(message: string | null, error: Error | undefined): never {
  if (message === null && error !== undefined) throw error;
  // yargs names an unknown option twice, as it was written and in camelCase.
  const words = message?.replace(
    /^Unknown arguments?: (.*)$/,
    (_, named: string) =>
      `there is no command, option or argument named ${named.split(", ").filter(isWritten).join(", ")}`,
  );
  throw new RotaError("ERR_ROTA_OPTION", words ?? "wrong usage", error && { cause: error });
}

function isWritten(word: string): boolean {
  return hideBin(process.argv).some((written) => written.replace(/^-+/, "").split("=")[0] === word);
}

function report(error: unknown, logLevel: LogLevel): void {
  const isUsage = error instanceof RotaError && error.code === "ERR_ROTA_OPTION";
  const hint = isUsage ? " (see rota --help)" : "";
  process.exitCode = isUsage ? EXIT_USAGE : EXIT_FAILED;
  // One line, whatever is quoted in it.
  process.stderr.write(`rota: ${messageOf(error).replaceAll(/[\s\p{Cc}]+/gu, " ")}${hint}\n`);
  if (logLevel === "debug") process.stderr.write(`${inspect(error)}\n`);
}

/** Whoever reads our output may stop, as `head -1` does; then nobody is left to write for. */
function endQuietly(error: Error): void {
  if (systemCodeOf(error) !== "EPIPE") throw error;
  process.exit();
}

function readVersion(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const manifest: unknown = JSON.parse(text);
  if (typeof manifest !== "object" || manifest === null || !("version" in manifest)) return "unknown";
  return String(manifest.version);
}
