import { type Namespace, openNamespace } from "./namespace.ts";
import { startServe } from "./serve.ts";
import { SERVICES } from "./services.ts";

/** resolv.conf of a client that tries once, and waits for longer than a test may take if it gets no answer. */
export const PATIENT = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n";

/** A namespace in which `rota serve` is the one name server, on the port that everyone asks. */
export async function openContainer(words: readonly string[] = []): Promise<Namespace> {
  const namespace = await openNamespace();
  try {
    await namespace.setResolvConf(PATIENT);
    const { enter } = namespace;
    const serve = await startServe(SERVICES, { enter, listen: "127.0.0.1:53", words });
    return {
      ...namespace,
      async [Symbol.asyncDispose]() {
        try {
          await serve[Symbol.asyncDispose]();
        } finally {
          await namespace[Symbol.asyncDispose]();
        }
      },
    };
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
}
