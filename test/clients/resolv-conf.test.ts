import { expect } from "vitest";
import { openContainer, PATIENT } from "./container.ts";
import { testInNamespace } from "./namespace.ts";
import { run } from "./run.ts";
import { CROWD, VIP } from "./services.ts";
import { shared } from "./shared.ts";

// Programs that ask whom /etc/resolv.conf names, in a network where that is Rota on port 53.

const container = shared(openContainer);

interface Row {
  readonly command: readonly string[];
  /** The lines it prints, sorted. */
  readonly prints: readonly string[];
  readonly code: number;
  /** @default its lines as they are */
  readonly read?: (stdout: string) => readonly string[];
}

const getent = (words: string, prints: readonly string[], code = 0): Row => ({
  command: ["getent", ...words.split(" ")],
  prints,
  code,
  // An address is a line for each type of socket.
  read: (stdout) =>
    linesIn(stdout)
      .filter((line) => !/DGRAM|RAW/.test(line))
      .map((line) => line.replaceAll(/\s+/g, " ").replace(/ STREAM.*/, "")),
});

const nslookup = (words: string, prints: readonly string[], code = 0): Row => ({
  command: ["busybox", "nslookup", ...words.split(" ")],
  prints,
  code,
  // Behind a head that says who is asked.
  read: (stdout) =>
    stdout
      .split("\n")
      .slice(2)
      .map((line) => line.replaceAll(/\s+/g, " "))
      .filter((line) => line !== "" && !line.startsWith("Name:")),
});

const host = (words: string, prints: readonly string[], code = 0): Row => ({
  command: ["host", ...words.split(" ")],
  prints,
  code,
});

const TABLE: readonly Row[] = [
  getent("ahosts web", [VIP]),
  getent("ahosts web.rota.internal", [VIP]),
  getent("ahosts WEB.Rota.Internal", [VIP]),
  getent("ahosts api", ["127.0.2.1", "127.0.2.2", "127.0.2.3"]),
  getent("ahosts tasks.web", ["127.0.1.1", "127.0.1.2"]),
  getent("ahosts dual", ["127.0.3.1", "::1"]),
  getent("ahosts idle", [], 2),
  getent("ahosts nosuch", [], 2),
  getent("ahosts nosuch.rota.internal", [], 2),
  // It asks for IPv6 first, and then for IPv4.
  getent("hosts web", [`${VIP} web`]),
  getent("hosts 127.0.1.1", ["127.0.1.1 blue.web.rota.internal"]),
  getent("hosts 127.0.1.99", [], 2),

  nslookup("web", [`Address: ${VIP}`]),
  nslookup("wEb.rota.internal", [`Address: ${VIP}`]),
  nslookup("api", ["Address: 127.0.2.1", "Address: 127.0.2.2", "Address: 127.0.2.3"]),
  nslookup("dual", ["Address: 127.0.3.1", "Address: ::1"]),
  nslookup("127.0.1.1", ["1.1.0.127.in-addr.arpa name = blue.web.rota.internal"]),
  nslookup("-type=srv _http._tcp.web.rota.internal", [
    "_http._tcp.web.rota.internal service = 0 0 80 web.rota.internal",
  ]),
  nslookup("-type=aaaa web.rota.internal", []),
  nslookup(
    "nosuch.rota.internal",
    // Of A and of AAAA.
    [
      "** server can't find nosuch.rota.internal: NXDOMAIN",
      "** server can't find nosuch.rota.internal: NXDOMAIN",
    ],
    1,
  ),

  host("web.rota.internal", [`web.rota.internal has address ${VIP}`]),
  host("web", [`web has address ${VIP}`]),
  host("nosuch", ["Host nosuch not found: 3(NXDOMAIN)"], 1),
];

for (const { command, prints, code, read = linesIn } of TABLE) {
  const [program = ""] = command;
  testInNamespace({ programs: [program] })(command.join(" "), async () => {
    const { enter, setResolvConf } = await container();
    await setResolvConf(PATIENT);
    const ended = await run([...enter, ...command]);
    expect({ lines: read(ended.stdout).toSorted(), code: ended.code }).toEqual({ lines: prints, code });
  });
}

/** Calls of `dns.promises` that ask the C library: those that do not, see node.test.ts. */
const LOOKUPS: readonly { call: string; prints: string }[] = [
  { call: 'lookup("web")', prints: VIP },
  { call: 'lookup("Web.Rota.Internal")', prints: VIP },
  { call: 'lookup("api", { all: true })', prints: "127.0.2.1 127.0.2.2 127.0.2.3" },
  { call: 'lookup("dual", { family: 6 })', prints: "::1" },
  { call: 'lookup("web", { family: 6 })', prints: "ENOTFOUND" },
  { call: 'lookup("nosuch.rota.internal")', prints: "ENOTFOUND" },
  { call: 'lookupService("127.0.1.1", 80)', prints: "blue.web.rota.internal" },
];

const PRINT = `.then(
  (found) => console.log([found].flat().map(({ address, hostname }) => address ?? hostname).sort().join(" ")),
  (error) => console.log(error.code),
)`;

for (const { call, prints } of LOOKUPS) {
  testInNamespace({})(`Node: ${call}`, async () => {
    const { enter, setResolvConf } = await container();
    await setResolvConf(PATIENT);
    const script = `require("node:dns").promises.${call}${PRINT}`;
    const { stdout, stderr } = await run([...enter, process.execPath, "-e", script]);
    expect(stdout + stderr).toBe(`${prints}\n`);
  });
}

testInNamespace({ programs: ["busybox"] })(
  "BusyBox nslookup gets what fits of 200 addresses, not none",
  async () => {
    const { enter, setResolvConf } = await container();
    await setResolvConf(PATIENT);
    const { stdout } = await run([...enter, "busybox", "nslookup", "crowd.rota.internal"]);
    const addresses = new Set(stdout.match(/^Address: 10\.0\.1\.\d+$/gm));
    expect(addresses.size).toBeGreaterThanOrEqual(29);
    expect(addresses.size).toBeLessThanOrEqual(CROWD);
  },
);

testInNamespace({ programs: ["host"] })("host goes through the search domains", async () => {
  const { enter, setResolvConf } = await container();
  await setResolvConf(`${PATIENT}search rota.internal\n`);
  const { stdout } = await run([...enter, "host", "web"]);
  expect(linesIn(stdout)).toEqual([`web.rota.internal has address ${VIP}`]);
});

function linesIn(stdout: string): readonly string[] {
  return stdout.split("\n").filter((line) => line !== "");
}
