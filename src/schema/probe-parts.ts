import { z } from "zod";
import type { Match, ProbeTls } from "../model/check.ts";
import { parsePattern } from "../model/pattern.ts";
import type { PatternInput, TlsInput } from "./healthcheck-input.ts";
import { parsePortWord, parseServername } from "./healthcheck-words.ts";
import { mustBe } from "./problem.ts";
import { type Fields, reading, strict, whole } from "./steps.ts";

export const text = z.string().min(1, { error: "is empty" });

/** A port of the service by its name, or any by its number, also as text. */
export const portWord = z.union([whole(1, 65_535), text.transform(reading(parsePortWord))], {
  error: mustBe("a port number or the name of a port"),
});

/** What must be in what a task says. */
export const match = z.union(
  [
    text.transform((text): Match => ({ kind: "text", text })),
    strict({
      pattern: text
        .transform(reading(parsePattern))
        .describe("A regular expression of RE2's syntax, which fits anywhere."),
    } satisfies Fields<PatternInput>).transform(({ pattern }): Match => ({ kind: "pattern", pattern })),
  ],
  { error: mustBe("text or a mapping with a pattern") },
);

const tlsFields = {
  ca: text.optional().describe("A file of certificates in PEM to trust instead of the well-known ones."),
  servername: text
    .transform(reading(parseServername))
    .optional()
    .describe("The name that the certificate must be for; default: that in host, else the task's address."),
  insecure: z.boolean().default(false).describe("Whether any certificate does."),
} satisfies Fields<TlsInput>;

export const tlsShape = strict(tlsFields).transform(({ ca, servername, insecure }): ProbeTls => ({
  ca,
  servername,
  insecure,
}));

/** The same remedy for each word that belongs in `tls`, and is easily written elsewhere. */
export function forTlsWords(remedy: string): { readonly [word: string]: string } {
  return Object.fromEntries(Object.keys(tlsFields).map((word) => [word, remedy]));
}
