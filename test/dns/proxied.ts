/** Makes PROXY headers, octet by octet and with nothing of `src`, so that a mistake there is not made here too. */

export const SIGNATURE = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

export interface Proxied {
  /** Version in the upper four bits, command in the lower. @default 0x21 (PROXY) */
  readonly command?: number;
  /** Family in the upper four bits, transport in the lower. @default 0x12 (UDP over IPv4) */
  readonly family?: number;
  /** What follows: addresses, ports, TLVs. @default from 10.0.1.7:40000 to 10.0.0.53:53 */
  readonly rest?: Uint8Array;
  /** How much is said to follow. @default as much as follows */
  readonly length?: number;
}

/** From 10.0.1.7:40000 to 10.0.0.53:53. */
export const FOUR = Buffer.from("0a0001070a0000359c400035", "hex");
/** From [fd00::7]:40000 to [fd00::53]:53. */
export const SIX = Buffer.from(`fd00${"00".repeat(13)}07fd00${"00".repeat(13)}539c400035`, "hex");
/** From [::ffff:10.0.1.7]:40000 to [fd00::53]:53. */
export const MAPPED = Buffer.from(`${"00".repeat(10)}ffff0a000107fd00${"00".repeat(13)}539c400035`, "hex");

export function proxyHeader({ command = 0x21, family = 0x12, rest = FOUR, length }: Proxied = {}): Buffer {
  const said = length ?? rest.length;
  return Buffer.concat([SIGNATURE, Uint8Array.of(command, family, said >> 8, said & 255), rest]);
}
