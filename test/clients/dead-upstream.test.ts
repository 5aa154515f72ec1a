import { describe, expect } from "vitest";
import { createScope } from "../../src/base/scope.ts";
import { findFreePort } from "../ask/servers.ts";
import { startServer } from "./name-servers.ts";
import { type Namespace, openNamespace, testInNamespace } from "./namespace.ts";
import { PATIENT } from "./container.ts";
import { buildResolve, LIBCS } from "./resolve.ts";
import { linesOf, run } from "./run.ts";
import { startServe } from "./serve.ts";
import { SERVICES, VIP } from "./services.ts";
import { shared } from "./shared.ts";

// What clients get of all names from a container's only name server, Rota, when the first of its upstreams is dead.
// Nothing is kept, so that each question meets it. How long they wait, see test/bench.

type Death = "a socket that nobody reads" | "a closed port";

async function openContainer(death: Death): Promise<Namespace> {
  const scope = createScope();
  try {
    const namespace = scope.use(await openNamespace());
    const { enter } = namespace;
    const good = scope.use(await startServer("dnsmasq", { enter }));
    let port = await findFreePort();
    if (death === "a socket that nobody reads") {
      const dead = scope.use(await startServer("dnsmasq", { enter }));
      dead.signal("SIGSTOP");
      port = dead.port;
    }
    const words = ["--cache-size", "0", "-f", `127.0.0.1:${port},127.0.0.1:${good.port}`];
    scope.use(await startServe(SERVICES, { enter, listen: "127.0.0.1:53", words }));
    return { ...namespace, [Symbol.asyncDispose]: async () => scope[Symbol.asyncDispose]() };
  } catch (error) {
    await scope[Symbol.asyncDispose]();
    throw error;
  }
}

const OUTSIDE = ["192.0.2.1", "2001:db8::1"];

/** What a name leads to, sorted; nothing: it does not exist. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  web: [VIP],
  "web.rota.internal": [VIP],
  "tasks.web": ["127.0.1.1", "127.0.1.2"],
  "www.example": OUTSIDE,
  "alias.example": OUTSIDE,
  "nosuch.example": [],
  nosuch: [],
};

/** What a client finds of one name after the other. */
type Ask = (enter: readonly string[], names: readonly string[]) => Promise<Record<string, readonly string[]>>;

/** A program that prints the addresses of one name. */
function eachBy(command: () => Promise<readonly string[]>, addresses: RegExp): Ask {
  return async (enter, names) => {
    const found: Record<string, readonly string[]> = {};
    for (const name of names) {
      const { stdout } = await run([...enter, ...(await command()), name]);
      found[name] = [...stdout.matchAll(addresses)].map(([, address = ""]) => address).toSorted();
    }
    return found;
  };
}

const ASK_BY_CARES = `
const { resolve4, resolve6 } = require("node:dns").promises;
const found = async (asked) => asked.catch(({ code }) => code === "ENOTFOUND" || code === "ENODATA" ? [] : [code]);
(async () => {
  const all = {};
  for (const name of process.argv.slice(1))
    all[name] = [...(await found(resolve4(name))), ...(await found(resolve6(name)))].sort();
  console.log(JSON.stringify(all));
})();`;

const CLIENTS: readonly { client: string; program: string; ask: Ask }[] = [
  ...LIBCS.map((libc) => {
    const built = shared(async () => buildResolve(libc));
    const ask = eachBy(async () => [(await built()).program], /^(?!none$)(.+)$/gm);
    return { client: libc.name, program: libc.compiler[0] ?? "", ask };
  }),
  {
    client: "BusyBox",
    program: "busybox",
    ask: eachBy(async () => ["busybox", "nslookup"], /^Address: (\S+)$/gm),
  },
  {
    client: "c-ares",
    program: "node",
    ask: async (enter, names) => {
      const [line = ""] = await linesOf([...enter, process.execPath, "-e", ASK_BY_CARES, "--", ...names]);
      return JSON.parse(line);
    },
  },
];

const SEARCHES = ["", "search rota.internal", "search corp.example rota.internal"];

describe.each<Death>(["a socket that nobody reads", "a closed port"])("behind %s", (death) => {
  const container = shared(async () => openContainer(death));

  for (const { client, program, ask } of CLIENTS) {
    for (const ndots of [0, 1, 5]) {
      for (const search of SEARCHES) {
        const options = `${search === "" ? "no search" : search}, ndots:${ndots}`;
        testInNamespace({ programs: ["dnsmasq", program] })(
          `${client} finds all names: ${options}`,
          async () => {
            const { enter, setResolvConf } = await container();
            await setResolvConf(`${PATIENT}${search}\noptions ndots:${ndots}\n`);
            expect(await ask(enter, Object.keys(NAMES))).toEqual(NAMES);
          },
        );
      }
    }
  }
});
