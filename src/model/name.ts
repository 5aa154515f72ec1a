import { RotaError } from "../base/error.ts";

declare const name: unique symbol;
declare const prefix: unique symbol;

/**
 * A domain name as it stands in a message: each label behind its length, a zero octet at the end, every octet
 * one character (latin1), ASCII letters in lower case.
 *
 * So two spellings of one name are `===`, a name is a `Map` key and is written with one copy, and a dot inside
 * a label is not a separator. RFC 1035 section 3.1, RFC 4343 section 3.
 */
export type Name = string & { readonly [name]: true };

/** The labels in front of an origin: a {@link Name} without its zero octet. May be empty: the origin itself. */
export type Prefix = string & { readonly [prefix]: true };

/** RFC 1035 section 2.3.4: "names 255 octets or less", lengths and the root's zero octet included. */
export const MAX_NAME_OCTETS = 255;
/** RFC 1035 section 2.3.4: "labels 63 octets or less". */
export const MAX_LABEL_OCTETS = 63;
/** The longest zone; what is left of 255 octets goes to {@link MAX_PREFIX_OCTETS}, so that any two fit. */
export const MAX_ZONE_OCTETS = 80;
/** The most that may stand in front of the zone. */
export const MAX_PREFIX_OCTETS: number = MAX_NAME_OCTETS - MAX_ZONE_OCTETS;

export const ROOT = "\0" as Name;
export const EMPTY_PREFIX = "" as Prefix;

/**
 * Reads a domain name as people write it; the dot at the end may be missing. `\.` is a dot within a label,
 * `\DDD` the octet of that decimal number; other characters stand for their UTF-8 octets.
 *
 * @throws RotaError `ERR_ROTA_NAME`: empty label, label over 63 octets, name over 255, bad escape.
 */
export function parseName(text: string): Name {
  return text === "." ? ROOT : joinName(readLabels(text).labels, ROOT);
}

/**
 * Reads the name of a zone.
 *
 * @throws RotaError `ERR_ROTA_NAME`: no name, over {@link MAX_ZONE_OCTETS}, or the root, beneath which everything is.
 */
export function parseZone(text: string): Name {
  const zone = parseName(text);
  if (zone === ROOT)
    throw new RotaError("ERR_ROTA_NAME", `"${text}" cannot be the zone: all names of others are beneath it`);
  if (zone.length <= MAX_ZONE_OCTETS) return zone;
  const octets = `it has ${zone.length} octets, ${MAX_ZONE_OCTETS} are allowed`;
  throw new RotaError("ERR_ROTA_NAME", `"${text}" is too long for a zone: ${octets}`);
}

/** Reads labels that stand in front of an origin, as `tasks.web`. @throws as {@link parseName} */
export function parsePrefix(text: string): Prefix {
  const { labels, endsInDot } = readLabels(text);
  if (endsInDot) throw notName(text, "it must not end in a dot here");
  return labels;
}

/** @throws RotaError `ERR_ROTA_NAME` if the two are over 255 octets together. */
export function joinName(labels: Prefix, origin: Name): Name {
  const octets = labels.length + origin.length;
  if (octets > MAX_NAME_OCTETS) {
    throw new RotaError("ERR_ROTA_NAME", `a name of ${octets} octets is too long: 255 are allowed`);
  }
  return (labels + origin) as Name;
}

export function joinPrefix(labels: Prefix, rest: Prefix): Prefix {
  return (labels + rest) as Prefix;
}

/** The labels of `name` in front of `origin`, or undefined if it is not at or beneath it. */
export function prefixOf(name: Name, origin: Name): Prefix | undefined {
  const cut = name.length - origin.length;
  // Only the walk along the lengths tells a label's end from an octet that looks like one.
  let at = 0;
  while (at < cut) at += name.charCodeAt(at) + 1;
  return at === cut && name.endsWith(origin) ? (name.slice(0, cut) as Prefix) : undefined;
}

/** All labels of `name`: the prefix that it is to the root. */
export function wholePrefix(name: Name): Prefix {
  return name.slice(0, -1) as Prefix;
}

