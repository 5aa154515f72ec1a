import type { Argv } from "yargs";
import { count } from "../base/count.ts";
import { type CheckReport, checkServices } from "../app/check.ts";
import { servicesJsonSchema } from "../schema/schema.ts";
import {
  ALLOW_EXEC,
  type ArgumentsOf,
  type Command,
  FILES,
  type GlobalArguments,
  withOptions,
} from "./options.ts";

type CheckArguments = ArgumentsOf<typeof declare>;

export const checkCommand: Command<typeof declare> = {
  command: "check [files..]",
  describe: "Tell what is wrong with services files, without serving them",
  builder: declare,
  handler: check,
};

/** Exits 0 if all is well, 1 if not; warnings do not count. */
async function check({ files, schema, allowExec }: CheckArguments): Promise<void> {
  if (schema) {
    process.stdout.write(`${JSON.stringify(servicesJsonSchema(), undefined, 2)}\n`);
    return;
  }
  const report = await checkServices(files, { allowExec });
  for (const problem of report.problems) process.stderr.write(`${problem}\n`);
  for (const warning of report.warnings) process.stderr.write(`warning: ${warning}\n`);
  process.exitCode = report.problems.length > 0 ? 1 : 0;
  if (report.problems.length > 0) return;
  process.stdout.write(`${formatGood(report)}\n`);
}

/** `good: 3 services of 2 tasks in 2 files; the tasks of 2 services come from the engine`. */
function formatGood({ services, tasks, files, outlines }: CheckReport): string {
  const good = `good: ${count(services, "service")}`;
  const where = `in ${count(files, "file")}`;
  const brought = "come from the engine";
  if (outlines === 0) return `${good} of ${count(tasks, "task")} ${where}`;
  if (outlines === services) return `${good} ${where}; tasks ${brought}`;
  return `${good} of ${count(tasks, "task")} ${where}; the tasks of ${count(outlines, "service")} ${brought}`;
}

function declare(yargs: Argv<GlobalArguments>) {
  return withOptions(yargs, {
    schema: {
      type: "boolean",
      default: false,
      describe: "Print the JSON Schema of services files, for editors",
    },
    "allow-exec": ALLOW_EXEC,
  })
    .positional("files", FILES)
    .check(({ files, schema }) =>
      schema === files.length > 0 ? "say the FILES to check, or --schema, and not both" : true,
    )
    .example("$0 check services.yaml", "exits 0 if all is well, 1 if not")
    .example("$0 check --schema > rota.schema.json", "what an editor completes and checks by");
}
