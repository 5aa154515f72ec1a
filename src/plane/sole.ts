import { once } from "node:events";
import { createServer } from "node:net";
import { systemCodeOf } from "../base/error.ts";

/**
 * Claims to be the only one of that name in this network namespace, until it is disposed of or the process ends, however
 * that ends.
 * Where there is no telling, it is.
 *
 * @returns `taken`: another is
 */
export async function claimSole(name: string): Promise<AsyncDisposable | "taken"> {
  // An abstract socket (unix(7)): there is one of a name in a network namespace, and no file that could be left behind.
  const server = createServer((socket) => socket.destroy());
  try {
    server.listen(`\0${name}`);
    await once(server, "listening");
  } catch (error) {
    return systemCodeOf(error) === "EADDRINUSE" ? "taken" : { async [Symbol.asyncDispose]() {} };
  }
  return {
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, "close");
    },
  };
}
