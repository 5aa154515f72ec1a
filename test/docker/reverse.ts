/** The name that an IPv4 address is asked for by: RFC 1035 section 3.5. */
export function reverseNameOf(address: string): string {
  return `${address.split(".").toReversed().join(".")}.in-addr.arpa`;
}
