import type { Reporter, TestModule } from "vitest/node";

/** Says of each test that was skipped why; where `mayBe` is false, fails the run for it: it is one unseen. */
export function tellSkips(mayBe: boolean): Reporter {
  return {
    onTestRunEnd(modules: readonly TestModule[]) {
      const skipped = modules.flatMap((module) => [...module.children.allTests("skipped")]);
      for (const test of skipped) {
        const result = test.result();
        const why = ("note" in result && result.note) || "no reason given";
        process.stdout.write(`skipped: ${test.fullName}: ${why}\n`);
      }
      if (mayBe || skipped.length === 0) return;
      process.stderr.write(`${skipped.length} tests were skipped, and none may be\n`);
      process.exitCode = 1;
    },
  };
}