/** What stands above: the labels without the first; undefined where none is left. */
export function parentOf(labels: Prefix): Prefix | undefined {
  const rest = labels.slice(labels.charCodeAt(0) + 1) as Prefix;
  return rest === "" ? undefined : rest;
}

/** Every way to cut labels in two, the longest end first: of `a.b` nothing and `a.b`, then `a` and `b`. */
export function* cutsOf(labels: Prefix): Iterable<{ readonly front: Prefix; readonly end: Prefix }> {
  for (let at = 0; at < labels.length; at += labels.charCodeAt(at) + 1) {
    yield { front: labels.slice(0, at) as Prefix, end: labels.slice(at) as Prefix };
  }
}

export function countLabels(labels: Prefix | Name): number {
  let count = 0;
  for (let at = 0; at < labels.length && labels.charCodeAt(at) > 0; at += labels.charCodeAt(at) + 1) count++;
  return count;
}

/**
 * A name that the reader found in a message, its octets already checked and folded: the door for octets, as
 * {@link parseName} is for text.
 */
export function nameFromOctets(folded: string): Name {
  return folded as Name;
}

/** The name as people write it, with the dot at its end; RFC 1035 section 5.1 escapes. */
export function formatName(name: Name): string {
  return name === ROOT ? "." : `${formatPrefix(wholePrefix(name))}.`;
}

/** The labels as people write them, with no dot at the end. */
export function formatPrefix(labels: Prefix): string {
  return labelsOf(labels).map(formatLabel).join(".");
}

/** The octets of each label. */
export function labelsOf(labels: Prefix): string[] {
  const split: string[] = [];
  for (let at = 0; at < labels.length; at += labels.charCodeAt(at) + 1) {
    split.push(labels.slice(at + 1, at + 1 + labels.charCodeAt(at)));
  }
  return split;
}

function formatLabel(octets: string): string {
  if (/^[\w-]*$/.test(octets)) return octets; // nearly all are, and the rest takes ten times as long
  return octets
    .replaceAll(/["().;@\\$]/g, String.raw`\$&`)
    .replaceAll(/[^!-~]/g, (octet) => `\\${octet.charCodeAt(0).toString().padStart(3, "0")}`);
}

/** ASCII letters only: the case of other octets means something. RFC 4343 section 3. */
function fold(octets: string): string {
  return octets.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function readLabels(text: string): { readonly labels: Prefix; readonly endsInDot: boolean } {
  const octets = fold(Buffer.from(text, "utf8").toString("latin1"));
  let labels = "";
  let label = "";
  let at = 0;
  while (at < octets.length) {
    const octet = octets.charAt(at);
    if (octet === ".") {
      labels += sized(text, label);
      label = "";
      at += 1;
      continue;
    }
    if (octet !== "\\") {
      label += octet;
      at += 1;
      continue;
    }
    const escaped = /^(?:\d{3}|\D)/.exec(octets.slice(at + 1))?.[0] ?? "";
    label += unescape(text, escaped);
    at += 1 + escaped.length;
  }
  const endsInDot = label === "" && labels !== "";
  if (!endsInDot) labels += sized(text, label);
  if (labels.length >= MAX_NAME_OCTETS) throw notName(text, "it has over 255 octets");
  return { labels: labels as Prefix, endsInDot };
}

function sized(text: string, label: string): string {
  if (label.length === 0) throw notName(text, "it has an empty label");
  if (label.length > MAX_LABEL_OCTETS) {
    throw notName(text, `the label "${label}" has ${label.length} octets, 63 are allowed`);
  }
  return String.fromCharCode(label.length) + label;
}

function unescape(text: string, escaped: string): string {
  if (escaped.length === 1) return escaped;
  const octet = Number(escaped);
  if (escaped === "" || octet > 255)
    throw notName(text, "after a \\ comes one character or three digits up to 255");
  return fold(String.fromCharCode(octet));
}

function notName(text: string, why: string): RotaError {
  return new RotaError("ERR_ROTA_NAME", `"${text}" is not a name: ${why}`);
}
