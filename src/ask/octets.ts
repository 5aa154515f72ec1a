import { RotaError } from "../base/error.ts";
import { MAX_LABEL_OCTETS, MAX_NAME_OCTETS } from "../model/name.ts";

/** RFC 1035 section 4.1.1. */
export const HEADER_OCTETS = 12;

/** As many as a name can have labels; without a limit a message of pointers alone takes seconds. */
const MAX_POINTERS = 127;

/**
 * Reads the name at `at`: as people write it, case kept, and where it ends. dns2 reads names too, but joins
 * labels with dots, so that a dot within a label is lost.
 *
 * @throws RotaError `ERR_ROTA_ASK`
 */
export function readName(message: Buffer, at: number): { readonly text: string; readonly end: number } {
  const labels: string[] = [];
  let end: number | undefined;
  let octets = 1;
  let pointers = 0;
  let from = at; // where the labels now read begin: a pointer must lead to before it, so that none can loop
  let position = at;
  for (;;) {
    const length = octetAt(message, position);
    if (length === 0) break;
    if (length >= 0xc0) {
      const target = ((length & 0x3f) << 8) | octetAt(message, position + 1);
      end ??= position + 2;
      // RFC 1035 section 4.1.4: "a pointer to a prior occurrence of the same name".
      if (target >= from) throw malformed("a name points forward");
      if (++pointers > MAX_POINTERS) throw malformed("a name is in too many pieces");
      from = target;
      position = target;
      continue;
    }
    octets += length + 1;
    if (length > MAX_LABEL_OCTETS || octets > MAX_NAME_OCTETS) throw malformed("a name is too long");
    if (position + 1 + length > message.length) throw malformed("a name ends beyond the message");
    labels.push(formatLabel(message.subarray(position + 1, position + 1 + length)));
    position += 1 + length;
  }
  return { text: `${labels.join(".")}.`, end: end ?? position + 1 };
}

/** A character string as a zone file has it (RFC 1035 section 5.1). */
export function quote(octets: Buffer): string {
  return `"${escapeOctets(octets, /["\\]/g, /[^ -~]/g)}"`;
}

export function malformed(why: string): RotaError {
  return new RotaError("ERR_ROTA_ASK", `its answer cannot be read: ${why}`);
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
