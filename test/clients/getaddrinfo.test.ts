import { expect } from "vitest";
import { openContainer, PATIENT } from "./container.ts";
import { testInNamespace } from "./namespace.ts";
import { buildResolve, LIBCS } from "./resolve.ts";
import { run } from "./run.ts";
import { CROWD, VIP } from "./services.ts";
import { shared } from "./shared.ts";

// What programs get that leave it to the C library, as nearly all do, by the resolv.conf of their container.

const container = shared(openContainer);
/** With search domains that are not Rota's, and no other name server that knows of them. */
const denying = shared(async () => openContainer(["--outside", "nxdomain"]));

const ASKED: readonly { asks: string; prints: readonly string[]; code?: number }[] = [
  { asks: "web.rota.internal", prints: [VIP] },
  { asks: "web.rota.internal.", prints: [VIP] },
  { asks: "web", prints: [VIP] },
  { asks: "wEb.rOTA.internal", prints: [VIP] },
  { asks: "tasks.web", prints: ["127.0.1.1", "127.0.1.2"] },
  { asks: "blue", prints: ["127.0.1.1"] },
  { asks: "cart.shop", prints: ["127.0.3.2"] },
  { asks: "api", prints: ["127.0.2.1", "127.0.2.2", "127.0.2.3"] },
  { asks: "dual", prints: ["127.0.3.1", "::1"] },
  { asks: "dual 6", prints: ["::1"] },
  { asks: "web 6", prints: ["none"], code: 1 },
  { asks: "idle", prints: ["none"], code: 1 },
  { asks: "nosuch", prints: ["none"], code: 1 },
  { asks: "nosuch.rota.internal", prints: ["none"], code: 1 },
  { asks: "127.0.1.1 name", prints: ["blue.web.rota.internal"] },
  { asks: `${VIP} name`, prints: ["web.rota.internal"] },
  { asks: "::1 name", prints: ["d.dual.rota.internal"] },
  { asks: "127.0.1.99 name", prints: ["none"], code: 1 },
];

/** Each name as applications of a container write it, whatever its resolv.conf says. */
const SEARCHED: readonly { asks: string; prints: readonly string[]; code?: number }[] = [
  { asks: "web", prints: [VIP] },
  { asks: "web.rota.internal", prints: [VIP] },
  { asks: "blue.web", prints: ["127.0.1.1"] },
  { asks: "cart.shop", prints: ["127.0.3.2"] },
  { asks: "idle", prints: ["none"], code: 1 },
  { asks: "nosuch", prints: ["none"], code: 1 },
];

const SEARCHES = [
  "search rota.internal\noptions ndots:0",
  "search rota.internal\noptions ndots:1",
  "search rota.internal\noptions ndots:5",
  "search shop.rota.internal rota.internal\noptions ndots:5",
];

const FOREIGN_SEARCHES = [
  "search corp.example rota.internal\noptions ndots:0",
  "search corp.example rota.internal\noptions ndots:1",
  "search corp.example\noptions ndots:1",
  "search corp.example\noptions ndots:5",
];

for (const libc of LIBCS) {
  const built = shared(async () => buildResolve(libc));
  const test = testInNamespace({ programs: [libc.compiler[0] ?? ""] });

  const expectPrinted = async (
    opened: typeof container,
    resolvConf: string,
    { asks, prints, code = 0 }: (typeof ASKED)[number],
  ): Promise<void> => {
    const { enter, setResolvConf } = await opened();
    const { program } = await built();
    await setResolvConf(resolvConf);
    const ended = await run([...enter, program, ...asks.split(" ")]);
    const lines = ended.stdout.split("\n").filter((line) => line !== "");
    expect({ lines: lines.toSorted(), code: ended.code }).toEqual({ lines: prints, code });
  };

  for (const row of ASKED) {
    test(`${libc.name} asks ${row.asks}`, async () => expectPrinted(container, PATIENT, row));
  }
  for (const search of SEARCHES) {
    for (const row of SEARCHED) {
      test(`${libc.name} asks ${row.asks} with ${told(search)}`, async () =>
        expectPrinted(container, `${PATIENT}${search}\n`, row));
    }
  }
  for (const search of FOREIGN_SEARCHES) {
    for (const row of SEARCHED) {
      test(`${libc.name} asks ${row.asks} with ${told(search)}, others' names denied`, async () =>
        expectPrinted(denying, `${PATIENT}${search}\n`, row));
    }
  }

  test(`${libc.name} is told at once of a name outside the zone, where those are denied`, async () =>
    expectPrinted(denying, PATIENT, { asks: "example.com", prints: ["none"], code: 1 }));
}

/** What a datagram of 512 octets holds: the least that who does not ask again over TCP must get. */
const FITTING = 29;

for (const { libc, options, atLeast } of [
  { libc: LIBCS[0], options: "", atLeast: CROWD },
  { libc: LIBCS[0], options: "options edns0", atLeast: CROWD },
  { libc: LIBCS[0], options: "options use-vc", atLeast: CROWD },
  { libc: LIBCS[0], options: "options single-request", atLeast: CROWD },
  // Over UDP alone before 1.2.4; and no more than 48 addresses since.
  { libc: LIBCS[1], options: "", atLeast: FITTING },
]) {
  if (!libc) continue;
  const built = shared(async () => buildResolve(libc));
  testInNamespace({ programs: [libc.compiler[0] ?? ""] })(
    `${libc.name} gets at least ${atLeast} of ${CROWD} addresses with ${told(options)}`,
    async () => {
      const { enter, setResolvConf } = await container();
      const { program } = await built();
      await setResolvConf(`${PATIENT}${options}\n`);
      const { stdout } = await run([...enter, program, "crowd", "4"]);
      const addresses = new Set(stdout.match(/^10\.0\.1\.\d+$/gm));
      expect(addresses.size).toBeGreaterThanOrEqual(atLeast);
    },
  );
}

function told(resolvConf: string): string {
  return resolvConf === "" ? "no options" : resolvConf.replace("\n", ", ");
}
