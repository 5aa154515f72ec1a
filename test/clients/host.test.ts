import { expect } from "vitest";
import { testNeeding } from "../needing.ts";
import { run } from "./run.ts";
import { startServe } from "./serve.ts";
import { SERVICES, VIP } from "./services.ts";
import { shared } from "./shared.ts";

// `host` asks A, AAAA and MX in one go: each must be answered at once, what there is none of too.

const serve = shared(async () => startServe(SERVICES));

const ONCE = ["-R", "1", "-W", "60"];

const TABLE: readonly { asks: string; prints: readonly string[]; code?: number }[] = [
  { asks: "web.rota.internal", prints: [`web.rota.internal has address ${VIP}`] },
  { asks: "WEB.rota.internal", prints: [`WEB.rota.internal has address ${VIP}`] },
  {
    asks: "api.rota.internal",
    prints: ["1", "2", "3"].map((last) => `api.rota.internal has address 127.0.2.${last}`),
  },
  {
    asks: "dual.rota.internal",
    prints: ["dual.rota.internal has IPv6 address ::1", "dual.rota.internal has address 127.0.3.1"],
  },
  {
    asks: "-t SRV _http._tcp.web.rota.internal",
    prints: ["_http._tcp.web.rota.internal has SRV record 0 0 80 web.rota.internal."],
  },
  { asks: "127.0.1.1", prints: ["1.1.0.127.in-addr.arpa domain name pointer blue.web.rota.internal."] },
  { asks: "-t AAAA web.rota.internal", prints: ["web.rota.internal has no AAAA record"] },
  {
    asks: "nosuch.rota.internal",
    prints: ["Host nosuch.rota.internal not found: 3(NXDOMAIN)"],
    code: 1,
  },
  { asks: "example.com", prints: ["Host example.com not found: 5(REFUSED)"], code: 1 },
  { asks: "-T web.rota.internal", prints: [`web.rota.internal has address ${VIP}`] },
];

for (const { asks, prints, code = 0 } of TABLE) {
  testNeeding({ programs: ["host"] })(`host ${asks}`, async () => {
    const { port } = await serve();
    const ended = await run(["host", "-p", `${port}`, ...ONCE, ...asks.split(" "), "127.0.0.1"]);
    expect(ended).toMatchObject({ code, stderr: "" });
    // Behind a head that says who is asked.
    const [, printed = ""] = ended.stdout.split("\n\n");
    const lines = printed.split("\n").filter((line) => line !== "");
    expect(lines.toSorted()).toEqual(prints);
  });
}
