import { expect } from "vitest";
import { testNeeding } from "../needing.ts";
import { listOf, readDig } from "./read-dig.ts";
import { linesOf } from "./run.ts";
import { startServe } from "./serve.ts";
import { SERVICES, VIP } from "./services.ts";
import { shared } from "./shared.ts";

const serve = shared(async () =>
  startServe(SERVICES, { words: ["--trust", "127.0.0.1", "--trust", "fd00::/8"] }),
);

const OPT = "EDNS: version: 0, flags:; udp: 1232";
const FOUND = ["NOERROR aa rd", `web.rota.internal. 5 A ${VIP}`];

const CASES: readonly { from: string; subnet: string; over?: string; edns: readonly string[] }[] = [
  { from: "127.0.0.1", subnet: "10.0.1.0/24", edns: [OPT, "CLIENT-SUBNET: 10.0.1.0/24/24"] },
  { from: "127.0.0.1", subnet: "10.0.1.0/24", over: "+tcp", edns: [OPT, "CLIENT-SUBNET: 10.0.1.0/24/24"] },
  { from: "127.0.0.1", subnet: "10.0.1.99", edns: [OPT, "CLIENT-SUBNET: 10.0.1.99/32/32"] },
  { from: "127.0.0.1", subnet: "fd00:1::/56", edns: [OPT, "CLIENT-SUBNET: fd00:1::/56/56"] },
  { from: "127.0.0.1", subnet: "0.0.0.0/0", edns: [OPT, "CLIENT-SUBNET: 0.0.0.0/0/0"] },
  { from: "127.0.0.1", subnet: "0", edns: [OPT, "CLIENT-SUBNET: 0.0.0.0/0/0"] },
  { from: "127.0.0.2", subnet: "10.0.1.0/24", edns: [OPT] },
  { from: "127.0.0.2", subnet: "10.0.1.0/24", over: "+tcp", edns: [OPT] },
];

for (const { from, subnet, over = "+notcp", edns } of CASES) {
  testNeeding({ programs: ["dig"] })(`dig ${over} +subnet=${subnet} from ${from}`, async () => {
    const { port } = await serve();
    const at = ["-b", from, "-p", `${port}`, "@127.0.0.1", "+tries=1", "+timeout=60", over];
    const printed = readDig(
      (await linesOf(["dig", ...at, "+nocookie", `+subnet=${subnet}`, "web.rota.internal", "A"])).join("\n"),
    );
    expect(listOf(printed)).toEqual(FOUND);
    expect(printed.edns).toEqual(edns);
  });
}
