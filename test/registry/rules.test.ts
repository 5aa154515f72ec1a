import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type AvailabilityRule, fits } from "../../src/model/availability.ts";
import type { TaskDeclaration } from "../../src/model/declaration.ts";
import { formatPrefix } from "../../src/model/name.ts";
import { indexRules, ruleNames } from "../../src/registry/rules.ts";
import { uncheckedWeb } from "./checked.ts";

const glob = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), minLength: 1, maxLength: 4 });
const name = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 1, maxLength: 4 });

test("a glob fits what the regular expression of it does", () => {
  fc.assert(
    fc.property(glob, name, (glob, name) => {
      const expression = new RegExp(`^${glob.replaceAll("*", ".*").replaceAll("?", ".")}$`);
      expect(fits(glob, name)).toBe(expression.test(name));
    }),
  );
});

test("the index finds what going through all rules would: the last that fits", () => {
  const rule = fc
    .record({ service: glob, task: glob })
    .map(({ service, task }): AvailabilityRule => ({ service, task, availability: "drain", origin: "test" }));
  fc.assert(
    fc.property(fc.array(rule, { maxLength: 12 }), name, name, (rules, service, task) => {
      const [declared] = uncheckedWeb([`${task} 192.0.2.1`]).tasks;
      if (!declared) throw new Error("no task");
      const expected = rules.findLast(
        (rule) => fits(rule.service, service) && ruleNames(declared).some((name) => fits(rule.task, name)),
      );
      expect(indexRules(rules)(service)?.(declared)).toBe(expected);
    }),
  );
});

test("ten thousand rules that each name a task of one service are not held against each", () => {
  const tasks = uncheckedWeb(
    Array.from({ length: 10_000 }, (_, at) => `t${at} 10.0.${at >> 8}.${at & 255}`),
  ).tasks;
  let looked = 0;
  const rules = tasks.map(({ id }: TaskDeclaration): AvailabilityRule => ({
    service: "web",
    availability: "drain",
    origin: "test",
    get task() {
      looked += 1;
      return formatPrefix(id);
    },
  }));
  const find = indexRules(rules)("web");
  expect(tasks.every((task, at) => find?.(task) === rules[at])).toBe(true);
  expect(looked).toBeLessThan(10 * rules.length);
});
