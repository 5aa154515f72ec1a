import { isIPv4 } from "node:net";
import { messageOf } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { machineAddresses } from "../base/machine-addresses.ts";
import { createScope } from "../base/scope.ts";
import type { Bound } from "./listen.ts";

/** How often to look whether the machine has other addresses now. */
const LOOK_EVERY_MS = 5000;

export function isWildcard(address: string): boolean {
  return address === "0.0.0.0" || /^[0:]+$/.test(address);
}

/**
 * Opens a socket for each address that the machine has of the wildcard's family, and follows them as they come
 * and go. The first that cannot be opened at start throws; later ones are tried again.
 */
export async function followInterfaces(
  wildcard: string,
  wanted: number,
  open: (address: string, port: number) => Promise<Bound>,
  log: Log,
): Promise<Bound> {
  await using scope = createScope();
  const sockets = new Map<string, AsyncDisposable>();
  scope.defer(async () => {
    for (const socket of sockets.values()) await socket[Symbol.asyncDispose]();
  });
  let port = wanted;
  for (const address of addressesNow(wildcard)) {
    const socket = await open(address, port);
    sockets.set(address, socket);
    port = socket.port;
  }
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // Under a shortage of descriptors not even the addresses can be had; that passes.
    looking = looking.then(look).catch((error: unknown) => {
      log.warn(
        { err: error },
        `could not look at the machine's addresses: ${messageOf(error)}; trying again`,
      );
    });
  }, LOOK_EVERY_MS);
  scope.defer(async () => {
    clearInterval(timer);
    await looking;
  });
  const held = scope.move();
  return { port, [Symbol.asyncDispose]: async () => held[Symbol.asyncDispose]() };

  async function look(): Promise<void> {
    const now = new Set(addressesNow(wildcard));
    for (const [address, socket] of sockets) {
      if (now.has(address)) continue;
      sockets.delete(address);
      await socket[Symbol.asyncDispose]();
    }
    for (const address of now) {
      if (sockets.has(address)) continue;
      try {
        sockets.set(address, await open(address, port));
      } catch (error) {
        // An address that is just coming up cannot be bound yet: the next look finds it again.
        log.warn(
          { err: error, address, port },
          `could not listen on udp ${address} yet: ${messageOf(error)}`,
        );
      }
    }
  }
}

function addressesNow(wildcard: string): string[] {
  return machineAddresses(isIPv4(wildcard) ? "IPv4" : "IPv6");
}
