import { subnetOption, subnetOptionOctets } from "./client-subnet.ts";
import { type EdnsReply, OPTION } from "./message.ts";
import type { OctetWriter } from "./octet-writer.ts";
import { TYPE } from "./record.ts";

/** RFC 6891 section 6.1.2. Version 0 is the highest that there is; Z stays 0. */
export function writeOpt(out: OctetWriter, edns: EdnsReply, rcode: number): void {
  out.octet(0);
  out.pair(TYPE.OPT);
  out.pair(edns.udpSize);
  out.octet(rcode >> 4);
  out.octet(0);
  out.pair(edns.dnssecOk ? 0x8000 : 0);
  out.pair(optionOctets(edns));
  if (edns.extendedError !== undefined) writeOption(out, OPTION.EXTENDED_ERROR, edns.extendedError);
  if (edns.keepalive !== undefined) writeOption(out, OPTION.KEEPALIVE, edns.keepalive);
  if (edns.clientSubnet !== undefined) out.latin1(subnetOption(edns.clientSubnet));
}

/** The other options that Rota sends carry one number of two octets. */
function writeOption(out: OctetWriter, code: number, value: number): void {
  out.pair(code);
  out.pair(2);
  out.pair(value);
}

function optionOctets(edns: EdnsReply): number {
  const numbers = (edns.extendedError === undefined ? 0 : 6) + (edns.keepalive === undefined ? 0 : 6);
  return numbers + subnetOptionOctets(edns.clientSubnet);
}

/** What OPT takes of the room: owner, type, class, TTL and RDLENGTH are 11 octets. */
export function optOctets(edns: EdnsReply | undefined): number {
  return edns === undefined ? 0 : 11 + optionOctets(edns);
}
