import { RE2JS } from "re2js";
import { messageOf, RotaError } from "../base/error.ts";

declare const pattern: unique symbol;

/** A regular expression that has been found to be one, in RE2's syntax, as text. */
export type Pattern = string & { readonly [pattern]: true };

/**
 * Reads a regular expression. RE2's and not JavaScript's: it takes time in proportion to the text, whatever the
 * text is, and the texts come from servers that nobody here answers for.
 *
 * @throws RotaError `ERR_ROTA_DECLARATION`
 */
export function parsePattern(text: string): Pattern {
  compile(text);
  return text as Pattern;
}

/** Whether `text` has the pattern anywhere in it. */
export function isMatch(pattern: Pattern, text: string): boolean {
  let compiled = compiledBefore.get(pattern);
  if (!compiled) {
    compiled = compile(pattern);
    if (compiledBefore.size >= MAX_COMPILED) compiledBefore.clear();
    compiledBefore.set(pattern, compiled);
  }
  return compiled.matcher(text).find();
}

/** A pattern is matched every few seconds, and few services have one of their own. */
const compiledBefore = new Map<Pattern, RE2JS>();
const MAX_COMPILED = 1000;

function compile(text: string): RE2JS {
  try {
    return RE2JS.compile(text);
  } catch (error) {
    const why = messageOf(error).replace(/^error parsing regexp: /, "");
    const message = `"${text}" is not a regular expression of RE2's syntax: ${why}`;
    throw new RotaError("ERR_ROTA_DECLARATION", message, { cause: error });
  }
}
