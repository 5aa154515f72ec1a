import type { ClientKey, Mail } from "./mail.ts";

/** Answers from what it was told, without the registry: from the octets of a query to those of its reply. */
export interface Book {
  /**
   * Writes the reply to a UDP query into `out`. Never throws, whatever somebody sent.
   *
   * @param query in its first `length` octets
   * @param client who asks: an IPv4 address as a number, or the 16 octets of an IPv6 one, each a character
   * @param out room for 1,232 octets at least
   * @returns how many octets the reply has; 0: somebody who has the registry must answer
   */
  reply(query: Uint8Array, length: number, client: ClientKey, out: Uint8Array): number;
  /** Whether it is known, and still holds, what a client sees: else it is to be told with the next mail. */
  knows(client: ClientKey): boolean;
  /** Takes in what was not known. */
  take(mail: Mail): void;
}
