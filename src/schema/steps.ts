import { z } from "zod";
import { RotaError } from "../base/error.ts";
import { mustBe } from "./problem.ts";

/** A schema for each field of `T`, no more and no less, that takes what the field's type says. */
export type Fields<T> = { readonly [K in keyof T]-?: z.ZodType<unknown, T[K]> };

/** What a mapping can tell of mistakes that people make with it. */
export interface StrictTerms {
  /**
   * What to do about a key that belongs elsewhere, by the key.
   * @default {}
   */
  readonly misplaced?: { readonly [key: string]: string };
  /**
   * The message for what stands there and is no mapping; undefined: the usual one.
   * @default the usual one
   */
  readonly mistaken?: (written: unknown) => string | undefined;
}

/**
 * A mapping without other keys. The issue that tells of one carries as its message, for `problem.ts` to make a
 * suggestion of: the keys that there are in the first line, and a line for each that is misplaced.
 */
export function strict<T extends z.core.$ZodShape>(
  fields: T,
  { misplaced = {}, mistaken }: StrictTerms = {},
): z.ZodObject<T, z.core.$strict> {
  const lines = Object.entries(misplaced).map(([key, remedy]) => `${key} ${remedy}`);
  const known = [Object.keys(fields).join(" "), ...lines].join("\n");
  return z.strictObject(fields, {
    error: (issue) => {
      if (issue.code === "unrecognized_keys") return known;
      return issue.code === "invalid_type" ? mistaken?.(issue.input) : undefined;
    },
  });
}

/** A whole number in this range, both ends in it. */
export function whole(from: number, to: number): z.ZodInt {
  const error = mustBe(`a whole number from ${from} to ${to}`);
  return z.int({ error }).min(from, { error }).max(to, { error });
}

/** The same number as text, too, as Compose takes it. */
export function orDigits(number: z.ZodInt): z.ZodType<number, number | string> {
  const error = mustBe("a whole number");
  const digits = z.string().regex(/^\d+$/, { error }).transform(Number).pipe(number);
  return z.union([number, digits], { error });
}

/** What JSON Schema is told of a duration; a variable may come to one. */
const DURATION_PATTERN = String.raw`^\d+$|^(\d+(\.\d+)?(us|ms|s|m|h))+$|\$\{`;

/** A duration as it is written, for {@link reading} to find out whether it is one. */
export const durationInput = z.union(
  [z.string().meta({ pattern: DURATION_PATTERN }), z.number().meta({ minimum: 0 })],
  { error: mustBe("a duration, as 5s or 1m30s") },
);

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
