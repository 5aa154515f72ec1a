import { Resolver } from "node:dns/promises";
import type { Rota } from "../../src/index.ts";
import { systemCodeOf } from "../../src/base/error.ts";

/** Asks a Rota by UDP, as any program on this machine would. */
export interface Asking {
  /** The addresses of a name, sorted, or why there are none: `ENOTFOUND` no such name, `ENODATA` none of this type. */
  addresses(name: string, type?: "A" | "AAAA"): Promise<readonly string[] | string>;
  /** The ports and names that a SRV name leads to, as `web.rota.internal:80`, sorted. */
  ports(name: string): Promise<readonly string[] | string>;
}

export function asking({ addresses: [where] }: Rota): Asking {
  return {
    addresses: async (name, type = "A") =>
      settled(type === "A" ? resolver().resolve4(name) : resolver().resolve6(name)),
    ports: async (name) =>
      settled(
        resolver()
          .resolveSrv(name)
          .then((found) => found.map(({ name, port }) => `${name}:${port}`)),
      ),
  };

  /** Another one for each question: that of Node 20.19 keeps an answer for its TTL. */
  function resolver(): Resolver {
    const resolver = new Resolver();
    resolver.setServers([`${where?.address}:${where?.port}`]);
    return resolver;
  }
}

async function settled(asked: Promise<readonly string[]>): Promise<readonly string[] | string> {
  try {
    return (await asked).toSorted();
  } catch (error) {
    return systemCodeOf(error) ?? String(error);
  }
}
