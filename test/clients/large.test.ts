import { expect } from "vitest";
import { testNeeding } from "../needing.ts";
import { readDig } from "./read-dig.ts";
import { run } from "./run.ts";
import { startServe } from "./serve.ts";
import { CROWD, SERVICES } from "./services.ts";
import { shared } from "./shared.ts";

// 200 addresses in no datagram: whoever asks again over TCP gets them all, and nobody is left with none. What
// clients get that read resolv.conf, see resolv-conf.test.ts.

const serve = shared(async () => startServe(SERVICES));

/** RFC 1035 section 4.2.1: 512 octets, less the header, the question and 16 for each A record. */
const PLAIN = Math.floor((512 - 12 - 25) / 16);
/** RFC 9715: 1232 octets, less the same and 11 for the OPT record. */
const EXTENDED = Math.floor((1232 - 12 - 25 - 11) / 16);

const TABLE: readonly { asks: string; header: string; count: number; told?: string }[] = [
  {
    asks: "dig crowd.rota.internal",
    header: "NOERROR aa rd",
    count: CROWD,
    told: ";; Truncated, retrying in TCP mode.",
  },
  { asks: "dig +tcp crowd.rota.internal", header: "NOERROR aa rd", count: CROWD },
  { asks: "dig +ignore +bufsize=4096 crowd.rota.internal", header: "NOERROR aa tc rd", count: EXTENDED },
  { asks: "dig +ignore +noedns crowd.rota.internal", header: "NOERROR aa tc rd", count: PLAIN },
  { asks: "kdig crowd.rota.internal", header: "NOERROR aa rd", count: CROWD, told: "retrying over TCP" },
  { asks: "kdig +ignore crowd.rota.internal", header: "NOERROR aa tc rd", count: PLAIN },
  { asks: "drill crowd.rota.internal", header: "NOERROR aa tc rd", count: PLAIN },
  { asks: "drill -t crowd.rota.internal", header: "NOERROR aa rd", count: CROWD },
];

for (const { asks, header, count, told = "" } of TABLE) {
  const [program = "", ...words] = asks.split(" ");
  testNeeding({ programs: [program] })(`${asks} gets ${count} addresses`, async () => {
    const { address, port } = await serve();
    const { stdout, stderr } = await run([program, ...words, "-p", `${port}`, `@${address}`]);
    const printed = readDig(stdout);
    expect(printed.header).toBe(header);
    expect(new Set(printed.answers).size).toBe(count);
    expect(stdout + stderr).toContain(told);
  });
}

testNeeding({ programs: ["host"] })("host gets all addresses", async () => {
  const { address, port } = await serve();
  const { stdout } = await run(["host", "-p", `${port}`, "-t", "A", "crowd.rota.internal", address]);
  expect(new Set(stdout.match(/has address \S+/g)).size).toBe(CROWD);
});
