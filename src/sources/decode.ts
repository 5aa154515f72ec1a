import { messageOf } from "../base/error.ts";
import type { Placed } from "./report.ts";

/** The text of a file, or that it is none. */
export function decode(octets: Uint8Array): string | Placed {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch (error) {
    return { position: undefined, message: `is not UTF-8 text: ${messageOf(error)}` };
  }
}
