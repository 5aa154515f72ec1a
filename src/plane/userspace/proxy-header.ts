import { Buffer } from "node:buffer";
import { isIPv4 } from "node:net";
import { parseAddress } from "../../model/address.ts";

/** Both ends of a connection: where the other one is, and where this one; of a client's, what it asked for. */
export interface Ends {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/**
 * What a task reads in front of a connection, so that it knows whose it is. Both addresses are of one family.
 *
 * Source: "The PROXY protocol", versions 1 & 2, by HAProxy.
 */
export function writeProxyHeader(version: 1 | 2, ends: Ends): Buffer {
  return version === 1 ? writeText(ends) : writeOctets(ends);
}

/** Section 2.1. */
function writeText({ source, sourcePort, destination, destinationPort }: Ends): Buffer {
  const family = isIPv4(source) ? "TCP4" : "TCP6";
  return Buffer.from(
    `PROXY ${family} ${source} ${destination} ${sourcePort} ${destinationPort}\r\n`,
    "latin1",
  );
}

/** Section 2.2: "protocol signature" of version 2. */
const SIGNATURE = Buffer.from("0d0a0d0a000d0a515549540a", "hex");
/** Version 2 in the upper four bits, the command PROXY in the lower. */
const VERSION_AND_COMMAND = 0x21;
/** TCP (STREAM) in the lower four bits. */
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

function writeOctets({ source, sourcePort, destination, destinationPort }: Ends): Buffer {
  // Addresses are octets in strings already.
  const addresses = Buffer.from(parseAddress(source) + parseAddress(destination), "latin1");
  const fixed = Buffer.alloc(4);
  fixed[0] = VERSION_AND_COMMAND;
  fixed[1] = addresses.length === 8 ? TCP_OVER_IPV4 : TCP_OVER_IPV6;
  fixed.writeUInt16BE(addresses.length + 4, 2);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(sourcePort, 0);
  ports.writeUInt16BE(destinationPort, 2);
  return Buffer.concat([SIGNATURE, fixed, addresses, ports]);
}
