import { attempt } from "../../base/error.ts";
import { MAX_PREFIX_OCTETS, parsePrefix, type Prefix } from "../../model/name.ts";

/** Notes what could not be taken as it was written: `about` is whose it is, as `container web`. */
export type Warn = (about: string, message: string) => void;

/** So much is told of one container: who mends five mistakes reads on afterwards. */
const MAX_TOLD = 5;
const MAX_TOLD_CHARACTERS = 400;
const MAX_SHOWN_CHARACTERS = 80;

/** Gathers warnings, a few of each container and nothing in them that a terminal would obey. */
export function createWarnings(): { readonly warn: Warn; readonly lines: () => readonly string[] } {
  const told = new Map<string, { readonly messages: string[]; more: number }>();
  return {
    warn(about, message) {
      const known = told.get(about) ?? { messages: [], more: 0 };
      told.set(about, known);
      // A container may have as many labels as fit into its image: what is not told is only counted.
      if (known.messages.length < MAX_TOLD) known.messages.push(message);
      else known.more += 1;
    },
    lines: () =>
      [...told].flatMap(([about, { messages, more }]) => {
        const shown = more > 0 ? [...messages, `and ${more} more`] : messages;
        return shown.map((message) => plain(`docker: ${about}: ${message}`, MAX_TOLD_CHARACTERS));
      }),
  };
}

/** Text of an engine as a line may have it: what is not printed, or turns the line around, is a question mark. */
export function plain(text: string, length: number = MAX_SHOWN_CHARACTERS): string {
  const cut = text.length > length ? `${text.slice(0, length)}…` : text;
  return cut.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, "?");
}

/**
 * A name that an engine has given, maybe with dots; undefined: it is none that could be asked for, or is too long.
 * A label may not begin with `_`: that is how the names of ports begin (RFC 2782).
 */
export function readName(text: string, maxOctets: number = MAX_PREFIX_OCTETS): Prefix | undefined {
  if (text.length >= maxOctets || !/^[a-z\d][\w-]*(?:\.[a-z\d][\w-]*)*$/i.test(text)) return undefined;
  return attempt(() => parsePrefix(text));
}

/** Each once, without what is none. */
export function distinct<T>(items: Iterable<T | undefined>): T[] {
  return [...new Set(items)].filter((item) => item !== undefined);
}

/** The beginning of an id, as Docker shows it and has it for a name. */
export function shortId(id: string): string {
  return id.slice(0, 12);
}
