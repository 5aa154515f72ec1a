import { networkInterfaces } from "node:os";

/**
 * The addresses that the machine has now, as text to bind to.
 *
 * @throws what the system says, as under a shortage of descriptors
 */
export function machineAddresses(family: "IPv4" | "IPv6"): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter((address) => address.family === family)
      // A link-local address is one only together with its interface.
      .map(({ address }) => (address.startsWith("fe80:") ? `${address}%${name}` : address)),
  );
}
