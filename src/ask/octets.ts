import { RotaError } from "../base/error.ts";
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../model/name.ts";

/** RFC 1035 section 4.1.1. */
export const HEADER_OCTETS = 12;

/** The name that begins at this octet of a message, as people write it, case kept. */
export type NameReader = (at: number) => string;

/** A name from one of its octets on. */
interface Suffix {
  /** Without the dot that is the root. */
  readonly text: string;
  readonly octets: number;
}

/** A label or a pointer, at the octet where it begins. */
interface Piece {
  readonly at: number;
  /** Undefined: a pointer, which adds nothing to the name. */
  readonly label: Buffer | undefined;
}

const ROOT: Suffix = { text: "", octets: 1 };

/**
 * Reads the names of one message, each octet of them once: what follows a label or a pointer is kept by where that
 * begins. Else a name of 120 labels that every record points at costs seconds.
 *
 * dns2 reads names too, but joins labels with dots, so that a dot within a label is lost, and reads all labels
 * of a name anew wherever it is pointed at.
 *
 * The reader throws RotaError `ERR_ROTA_ASK`.
 */
export function createNameReader(message: Buffer): NameReader {
  const known = new Map<number, Suffix>();
  // Each octet belongs to one label or pointer, unless there are pointers into labels: then they can be any number.
  let unread = message.length;

  return (at) => {
    const pieces: Piece[] = [];
    let from = at; // where the labels now read begin: a pointer must lead to before it, so that none can loop
    let position = at;
    let suffix = known.get(position);
    while (suffix === undefined) {
      const length = octetAt(message, position);
      if (length === 0) {
        suffix = ROOT;
      } else if (length >= 0xc0) {
        pieces.push({ at: position, label: undefined });
        position = pointedAt(message, position);
        // RFC 1035 section 4.1.4: "a pointer to a prior occurrence of the same name".
        if (position >= from) throw malformed("a name points forward");
        from = position;
        spend(2);
      } else {
        const end = endOfLabel(message, position);
        pieces.push({ at: position, label: message.subarray(position + 1, end) });
        position = end;
        spend(1 + length);
      }
      suffix ??= known.get(position);
    }
    for (const piece of pieces.toReversed()) {
      if (piece.label) suffix = prepend(piece.label, suffix);
      known.set(piece.at, suffix);
    }
    return `${suffix.text}.`;
  };

  function spend(octets: number): void {
    unread -= octets;
    if (unread < 0) throw malformed("its names overlap");
  }
}

/**
 * Behind the last octet of the name at `at`, which a pointer ends as well: none is followed.
 *
 * @throws RotaError `ERR_ROTA_ASK`
 */
export function endOfName(message: Buffer, at: number): number {
  let position = at;
  while (position < at + MAX_NAME_OCTETS) {
    const length = octetAt(message, position);
    if (length === 0) return position + 1;
    if (length >= 0xc0) return position + 2;
    position = endOfLabel(message, position);
  }
  throw malformed("a name is too long");
}

/** A character string as a zone file has it (RFC 1035 section 5.1). */
export function quote(octets: Buffer): string {
  return `"${escapeOctets(octets, /["\\]/g, /[^ -~]/g)}"`;
}

export function malformed(why: string): RotaError {
  return new RotaError("ERR_ROTA_ASK", `its answer cannot be read: ${why}`);
}

function prepend(label: Buffer, { text, octets }: Suffix): Suffix {
  const sum = octets + 1 + label.length;
  if (sum > MAX_NAME_OCTETS) throw malformed("a name is too long");
  return { text: text === "" ? formatLabel(label) : `${formatLabel(label)}.${text}`, octets: sum };
}

/** RFC 1035 section 4.1.4. */
function pointedAt(message: Buffer, at: number): number {
  return ((octetAt(message, at) & 0x3f) << 8) | octetAt(message, at + 1);
}

function endOfLabel(message: Buffer, at: number): number {
  const length = octetAt(message, at);
  if (length > MAX_LABEL_OCTETS) throw malformed("a name is too long");
  const end = at + 1 + length;
  if (end > message.length) throw malformed("a name ends beyond the message");
  return end;
}

function formatLabel(octets: Buffer): string {
  return escapeOctets(octets, /["().;@\\$]/g, /[^!-~]/g);
}

function escapeOctets(octets: Buffer, special: RegExp, unprintable: RegExp): string {
  return octets
    .toString("latin1")
    .replaceAll(special, String.raw`\$&`)
    .replaceAll(unprintable, (octet) => `\\${octet.charCodeAt(0).toString().padStart(3, "0")}`);
}

function octetAt(message: Buffer, at: number): number {
  const octet = message[at];
  if (octet === undefined) throw malformed("a name ends beyond the message");
  return octet;
}
