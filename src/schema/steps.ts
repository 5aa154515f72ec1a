import { z } from "zod";
import { RotaError } from "../base/error.ts";
import { mustBe } from "./problem.ts";

/** A schema for each field of `T`, no more and no less, that takes what the field's type says. */
export type Fields<T> = { readonly [K in keyof T]-?: z.ZodType<unknown, T[K]> };

/**
 * A mapping without other keys. The issue that tells of one carries the keys that there are as its message,
 * for `problem.ts` to make a suggestion of.
 */
export function strict<T extends z.core.$ZodShape>(fields: T): z.ZodObject<T, z.core.$strict> {
  const known = Object.keys(fields).join(" ");
  return z.strictObject(fields, {
    error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined),
  });
}

/** A whole number in this range, both ends in it. */
export function whole(from: number, to: number): z.ZodInt {
  const error = mustBe(`a whole number from ${from} to ${to}`);
  return z.int({ error }).min(from, { error }).max(to, { error });
}

/** `parse` as a step of a schema: what it throws on purpose becomes an issue. */
export function reading<From, To>(parse: (value: From) => To): (value: From, context: z.RefinementCtx) => To {
  return (value, context) => {
    try {
      return parse(value);
    } catch (error) {
      if (!(error instanceof RotaError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  };
}
